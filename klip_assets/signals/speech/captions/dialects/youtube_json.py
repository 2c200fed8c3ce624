"""Captions in YouTube's json3 (`yt-dlp --sub-format json3`), written from its known structure without a real file.

An event is a caption: `tStartMs`, `dDurationMs`, and `segs` of text (`utf8`); in automatic captions each of these is a
word with its own `tOffsetMs` and possibly `acAsrConf` (0..255). Events with `aAppend` usually break the line; events
without `segs` only open a window. Automatic captions stay on screen while the next line is spoken, so a word ends at
the next event's start at the latest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import MAX_CUE_CHARS, JsonFormat, Reading
from klip_assets.signals.speech.captions.json_values import (
    ValueRefused,
    confidence_of,
    entries_of,
    seconds_of,
    shown,
    text_of,
)
from klip_assets.signals.speech.captions.spoken import Piece, between

_MILLISECONDS = 1000.0
_MAX_CONFIDENCE = 255.0


@dataclass
class _Event:
    """A caption with text: start and end in seconds (the end None if the file gives none), and its pieces."""

    start_s: float
    end_s: float | None
    pieces: list[Piece]
    is_automatic: bool


def is_json3(document: Any) -> bool:
    """Return whether a JSON document consists of caption events."""
    events = document.get("events") if isinstance(document, dict) else None
    return isinstance(events, list) and any(
        isinstance(event, dict) and ("tStartMs" in event or "segs" in event) for event in events[:100]
    )


def read_json3(document: Mapping[str, Any]) -> Reading:
    """Read captions in json3.

    Args:
        document: A JSON document for which `is_json3` holds.
    """
    reading = Reading(per_second=_MILLISECONDS)
    events: list[_Event] = []
    for where, entry in entries_of(document["events"], "events", reading.refused):
        try:
            found = _event(entry, where, reading.refused)
        except ValueRefused as problem:
            reading.refused.append(Refused(where, problem.reason, problem.detail))
            continue
        if found is not None:
            events.append(found)
    events.sort(key=lambda event: event.start_s)
    automatic = any(event.is_automatic for event in events)
    for event, after in zip_longest(events, events[1:]):
        following = after.start_s if after is not None else None
        end_s = event.end_s
        if following is not None and (automatic or end_s is None):
            end_s = following if end_s is None else min(end_s, following)
        end_s = max(event.start_s, event.start_s if end_s is None else end_s)
        reading.heard.add(between(event.pieces, event.start_s, end_s))
    if not any(word.confidence for word in reading.heard.words):
        # Newer files give 0 for every word, which means unknown.
        reading.heard.words = [replace(word, confidence=None) for word in reading.heard.words]
    return reading


def _event(event: Mapping[str, Any], where: str, refused: list[Refused]) -> _Event | None:
    """Read one event; None if it shows no text.

    Raises:
        ValueRefused: It has text but no time, or too much text.
    """
    segs = event.get("segs")
    if not isinstance(segs, list):
        return None
    texts: list[tuple[str, Mapping[str, Any], str]] = []
    for path, seg in entries_of(segs, f"{where}.segs", refused):
        try:
            text = text_of(seg, "utf8")
        except ValueRefused as problem:
            refused.append(Refused(path, problem.reason, problem.detail))
            continue
        if texts and not text.strip():
            texts[-1] = (*texts[-1][:2], texts[-1][2] + text)  # A line break has no time: it joins the word before it.
        else:
            texts.append((path, seg, text))
    if not any(text.strip() for _, _, text in texts):
        return None
    if sum(len(text) for _, _, text in texts) > MAX_CUE_CHARS:
        raise ValueRefused("too long for a caption", f"at most {MAX_CUE_CHARS:,} characters")
    start_s = seconds_of(event.get("tStartMs"), per_second=_MILLISECONDS)
    pieces = []
    is_automatic = False
    for path, seg, text in texts:
        offset_s = 0.0
        if seg.get("tOffsetMs") is not None:
            try:
                offset_s = seconds_of(seg["tOffsetMs"], per_second=_MILLISECONDS)
            except ValueRefused as problem:
                refused.append(Refused(path, problem.reason, problem.detail))
                continue
            is_automatic = True
        confidence = confidence_of(seg, "acAsrConf", highest=_MAX_CONFIDENCE)
        pieces.append(Piece(start_s + offset_s, start_s + offset_s, text, confidence))
    end_s, lasts = None, event.get("dDurationMs")
    if lasts is not None:
        try:
            end_s = start_s + seconds_of(lasts, per_second=_MILLISECONDS)
        except ValueRefused:
            refused.append(Refused(where, "unreadable duration; it ends where the next begins", shown(lasts)))
    is_automatic = is_automatic or any(piece.confidence is not None for piece in pieces)
    return _Event(start_s, end_s, pieces, is_automatic) if pieces else None


FORMAT = JsonFormat("json3", is_json3, read_json3, word_times=('"tOffsetMs"',), order=10)
