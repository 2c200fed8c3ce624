"""Where the messages of a log lie in a recording: each clock that the files allow is tried, the most certain first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np

from klip_assets.errors import OtherClockError
from klip_assets.formats.refused import Refused
from klip_assets.media.sidecar_clock import (
    AFTER_THE_END,
    BEFORE_THE_START,
    MOST,
    OUTSIDE,
    Place,
    rest_of_the_stream,
)
from klip_assets.signals.chat.readers.log import Times
from klip_assets.signals.chat.times import DAY_S, LONGEST_S, Kind, are_milliseconds

#: How messages were placed, in words for the notes of the table.
AS_WRITTEN, BY_SECTION, BY_CROP, BY_DAY = "as written", "section of the stream", "part of the stream", "times of day"

#: Share of messages that make almost all of them.
ALMOST_ALL = 0.9
#: How long before the part that it states a log may begin.
CROP_SLACK_S = 2.0

_NEEDS_A_START = "if they are times of day, the start of the video is needed (.info.json, or klip add --started-at)"


class Crop(NamedTuple):
    """The part of a stream that a log was downloaded for; without an end if the log does not state it."""

    start_s: float
    end_s: float | None


@dataclass(frozen=True)
class Placed:
    """Where all messages of a log lie.

    Attributes:
        offset_s: Seconds from the start of the recording, in the order of the log.
        way: How they were placed.
        shift_s: Where the recording begins in the stream whose clock the log has, if it was subtracted.
        inside: How many lie inside the recording; all of them where its length is unknown.
        refused: How many lie outside, where, in an entry each.
        goes_on_s: How long after the end the last of them was sent; 0 if they belong to the rest of the stream.
        are_milliseconds: Whether numbers without a unit were taken for milliseconds.
        is_elsewhere: Whether none of the clocks that the files allow puts any into the recording.
    """

    offset_s: np.ndarray
    way: str = AS_WRITTEN
    shift_s: float = 0.0
    inside: int = 0
    refused: tuple[Refused, ...] = field(default=())
    goes_on_s: float = 0.0
    are_milliseconds: bool = False
    is_elsewhere: bool = False


def crop_of(beside: Mapping[str, object]) -> Crop | None:
    """Return the crop that TwitchDownloader states beside the comments, None if it states none.

    Its comments count from the start of the stream all the same.

    Args:
        beside: The entries of the document besides its comments.
    """
    video = beside.get("video")
    if not isinstance(video, dict):
        return None
    start, end = _seconds(video.get("start")), _seconds(video.get("end"))
    if not start or (video.get("end") is not None and start >= end):
        return None
    return Crop(start, end or None)


def place_messages(
    times: Times, place: Place, name: str, *, started_at: datetime | None, of_stream: bool, crop: Crop | None
) -> Placed:
    """Place messages on the clock of the recording. Chats that begin before it or go on after it are usual.

    Among the ways that the files allow, the first is taken that puts most messages into the recording (or any, where
    they state which part of a stream it is), else the one that puts the most there. Times of day come first where they
    do clearly better.

    Args:
        times: When they were sent, by the log.
        place: Where the recording lies.
        name: The file, for messages to people.
        started_at: When the video began, None if unknown.
        of_stream: Whether their times certainly count from the start of the stream.
        crop: The part of the stream that the log was downloaded for, if it says so.

    Raises:
        OtherClockError: Nothing says which part of the stream the recording is.
    """
    if not len(times.value):
        return Placed(times.value)
    in_seconds = _in_seconds(times, place)
    written = _by_midnight(in_seconds, times.are(Kind.OF_DAY), place, started_at)
    if place.end_s is None:
        shift = place.section_s if of_stream else 0.0
        return Placed(_moved(written, shift), shift_s=shift, inside=len(written))
    chosen, most = None, 0
    for way in _ways(written, times, place, name, started_at, of_stream=of_stream, crop=crop):
        inside, before = _inside(way.offset_s, place), int(np.count_nonzero(way.offset_s < 0))
        # What was said while waiting for the stream tells nothing about the clock.
        counted = len(written) - (before if inside else 0)
        if inside and (way.is_stated or inside >= MOST * counted):
            chosen = way
            break
        if inside > most:
            chosen, most = way, inside
    if chosen is None:
        return _elsewhere(written, times, place, started_at)
    return replace(_placed(chosen, place), are_milliseconds=in_seconds is not times.value)


class _Way(NamedTuple):
    name: str
    offset_s: np.ndarray
    shift_s: float = 0.0
    is_stated: bool = False


def _ways(
    written: np.ndarray,
    times: Times,
    place: Place,
    name: str,
    started_at: datetime | None,
    *,
    of_stream: bool,
    crop: Crop | None,
) -> Iterator[_Way]:
    as_written = _Way(AS_WRITTEN, written)
    by_clock = _by_clock(written, times, place, started_at)
    if by_clock and _is_of_day(written, by_clock.offset_s, times, place):
        yield by_clock
    by_day = _by_day(written, times, place)
    if by_day and _is_sent_then(written, by_day.offset_s, times, place):
        yield by_day
    if place.section_s:
        by_section = _Way(BY_SECTION, _moved(written, place.section_s), place.section_s, is_stated=True)
        if of_stream:
            yield by_section
        else:
            is_cut = _inside(written, place) >= MOST * len(written)
            yield from (as_written, by_section) if is_cut else (by_section, as_written)
    elif crop is not None:
        yield from _by_crop(as_written, crop, place, name)
    else:
        yield as_written
    yield from (way for way in (by_clock, by_day) if way)


def _by_clock(written: np.ndarray, times: Times, place: Place, started_at: datetime | None) -> _Way | None:
    """Return the way in which hh:mm:ss or hh:mm are times of day; None if some times of the log are none."""
    is_short = times.are(Kind.SHORT_CLOCK)
    if started_at is None or not (times.are(Kind.CLOCK).all() or is_short.all()):
        return None
    clock = written * 60 if is_short.any() else written
    offset_s = _moved(_by_midnight(clock, np.ones(len(clock), dtype=bool), place, started_at), place.section_s)
    if is_short.any():  # Within the minute in which the video began.
        offset_s = np.where((offset_s > -60) & (offset_s < 0), 0.0, offset_s)
    return _Way(BY_DAY, offset_s)


def _is_of_day(written: np.ndarray, by_clock: np.ndarray, times: Times, place: Place) -> bool:
    """Return whether clocks that may be places in the video are times of day all the same."""
    inside, inside_by_clock, count = _inside(written, place), _inside(by_clock, place), len(written)
    if times.are(Kind.SHORT_CLOCK).any():
        return count > 1 and inside_by_clock == count
    # Places in a video do not go back by half a day.
    is_over_midnight = bool(np.any(np.diff(written) < -DAY_S / 2))
    if is_over_midnight and inside < count:
        return inside_by_clock > 0
    return inside_by_clock > inside and float(np.min(by_clock)) >= 0


def _by_day(written: np.ndarray, times: Times, place: Place) -> _Way | None:
    """Return the way in which messages lie where their date and time put them, None if no message has both."""
    if np.isnan(times.sent_s).all():
        return None
    # Where a message does not say when it was sent, its distance from the others does.
    ahead = float(np.nanmedian(written - times.sent_s))
    sent = np.where(np.isnan(times.sent_s), written - ahead, times.sent_s)
    return _Way(BY_DAY, _moved(sent, place.section_s))


def _is_sent_then(written: np.ndarray, by_day: np.ndarray, times: Times, place: Place) -> bool:
    """Return whether the times at which messages were sent are better than places in the video that would do."""
    inside, inside_by_day, count = _inside(written, place), _inside(by_day, place), len(written)
    if times.are(Kind.LIVE).any():
        return inside_by_day >= max(inside, 1)
    return inside_by_day - inside > (1 - ALMOST_ALL) * count


def _by_crop(as_written: _Way, crop: Crop, place: Place, name: str) -> Iterator[_Way]:
    end_s = place.end_s or 0.0
    by_crop = _Way(BY_CROP, _moved(as_written.offset_s, crop.start_s), crop.start_s, is_stated=True)
    if crop.end_s is None:
        yield from (as_written, by_crop)
        return
    from_cropped = abs(end_s - (crop.end_s - crop.start_s))
    from_whole = max(0.0, crop.end_s - end_s)
    fit = [bool(_inside(way.offset_s, place)) for way in (as_written, by_crop)]
    if fit[0] and float(np.min(as_written.offset_s)) < crop.start_s - CROP_SLACK_S:
        yield as_written  # A part has no messages from before it: these count from its start already.
        return
    if all(fit) and min(from_cropped, from_whole) > place.tolerance_s:
        raise OtherClockError(
            f"{name}: it is the chat from {crop.start_s:.1f} to {crop.end_s:.1f} s of a stream, and the recording, "
            f"{end_s:.1f} s long, is neither this part nor the whole stream",
            hint="an .info.json with section_start says where in the stream the recording begins",
        )
    yield from (by_crop, as_written) if from_cropped < from_whole else (as_written, by_crop)


def _in_seconds(times: Times, place: Place) -> np.ndarray:
    """Return the times with numbers in seconds; only all of them together show whether they are milliseconds."""
    are_numbers = times.are(Kind.NUMBER)
    until_s = place.end_s and place.section_s + place.end_s
    if are_milliseconds(times.value[are_numbers], until_s):
        return np.where(are_numbers, times.value / 1000, times.value)
    return times.value


def _by_midnight(written: np.ndarray, are_of_day: np.ndarray, place: Place, started_at: datetime | None) -> np.ndarray:
    """Return the times with those since midnight, which are in the order they were sent, from the start of the video.

    A step back of more than half a day is a midnight. The first one is less than half a day from the start, or on
    another day if that puts more into the recording.
    """
    if started_at is None or not are_of_day.any():
        return written
    begun = started_at if started_at.tzinfo else started_at.replace(tzinfo=UTC)
    midnight = begun.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    clock = written[are_of_day]
    steps = np.diff(clock, prepend=clock[0])
    days = np.cumsum((steps < -DAY_S / 2).astype(int) - (steps > DAY_S / 2).astype(int))
    since = clock + DAY_S * days - (begun - midnight).total_seconds()
    nearest = -round(float(since[0]) / DAY_S)
    day = max(
        (nearest, nearest + 1, nearest - 1), key=lambda day: _inside(since + DAY_S * day - place.section_s, place)
    )
    found = written.copy()
    found[are_of_day] = np.round(since + DAY_S * day, 6)
    return found


def _inside(offset_s: np.ndarray, place: Place) -> int:
    if place.end_s is None:
        return 0
    # They often end a little after the video.
    return int(np.count_nonzero((offset_s >= 0) & (offset_s < place.end_s + place.tolerance_s)))


def _moved(offset_s: np.ndarray, shift_s: float) -> np.ndarray:
    return np.round(offset_s - shift_s, 6) if shift_s else offset_s


def _placed(way: _Way, place: Place) -> Placed:
    offset_s, end_s, count = way.offset_s, place.end_s or 0.0, len(way.offset_s)
    before, after = int(np.count_nonzero(offset_s < 0)), int(np.count_nonzero(offset_s >= end_s))
    inside = count - before - after
    if way.is_stated:
        rest = (
            (rest_of_the_stream(f"{_messages(count - inside, count)}", way.shift_s, place),) if inside < count else ()
        )
        return Placed(offset_s, way.name, way.shift_s, inside, rest)
    refused, last_s = [], float(np.max(offset_s))
    if before:
        text = f"{_messages(before, count)}, the first at {np.min(offset_s):.1f} s"
        refused.append(Refused("before the start", BEFORE_THE_START, text))
    if after:
        text = f"{_messages(after, count)}, the last at {last_s:.1f} s; it ends at {end_s:.1f} s"
        refused.append(Refused("after the end", AFTER_THE_END, text))
    return Placed(offset_s, way.name, 0.0, inside, tuple(refused), max(0.0, last_s - end_s) if after else 0.0)


def _elsewhere(written: np.ndarray, times: Times, place: Place, started_at: datetime | None) -> Placed:
    count = len(written)
    what = "its only message does not fall" if count == 1 else f"not one of {count:,} messages falls"
    where = f"{np.min(written):.1f} s" if count == 1 else f"{np.min(written):.1f} to {np.max(written):.1f} s"
    text = f"{what} into the video: sent at {where}, it ends at {place.end_s:.1f} s"
    if started_at is None and bool((times.are(Kind.CLOCK) | times.are(Kind.SHORT_CLOCK)).any()):
        text += f"; {_NEEDS_A_START}"
    elif times.are(Kind.DAY).any() or times.are(Kind.OF_DAY).any():
        text += "; is it the chat of another video, or is the start time in .info.json wrong?"
    return Placed(written, refused=(Refused("file", OUTSIDE, text),), is_elsewhere=True)


def _messages(count: int, total: int) -> str:
    return f"{count:,} of {total:,} message{'' if total == 1 else 's'}"


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_S:
        return 0.0
    return float(value)
