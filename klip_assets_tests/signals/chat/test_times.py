from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.formats.refused import RowRefused
from klip_assets.signals.chat.times import Kind, Time, are_milliseconds, seconds_at, time_of, time_of_day
from klip_assets.signals.chat.values import columns_of

NOON = datetime(2025, 3, 18, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("0:01", 1.0), ("1:02:03", 3723.0), ("61:01.5", 3661.5), ("-3:51", -231.0), ("−0:02", -2.0), ("[00:01,5]", 1.5),
        ("1h2m3s", 3723.0), ("2m", 120.0), ("12.5s", 12.5), ("90s", 90.0),
    ],
)  # fmt: skip
def test_a_clock_is_a_place_in_the_video_whatever_its_column_counts_in(given: str, seconds: float) -> None:
    # With hours, only the whole log shows that it is not a time of day.
    kind = Kind.CLOCK if given == "1:02:03" else Kind.OFFSET
    assert time_of(given) == time_of(given, 1e-3) == Time(seconds, kind)


@pytest.mark.parametrize("given", [1500, 1500.0, "1500", " 1500 ", "1500,0"])
def test_a_number_counts_in_the_unit_of_its_name_or_waits_for_the_whole_log(given: object) -> None:
    assert time_of(given) == Time(1500.0, Kind.NUMBER)
    assert time_of(given, 1.0) == Time(1500.0, Kind.OFFSET)
    assert time_of(given, 1e-3) == Time(1.5, Kind.OFFSET)


@pytest.mark.parametrize(
    "given",
    [
        "2025-03-18T12:00:00Z", "2025-03-18 12:00:00", "2025-03-18 12:00", "2025-03-18T12:00:00.000000", NOON,
        "2025-03-18T20:00:00.000+08:00", "2025-03-18 07:00:00 -0500", "2025-03-18 12:00:00 UTC", str(int(NOON)),
        int(NOON * 1000), f"{NOON * 1e6:.0f}", int(NOON) * 10**9,
    ],
)  # fmt: skip
def test_a_time_of_day_is_understood_in_every_form_and_without_a_zone_in_utc(given: object) -> None:
    found = time_of(given)
    assert found.kind is Kind.DAY and found.value == pytest.approx(NOON, abs=1e-5)
    assert time_of_day(given) == found


@given(
    st.datetimes(datetime(2001, 9, 10), datetime(2102, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from([1, 10**3, 10**6]),
)
def test_a_time_of_day_comes_back_from_iso_8601_and_from_unix_time(at: datetime, zone: int, unit: int) -> None:
    aware = at.replace(tzinfo=timezone(timedelta(minutes=zone)))
    assert time_of(aware.isoformat()).value == pytest.approx(aware.timestamp(), abs=1e-6)
    unix = int(at.replace(tzinfo=UTC).timestamp() * unit)
    assert time_of(unix) == time_of(str(unix))
    assert time_of(unix).value == pytest.approx(seconds_at(at), abs=1.001 / unit)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "no time"), ("", "no time"), ("soon", "not understood"), ([], "not understood"),
        (True, "not understood"),
        (float("nan"), "not understood"), ("nan", "not understood"), ("inf", "not understood"),
        (float("inf"), "not a position in a video"), (10**400, "not a position in a video"),
        (5e9, "not a position in a video"),
        ("2025-03-18", "not understood"), ("2025-13-18T12:00:00Z", "not understood"), ("２５", "not understood"),
        ("1970-01-01T00:00:00Z", "not understood"), ("2025-W12-1T12:00", "not understood"),
    ],
)  # fmt: skip
def test_what_is_not_a_time_is_refused_with_the_reason(given: object, reason: str) -> None:
    with pytest.raises(RowRefused) as refusal:
        time_of(given)
    assert reason in refusal.value.reason


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("6:00:05 PM", 64_805.0), ("06:00:05pm", 64_805.0), ("6:00 p.m.", 64_800.0), ("12:00:01 AM", 1.0),
        ("12:30 PM", 45_000.0), ("6:00:05\u202fPM", 64_805.0), ("6 pm", 64_800.0), ("[6:00:05.5 PM]", 64_805.5),
        ("18:00:05Z", 64_805.0), ("20:00:05+02:00", 64_805.0), ("00:30:00 +01:00", 84_600.0),
    ],
)  # fmt: skip
def test_a_clock_with_half_of_the_day_or_a_zone_is_a_time_of_day_of_an_unknown_day(given: str, seconds: float) -> None:
    assert time_of(given) == Time(seconds, Kind.OF_DAY)


@pytest.mark.parametrize("given", ["13:00:05 PM", "0:10 AM", "6:75 PM", "24:00:00Z", "6:00:61 PM"])
def test_a_clock_that_shows_no_time_of_day_is_refused(given: str) -> None:
    with pytest.raises(RowRefused, match="time not understood"):
        time_of(given)


def test_a_day_with_a_twelve_hour_clock_is_one_time_of_day() -> None:
    assert time_of("2025-03-18 12:00:00 PM") == Time(NOON, Kind.DAY)
    columns = columns_of(["Date", "Time", "User", "Message"])
    assert columns.time({"Date": "2025-03-18", "Time": "12:00:00 PM"}) == Time(NOON, Kind.DAY)


def test_a_place_in_the_video_is_not_a_time_of_day() -> None:
    assert time_of_day("1:02:03") == Time(3723.0, Kind.OF_DAY)  # A column of times of day says what it holds.
    with pytest.raises(RowRefused, match="not a time of day"):
        time_of_day("1:02")
    with pytest.raises(RowRefused, match="not a time of day"):
        time_of_day(2025)


@given(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.none()), st.sampled_from([None, 1.0, 1e-3, 1e-6]))
def test_any_value_is_a_finite_time_or_refused(value: object, unit: float | None) -> None:
    try:
        found = time_of(value, unit)
    except RowRefused:
        return
    assert np.isfinite(found.value)
    assert (found.kind is Kind.DAY) == (found.value >= 1e9)


@pytest.mark.parametrize(
    ("numbers", "duration_s", "expected"),
    [
        ([0, 5, 3600, 35_999], None, False),
        ([1200, 64_000, 1_800_000, 3_600_000], None, True),
        ([1200, 64_000, 1_800_000, 3_600_000], 3700.0, True),
        ([0.5, 1_800_000.5], None, False),
        # Five minutes in milliseconds: only the length of the video tells.
        ([1200, 64_000, 180_000, 290_000], 300.0, True),
        ([1200, 64_000, 180_000, 290_000], None, False),
        # They end before the middle of it, but as seconds not one would lie in it.
        ([2000, 4000, 7000], 20.0, True),
        # Another part of the stream in seconds: as milliseconds all would be said at once, or faster than people write.
        ([3605, 3610, 3615], 20.0, False),
        (list(range(3600, 13_000, 4)), 60.0, False),
        # The log of the whole stream beside a piece of it is one in seconds still.
        ([0, 600, 9_000, 13_587], 300.0, False),
        # One wrong number among seconds turns none of them.
        ([*range(0, 2000, 10), 900_000_000], None, False),
        ([], 300.0, False),
    ],
)
def test_numbers_without_a_unit_are_milliseconds_only_if_no_video_is_that_long(
    numbers: list[float], duration_s: float | None, expected: bool
) -> None:
    assert are_milliseconds(np.array(numbers, dtype=float), duration_s) is expected


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (["timestamp", "time_in_seconds", "time_text", "video_offset_time_msec"], [1.0, 1e-3, None, None]),
        (["videoOffsetTimeMsec"], [1e-3]),
        (["Offset (ms)"], [1e-3]),
        (["timestampUsec"], [1e-6]),
        (["content_offset_seconds"], [1.0]),
        (["created_at", "Time"], [None, None]),
        (["time_limit", "timezone", "offset_x", "runtime"], []),
    ],
)
def test_names_of_columns_say_what_their_numbers_count_in(names: list[str], asked: list[float | None]) -> None:
    assert [column.unit for column in columns_of(names).times] == asked


def test_places_in_the_video_are_asked_before_times_of_day() -> None:
    columns = columns_of(["published_at", "timestamp", "offset_ms", "text", "offset_s"])
    assert [column.name for column in columns.times] == ["offset_s", "offset_ms", "timestamp", "published_at"]
    assert columns.time({"offset_s": "", "offset_ms": "1500"}) == Time(1.5, Kind.OFFSET)
    assert columns.time({"published_at": "2025-03-18T12:00:00Z"}) == Time(NOON, Kind.DAY)


def test_a_day_and_a_clock_in_two_columns_are_one_time_of_day() -> None:
    columns = columns_of(["Date", "Time", "User", "Message"])
    assert columns.time({"Date": "2025-03-18", "Time": "12:00:00"}) == Time(NOON, Kind.DAY)
    assert columns.time({"Date": "", "Time": "1:00"}) == Time(60.0, Kind.OFFSET)


@pytest.mark.parametrize("text", ["1h" + " " * 200_000 + "x", "1:" + "1" * 200_000, "1." + "1" * 200_000 + "x"])
def test_a_text_too_long_for_a_time_is_refused_at_once(text: str) -> None:
    began = time.process_time()
    with pytest.raises(RowRefused, match="time not understood"):
        time_of(text)
    assert time.process_time() - began < 0.2
