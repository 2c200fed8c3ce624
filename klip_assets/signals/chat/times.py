"""When a chat message was sent, as logs give it: an offset into the video, or a time of day."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from enum import Enum
from typing import NamedTuple

import numpy as np

from klip_assets.formats.refused import RowRefused
from klip_assets.formats.text import valid_unicode

#: No stream is longer; a larger number is a date, not an offset into a video.
LONGEST_S = 1_000_000.0
#: Klip accepts no recording longer than this (`Settings.max_duration_h`): larger numbers count milliseconds.
LONGEST_RECORDING_S = 360_000.0
DAY_S = 86_400.0

#: Share of a video that a chat in milliseconds spans at least, and messages per second of the fastest chats.
LEAST_SPREAD, DENSEST_PER_S = 0.1, 20

#: Times of day range from 2001 to 2103. So seconds, milliseconds, microseconds and nanoseconds since 1970 can't be
#: confused with each other, nor with an offset into a video.
_FIRST_DAY_S, _LAST_DAY_S = 1.0e9, 4.2e9
_DAY_UNITS = (1.0, 1e-3, 1e-6, 1e-9)

#: No time is written with more characters; a longer text is refused before any pattern sees it.
_LONGEST_CHARS = 99

_NUMBER = re.compile(r"[-+]?\d{1,19}(?:[.,]\d{0,99})?(?: ?(?:s|sec))?", re.ASCII)
_CLOCK = re.compile(r"([-+−]?)(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2}(?:[.,]\d{1,99})?)")
_UNITS = re.compile(r"([-+−]?)(?:(\d{1,6})h)?\s{0,9}(?:(\d{1,6})m)?\s{0,9}(?:(\d{1,9}(?:\.\d{1,99})?)s)?")
_OF_DAY = re.compile(r"(\d\d?):[0-5]\d(:[0-5]\d(?:[.,]\d{1,99})?)?", re.ASCII)
_ZONE = r"(Z|UTC|GMT|[-+]\d\d(?::?\d\d)?)"
_ISO = re.compile(rf"(\d{{4}}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{{1,9}})?)?)\s{{0,9}}{_ZONE}?", re.ASCII)
#: A time of day on a 12-hour clock; the blank before AM may be any, such as the narrow one that browsers write.
_TWELVE = re.compile(
    r"(?:(\d{4}-\d\d-\d\d)[T ,]\s{0,9})?(\d{1,2})(?::(\d\d))?(?::(\d\d(?:[.,]\d{1,9})?))?\s{0,9}([ap])\.?\s?m\.?", re.I
)
#: A time of day that says so by its zone.
_ZONED = re.compile(rf"(\d\d):(\d\d)(?::(\d\d(?:[.,]\d{{1,9}})?))?\s{{0,9}}{_ZONE}", re.ASCII)


class Kind(Enum):
    """What a time is counted from."""

    #: Seconds from the start of the video.
    OFFSET = "offset"
    #: The same, but only the whole log shows whether in seconds or milliseconds.
    NUMBER = "number"
    #: The same, counted from when the log began to be written, which need not be when the video began.
    LIVE = "since the log began"
    #: Seconds from the start of the video, written as hh:mm:ss: only the whole log shows whether it is a time of day.
    CLOCK = "clock"
    #: The same, written as 18:05: minutes and seconds or, of the day, hours and minutes.
    SHORT_CLOCK = "clock without seconds"
    #: Seconds since midnight UTC of an unknown day.
    OF_DAY = "time of day without a date"
    #: Seconds since 1970-01-01 UTC.
    DAY = "time of day"


class Time(NamedTuple):
    """When a message was sent."""

    value: float
    kind: Kind


def time_of(value: object, unit: float | None = None) -> Time:
    """Parse a time: a number, h:mm:ss, m:ss or 1h2m3s from the start, a 12-hour clock, ISO 8601, or a Unix time.

    A time before the start is negative. A time of day without a zone is UTC.

    Args:
        value: The value in the log.
        unit: Unit of a number in seconds, None where neither name nor format gives it.

    Raises:
        RowRefused: It is none of these.
    """
    if isinstance(value, str):
        text = value.strip().strip("[]()").strip()
        if len(text) > _LONGEST_CHARS:
            raise RowRefused("time not understood", _shown(value))
        if _NUMBER.fullmatch(text):
            # "12.5s" includes its unit.
            unit = 1.0 if text[-1] in "sc" else unit
            return _of_number(float(text.rstrip("sec ").replace(",", ".")), unit, value)
        seconds = _seconds_of_clock(text)
        if seconds is not None:
            found = _of_number(seconds, 1.0, value)
            return found._replace(kind=_kind_of_clock(text))
        seconds = _seconds_since_midnight(text)
        if seconds is not None:
            return Time(seconds, Kind.OF_DAY)
        seconds = _seconds_of_day(text)
        if seconds is not None and _FIRST_DAY_S <= seconds <= _LAST_DAY_S:
            return Time(seconds, Kind.DAY)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # An integer in JSON may be larger than any float.
        return _of_number(math.inf if abs(value) > 1e300 else float(value), unit, value)
    raise RowRefused("no time" if value in (None, "") else "time not understood", _shown(value))


def time_of_day(value: object) -> Time:
    """Parse a time of day: ISO 8601, a Unix time, or a clock.

    Raises:
        RowRefused: It is not one.
    """
    found = time_of(value)
    if found.kind is Kind.CLOCK:
        return found._replace(kind=Kind.OF_DAY)
    if found.kind is Kind.SHORT_CLOCK:
        return Time(found.value * 60, Kind.OF_DAY)
    if found.kind not in (Kind.DAY, Kind.OF_DAY):
        raise RowRefused("not a time of day", _shown(value))
    return found


def unix_s(value: object) -> float | None:
    """Return a time of day with its date in seconds since 1970, None if the value is not one."""
    try:
        found = time_of(value)
    except RowRefused:
        return None
    return found.value if found.kind is Kind.DAY else None


def seconds_at(moment: datetime) -> float:
    """Return a moment in seconds since 1970; without a zone, UTC is assumed."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def are_milliseconds(numbers: np.ndarray, duration_s: float | None) -> bool:
    """Return whether the times of one log, numbers without a unit, are milliseconds.

    They are if they are whole and most of them lie beyond the longest recording. That would miss short videos: there
    they are milliseconds if as seconds hardly any lies inside (and none in the first 1,000 s, where a chat in
    seconds begins), and as milliseconds all do, over a good part of the video and no denser than a chat is. A tenth of
    the numbers may be outliers.

    Args:
        numbers: The times.
        duration_s: Length of the recording, None if unknown.
    """
    if not len(numbers) or bool(np.any(numbers % 1)):
        return False
    late = float(np.quantile(numbers, 0.9))
    if late > LONGEST_RECORDING_S:
        return True
    if not duration_s:
        return False
    inside = int(np.count_nonzero((numbers >= 0) & (numbers < duration_s)))
    if inside and (inside > len(numbers) / 10 or float(np.min(numbers)) < 1000):
        return False
    spread_s = (late - float(np.quantile(numbers, 0.1))) / 1000
    if late / 1000 > duration_s or len(numbers) > DENSEST_PER_S * max(spread_s, 1.0):
        return False
    # A chat of another part of a stream, in seconds, would be squeezed into a moment.
    return spread_s >= (LEAST_SPREAD if not inside else 0.01) * duration_s


def _kind_of_clock(text: str) -> Kind:
    hours = _OF_DAY.fullmatch(text)
    if hours is None or int(hours[1]) > 23:
        return Kind.OFFSET
    if hours[2]:
        return Kind.CLOCK
    return Kind.SHORT_CLOCK if len(hours[1]) == 2 else Kind.OFFSET  # "5:03" is no time of day.


def _of_number(number: float, unit: float | None, given: object) -> Time:
    if unit is None:
        if abs(number) < _FIRST_DAY_S:
            return Time(number, Kind.NUMBER)
        units: tuple[float, ...] = _DAY_UNITS
    else:
        if abs(number * unit) <= LONGEST_S:
            return Time(number * unit, Kind.OFFSET)
        units = (unit,)
    for day_unit in units:
        if _FIRST_DAY_S <= number * day_unit <= _LAST_DAY_S:
            return Time(number * day_unit, Kind.DAY)
    if math.isnan(number):
        raise RowRefused("time not understood", _shown(given))
    raise RowRefused("the time is not a position in a video", _shown(given))


def _seconds_of_clock(text: str) -> float | None:
    found = _CLOCK.fullmatch(text) or _UNITS.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        return None
    sign, hours, minutes, seconds = found.groups()
    total = int(hours or 0) * 3600 + int(minutes or 0) * 60 + float((seconds or "0").replace(",", "."))
    return -total if sign in ("-", "−") else total


def _seconds_since_midnight(text: str) -> float | None:
    """Return a time of day without a date: on a 12-hour clock, or with a zone."""
    if (found := _TWELVE.fullmatch(text)) and not found[1]:
        return _of_twelve(found)
    if (zoned := _ZONED.fullmatch(text)) and int(zoned[1]) < 24:
        seconds = int(zoned[1]) * 3600 + int(zoned[2]) * 60 + float((zoned[3] or "0").replace(",", "."))
        moment = _timestamp("1970-01-02", "00:00", zoned[4])
        return None if moment is None else (seconds + moment) % DAY_S
    return None


def _of_twelve(found: re.Match[str]) -> float | None:
    hours, minutes, seconds = int(found[2]), int(found[3] or 0), float((found[4] or "0").replace(",", "."))
    if not 1 <= hours <= 12 or minutes > 59 or seconds >= 61:
        return None
    return (hours % 12 + (12 if found[5] in "pP" else 0)) * 3600 + minutes * 60 + seconds


def _seconds_of_day(text: str) -> float | None:
    if twelve := _TWELVE.fullmatch(text):
        midnight, clock = _timestamp(twelve[1], "00:00", None), _of_twelve(twelve)
        return None if midnight is None or clock is None else midnight + clock
    found = _ISO.fullmatch(text)
    return None if found is None else _timestamp(*found.groups())


def _timestamp(day: str, clock: str, zone: str | None) -> float | None:
    zone = "+00:00" if zone in (None, "Z", "UTC", "GMT") else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock}{zone}").timestamp()
    except (ValueError, OverflowError):
        return None


def _shown(value: object) -> str:
    text = (
        valid_unicode(value)
        if isinstance(value, str)
        else repr(value)
        if isinstance(value, float)
        else type(value).__name__
    )
    return " ".join(text.split())[:60]
