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
#: A chat begins some time before the stream and may continue after it.
BEFORE_AND_AFTER_S = 3600.0

#: Times of day range from 2001 to 2103. So seconds, milliseconds, microseconds and nanoseconds since 1970 can't be
#: confused with each other, nor with an offset into a video.
_FIRST_DAY_S, _LAST_DAY_S = 1.0e9, 4.2e9
_DAY_UNITS = (1.0, 1e-3, 1e-6, 1e-9)

#: No time is written with more characters; a longer text is refused before any pattern sees it.
_LONGEST_CHARS = 99

_NUMBER = re.compile(r"[-+]?\d{1,19}(?:[.,]\d{0,99})?(?:s|sec)?", re.ASCII)
_CLOCK = re.compile(r"([-+−]?)(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2}(?:[.,]\d{1,99})?)")
_UNITS = re.compile(r"([-+−]?)(?:(\d{1,6})h)?\s{0,9}(?:(\d{1,6})m)?\s{0,9}(?:(\d{1,9}(?:\.\d{1,99})?)s)?")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)\s{0,9}(Z|UTC|GMT|[-+]\d\d(?::?\d\d)?)?", re.ASCII
)


class Kind(Enum):
    """What a time is counted from."""

    #: Seconds from the start of the video.
    OFFSET = "offset"
    #: The same, but only the whole log shows whether in seconds or milliseconds.
    NUMBER = "number"
    #: Seconds since 1970-01-01 UTC.
    DAY = "time of day"


class Time(NamedTuple):
    """When a message was sent."""

    value: float
    kind: Kind


def time_of(value: object, unit: float | None = None) -> Time:
    """Parse a time: a number, h:mm:ss, m:ss or 1h2m3s from the start, ISO 8601, or a Unix time.

    A time before the start is negative. ISO 8601 without a zone is UTC.

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
            return _of_number(float(text.rstrip("sec").replace(",", ".")), unit, value)
        seconds = _seconds_of_clock(text)
        if seconds is not None:
            return _of_number(seconds, 1.0, value)
        seconds = _seconds_of_day(text)
        if seconds is not None and _FIRST_DAY_S <= seconds <= _LAST_DAY_S:
            return Time(seconds, Kind.DAY)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # An integer in JSON may be larger than any float.
        return _of_number(math.inf if abs(value) > 1e300 else float(value), unit, value)
    raise RowRefused("no time" if value in (None, "") else "time not understood", _shown(value))


def time_of_day(value: object) -> Time:
    """Parse a time of day: ISO 8601 or a Unix time.

    Raises:
        RowRefused: It is not one.
    """
    found = time_of(value)
    if found.kind is not Kind.DAY:
        raise RowRefused("not a time of day", _shown(value))
    return found


def seconds_at(moment: datetime) -> float:
    """Return a moment in seconds since 1970; without a zone, UTC is assumed."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def are_milliseconds(numbers: np.ndarray, duration_s: float | None) -> bool:
    """Return whether the times of one log, numbers without a unit, are milliseconds.

    They are if they are whole and most of them lie beyond the longest recording. That would miss short videos: there
    they are milliseconds if they lie past its end as seconds, and as milliseconds span at least half of it. A tenth
    of the numbers may be outliers.

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
    return late > duration_s + BEFORE_AND_AFTER_S and late / 1000 > duration_s / 2


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


def _seconds_of_day(text: str) -> float | None:
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    day, clock, zone = found.groups()
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
