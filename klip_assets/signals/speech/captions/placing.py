"""Where captions lie in a recording: cut at its end, moved to its clock, or not used since they are of another one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from klip_assets.formats.refused import Refused
from klip_assets.media.sidecar_clock import AFTER_THE_END, Place, check_inside, rest_of_the_stream
from klip_assets.signals.speech.captions.caption_format import Cues, Reading
from klip_assets.signals.speech.captions.sounds import SoundEvent
from klip_assets.signals.speech.words import Word

REACHES_OVER = "reaches over the end of the recording"

Timed = TypeVar("Timed", Word, SoundEvent)


def placed_cues(found: Cues, place: Place, name: str) -> Cues:
    """Return the cues inside a recording; those outside are refused with their line.

    Of the captions of a whole stream, those outside the section are refused as one.

    Args:
        found: Cues and what was refused of the file already.
        place: Where the recording lies.
        name: The file, for messages.

    Raises:
        OtherClockError: Most of them lie outside.
    """
    cues, refused = found
    if place.end_s is None or not cues:
        return found
    end_s, shift = place.end_s, place.shift_s(max(cue.end_s for cue in cues))
    inside = []
    for cue in cues:
        cue = replace(cue, start_s=cue.start_s - shift, end_s=cue.end_s - shift)
        times = f"{cue.start_s:.1f} to {cue.end_s:.1f} s"
        if shift and (cue.start_s >= end_s or cue.end_s <= 0):
            continue
        if cue.start_s >= end_s:
            refused.append(Refused(cue.place, AFTER_THE_END, f"{times}; it ends at {end_s:.1f} s"))
        else:
            if cue.end_s > end_s + place.tolerance_s and not shift:
                refused.append(Refused(cue.place, REACHES_OVER, f"{times}; cut at {end_s:.1f} s"))
            inside.append(replace(cue, start_s=max(0.0, cue.start_s), end_s=_cut(cue.start_s, cue.end_s, end_s)))
    _check(len(inside), len(cues), cues[0].start_s - shift, shift, place, name)
    if shift and len(inside) < len(cues):
        refused.append(rest_of_the_stream(f"{len(cues) - len(inside):,} cues", shift, place))
    return inside, refused


def placed_words(reading: Reading, place: Place, name: str) -> Reading:
    """Return the words and sounds inside a recording, as `placed_cues`; the number of those outside is refused.

    Raises:
        OtherClockError: Most of them lie outside.
    """
    heard = reading.heard
    if place.end_s is None or not (heard.words or heard.sounds):
        return reading
    everything: list[Word | SoundEvent] = [*heard.words, *heard.sounds]
    shift = place.shift_s(max(entry.end_s for entry in everything))
    heard.words = _moved(heard.words, shift, place.end_s)
    heard.sounds = _moved(heard.sounds, shift, place.end_s)
    inside = len(heard.words) + len(heard.sounds)
    _check(inside, len(everything), everything[0].start_s - shift, shift, place, name)
    if shift and inside < len(everything):
        reading.refused.append(rest_of_the_stream(f"{len(everything) - inside:,} words or tags", shift, place))
    elif outside := len(everything) - inside:
        text = f"{outside:,} words or tags; it ends at {place.end_s:.1f} s"
        reading.refused.append(Refused("words", AFTER_THE_END, text))
    return reading


def _moved(entries: Sequence[Timed], shift: float, end_s: float) -> list[Timed]:
    moved = [replace(entry, start_s=entry.start_s - shift, end_s=entry.end_s - shift) for entry in entries]
    return [
        replace(entry, start_s=max(0.0, entry.start_s), end_s=_cut(entry.start_s, entry.end_s, end_s))
        for entry in moved
        if entry.start_s < end_s and not (shift and entry.end_s <= 0)
    ]


def _cut(start_s: float, end_s: float, limit_s: float) -> float:
    # A cue that ends before it starts stays as it is: the reader names it.
    return end_s if end_s < start_s else min(end_s, limit_s)


def _check(inside: int, count: int, first_s: float, shift_s: float, place: Place, name: str) -> None:
    check_inside(inside, count, "captions", first_s=first_s, shift_s=shift_s, place=place, name=name)


def outside(refused: Sequence[Refused]) -> int:
    """Return how many of the refused entries lie outside the recording."""
    return sum(1 for entry in refused if entry.reason in (AFTER_THE_END, REACHES_OVER))
