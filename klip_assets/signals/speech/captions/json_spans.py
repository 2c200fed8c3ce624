"""Words and segments of JSON in the spellings of other recognizers: brought into the form that `json_words` reads.

Programs agree on what a segment has (a start, an end or a length, a text) but not on its names: `from`/`to`, `begin`,
`start_time`, `startTime`, `stop`, `offset` and `duration`; nor on how a time is written: a number, `"1.2s"` (protocol
buffers), `PT1.2S` (ISO 8601), `00:00:01,200`, `{"seconds": 1, "nanos": 200000000}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import Reading
from klip_assets.signals.speech.captions.cue_times import seconds_of_clock
from klip_assets.signals.speech.captions.json_values import shown
from klip_assets.signals.speech.captions.json_words import take_text, take_words

#: Names of a start, an end and a length, each with the units per second that the name itself states, else None.
_STARTS: Mapping[str, float | None] = {
    "start": None, "start_time": None, "startTime": None, "startOffset": None, "start_offset": None, "time_begin": None,
    "from": None, "begin": None, "begin_time": None, "beginTime": None, "ts": None, "t0": 100.0, "start_ts": None,
    "offset": None, "startMs": 1e3, "start_ms": 1e3, "startTimeMs": 1e3, "offsetMs": 1e3, "tStartMs": 1e3,
    "offset_ms": 1e3, "begin_ms": 1e3, "startInSeconds": 1.0, "offsetInTicks": 1e7, "offsetInMilliseconds": 1e3,
    "offsetMilliseconds": 1e3,
}  # fmt: skip
_ENDS: Mapping[str, float | None] = {
    "end": None, "end_time": None, "endTime": None, "endOffset": None, "end_offset": None, "time_end": None,
    "to": None, "stop": None, "finish": None, "end_ts": None, "t1": 100.0, "endMs": 1e3, "end_ms": 1e3,
    "endTimeMs": 1e3, "endInSeconds": 1.0,
}  # fmt: skip
_LENGTHS: Mapping[str, float | None] = {
    "duration": None, "dur": None, "length": None, "durationMs": 1e3, "duration_ms": 1e3, "dDurationMs": 1e3,
    "durationInTicks": 1e7, "durationInMilliseconds": 1e3, "durationMilliseconds": 1e3, "durationInSeconds": 1.0,
}  # fmt: skip
_TEXTS = (
    "punctuated_word", "punctuatedWord", "word", "text", "content", "body", "value", "transcript", "transcription",
    "sentence", "line", "caption", "lines",
)  # fmt: skip
_SUFFIXED = re.compile(r"(-?\d{1,12}(?:\.\d{1,12})?)\s?(s|ms|sec|seconds)")
_ISO = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,12}(?:\.\d{1,12})?)S)?")
_CONFIDENCE = ("probability", "score", "confidence", "conf")
#: How long a word lasts that has no end and nothing after it.
_WORD_S = 0.4
#: How many objects deep lists are searched for.
_DEEPEST = 4


def has_span(entry: object) -> bool:
    """Return whether an entry has a start, an end or a length, and a text, by any of the known names."""
    return (
        isinstance(entry, dict)
        and any(name in entry for name in _STARTS)
        and any(name in entry for name in (*_ENDS, *_LENGTHS))
        and any(name in entry for name in _TEXTS)
    )


def in_seconds(value: object, per_second: float = 1.0) -> Any:
    """Return a time in seconds from any of the ways it is written; what can't be read is returned as it is."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value / per_second if abs(value) < 1e18 else value
    if isinstance(value, dict) and ("seconds" in value or "nanos" in value):
        try:
            return float(value.get("seconds") or 0) + float(value.get("nanos") or 0) / 1e9
        except (TypeError, ValueError, OverflowError):
            return None
    if not isinstance(value, str) or len(value) > 40:
        return value
    text = value.strip()
    if found := _SUFFIXED.fullmatch(text):
        return float(found[1]) / (1e3 if found[2] == "ms" else 1.0)
    if (found := _ISO.fullmatch(text)) and any(found.groups()):
        hours, minutes, seconds = found.groups()
        return float(hours or 0) * 3600 + float(minutes or 0) * 60 + float(seconds or 0)
    if ":" in text:
        clock = seconds_of_clock(text)
        return value if clock is None else clock
    try:
        return float(text) / per_second
    except ValueError:
        return value


def span(entry: Mapping[str, Any], per_second: float = 1.0) -> dict[str, Any]:
    """Return an entry as `start`, `end`, `text` and `confidence`, with times in seconds; what it lacks is missing.

    Args:
        entry: A segment or a word.
        per_second: Units per second of times whose name states none.
    """
    found: dict[str, Any] = {}
    start, end = _time(entry, _STARTS, per_second), _time(entry, _ENDS, per_second)
    if end is None and _is_number(start):
        length = _time(entry, _LENGTHS, per_second)
        end = start + length if _is_number(length) else None
    text = next((entry[name] for name in _TEXTS if isinstance(entry.get(name), str | list)), None)
    if isinstance(text, list):
        text = "\n".join(part for part in text if isinstance(part, str))
    confidence = next((entry[name] for name in _CONFIDENCE if name in entry), None)
    for name, value in (("start", start), ("end", end), ("text", text), ("confidence", confidence)):
        if value is not None:
            found[name] = value
    return found


def spans(entries: object, per_second: float = 1.0) -> list[Any]:
    """Return the entries of a list as `span`; anything else in it stays, to be refused by its place.

    An end that is missing is the next start, or as late as so many words take.
    """
    listed = entries if isinstance(entries, list) else []
    found = [span(entry, per_second) if isinstance(entry, dict) else entry for entry in listed]
    following: float | None = None
    for entry in reversed(found):
        if not isinstance(entry, dict) or not _is_number(start := entry.get("start")):
            continue
        if "end" not in entry:
            end = start + _WORD_S * max(1, len(str(entry.get("text", "")).split()))
            entry["end"] = min(end, following) if following is not None and following > start else end
        following = start
    return found


def with_marks(entries: Sequence[Any], is_mark: Callable[[Any], bool]) -> list[Any]:
    """Return words with the punctuation that stands in entries of its own; those stay, without a text.

    Args:
        entries: As from `spans`.
        is_mark: Whether the entry at an index is punctuation.
    """
    done: list[Any] = []
    before: dict[str, Any] | None = None
    for index, entry in enumerate(entries):
        if isinstance(entry, dict) and is_mark(index):
            if before is not None:
                before["text"] = f"{before.get('text', '')}{entry.get('text', '')}".rstrip()
            done.append(entry | {"text": ""})
            continue
        done.append(entry)
        before = entry if isinstance(entry, dict) else before
    return done


def take_spans(reading: Reading, entries: object, path: str, per_second: float = 1.0) -> None:
    """Add segments of any spelling: the words of each where it has some, else its text.

    Args:
        reading: The reading to add to.
        entries: The list; anything else counts as empty.
        path: Its path in the document.
        per_second: Units per second of times whose name states none.
    """
    reading.per_second = per_second
    read = spans(entries, per_second)
    for index, (raw, entry) in enumerate(zip(entries if isinstance(entries, list) else [], read, strict=True)):
        where = f"{path}[{index}]"
        words = raw.get("words") if isinstance(raw, dict) else None
        if isinstance(words, list) and any(isinstance(word, dict) for word in words):
            bounds = (_number(entry.get("start")), _number(entry.get("end")))
            take_words(reading, spans(words, per_second), f"{where}.words", bounds)
        elif isinstance(entry, dict):
            take_text(reading, entry, where, 1.0)
        else:
            reading.refused.append(Refused(where, "not an object", shown(raw)))


def lists_in(document: object) -> Iterator[tuple[str, list[Any]]]:
    """Yield the lists of a document, each with its path: itself, and those of objects in objects, outer ones first."""
    if isinstance(document, list):
        yield "", document
    level: list[tuple[str, Any]] = [("", document)]
    for _ in range(_DEEPEST):
        inner = [
            (f"{path}.{name}" if path else name, value)
            for path, holder in level
            if isinstance(holder, dict)
            for name, value in holder.items()
        ]
        yield from ((path, value) for path, value in inner if isinstance(value, list))
        level = inner


def _time(entry: Mapping[str, Any], names: Mapping[str, float | None], per_second: float) -> Any:
    for name, stated in names.items():
        if entry.get(name) is not None:
            return in_seconds(entry[name], stated or per_second)
    return None


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: object) -> float | None:
    return float(value) if _is_number(value) else None
