from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.products.editing.timecode import FrameRate, clock_ms, frame_rate, source_clock

MEASURED = [23.976, 23.976023976, 24.0, 25.0, 29.97, 29.97002997, 30.0, 48.0, 50.0, 59.94, 59.9402, 60.0, 10.0, 15.0]
DROP = [29.97, 59.94]
DAY_FRAMES = 25 * 3600 * 60


def labels_by_counting(nominal: int, frames: int) -> list[str]:
    """Count as a machine does: one label after another, leaving out the first ones of a minute but each tenth."""
    labels = []
    hours = minutes = seconds = frame = 0
    while len(labels) < frames:
        labels.append(f"{hours:02d}:{minutes:02d}:{seconds:02d};{frame:02d}")
        frame += 1
        if frame == nominal:
            seconds, frame = seconds + 1, 0
        if seconds == 60:
            minutes, seconds = minutes + 1, 0
            if minutes == 60:
                hours, minutes = hours + 1, 0
            if minutes % 10:
                frame = nominal // 15
    return labels


@pytest.mark.parametrize("fps", DROP)
def test_drop_frame_labels_are_those_of_plain_counting_for_two_hours(fps: float) -> None:
    rate = frame_rate(fps)
    counted = labels_by_counting(rate.nominal, 2 * 3600 * rate.nominal)
    assert [rate.label(frame) for frame in range(len(counted))] == counted


@given(st.sampled_from(MEASURED), st.integers(0, DAY_FRAMES))
def test_a_label_leads_back_to_its_frame(fps: float, frame: int) -> None:
    rate = frame_rate(fps)
    assert rate.frame_of(rate.label(frame)) == frame


@given(st.sampled_from(MEASURED), st.integers(0, 3_500_000))
def test_later_frames_have_later_labels(fps: float, frame: int) -> None:
    rate = frame_rate(fps)
    assert rate.label(frame).replace(";", ":") < rate.label(frame + 1).replace(";", ":")


@given(st.sampled_from(DROP), st.floats(0, 24 * 3600))
def test_drop_frame_keeps_within_two_frames_a_minute_of_the_clock(fps: float, seconds: float) -> None:
    rate = frame_rate(fps)
    label = rate.label(rate.frame_at(seconds))
    hours, minutes, whole, frames = (int(part) for part in label.replace(";", ":").split(":"))
    read = hours * 3600 + minutes * 60 + whole + frames / rate.nominal
    # At most two labels (four at 60) behind, half a frame of rounding, and 86 ms a day that drop-frame leaves over.
    assert abs(read - seconds) < 0.2


@given(st.sampled_from(MEASURED), st.floats(0, 360_000))
def test_a_time_is_at_most_half_a_frame_from_its_frame(fps: float, seconds: float) -> None:
    rate = frame_rate(fps)
    assert abs(rate.frame_at(seconds) / rate.exact - Fraction(seconds)) <= 1 / (2 * rate.exact)


@pytest.mark.parametrize(
    ("fps", "nominal", "drop", "exact"),
    [
        (29.97, 30, True, Fraction(30000, 1001)),
        (59.9401, 60, True, Fraction(60000, 1001)),
        (23.976, 24, False, Fraction(24000, 1001)),
        (24.0, 24, False, Fraction(24)),
        (25.0, 25, False, Fraction(25)),
        (30.0, 30, False, Fraction(30)),
        (50.0, 50, False, Fraction(50)),
        (60.0, 60, False, Fraction(60)),
        (10.0, 10, False, Fraction(10)),
    ],
)
def test_each_rate_has_its_own_counting(fps: float, nominal: int, drop: bool, exact: Fraction) -> None:
    assert frame_rate(fps) == FrameRate(exact, nominal, drop)


@pytest.mark.parametrize(("fps", "nominal"), [(29.4, 29), (57.3, 57), (120.0, 60), (0.4, 1)])
def test_a_rate_without_timecode_is_counted_by_the_clock_and_says_so(fps: float, nominal: int) -> None:
    rate = frame_rate(fps)
    assert (rate.exact, rate.nominal, rate.drop) == (nominal, nominal, False)
    assert rate.note and f"{fps:.3f} frames per second" in rate.note
    assert rate.label(rate.frame_at(3661)) == "01:01:01:00"


@pytest.mark.parametrize("fps", [None, 0.0])
def test_sound_alone_is_counted_at_25_and_says_so(fps: float | None) -> None:
    rate = frame_rate(fps)
    assert rate.nominal == 25 and rate.note and "no picture" in rate.note


@pytest.mark.parametrize("label", ["00:01:00;00", "00:01:00;01", "00:60:00;00", "00:00:00;30", "1:2:3", ""])
def test_labels_that_do_not_exist_are_refused(label: str) -> None:
    with pytest.raises(ValueError, match="timecode"):
        frame_rate(29.97).frame_of(label)


START_LABELS = {
    23.976: "10:00:00:00", 25.0: "09:59:59:24", 29.97: "10:00:00;02", 30.0: "23:59:59:29", 50.0: "00:00:00:00",
    59.94: "01:01:00;04", 60.0: "01:00:00:59",
}  # fmt: skip


@given(st.sampled_from(sorted(START_LABELS)), st.integers(0, DAY_FRAMES))
def test_source_timecodes_count_from_the_start_timecode_and_begin_again_after_a_day(fps: float, frame: int) -> None:
    clock = source_clock(fps, START_LABELS[fps])
    rate, label = clock.rate, clock.label(frame)
    a_day = rate.frame_of("24:00:00:00")
    assert clock.label(0) == START_LABELS[fps] and clock.note is None
    assert int(label[:2]) < 24
    assert (rate.frame_of(label) - rate.frame_of(START_LABELS[fps]) - frame) % a_day == 0


@pytest.mark.parametrize(
    ("fps", "start", "seconds", "expected"),
    [
        (29.97, "10:00:59;29", 1 / 29.97, "10:01:00;02"),
        (29.97, "10:00:59:29", 1 / 29.97, "10:01:00:00"),
        (29.97, "10:00:00.00", 600.0, "10:10:00;00"),
        (29.97, "10:00:00:00", 600.0, "10:09:59:12"),
        (59.94, "00:00:59;59", 1 / 59.94, "00:01:00;04"),
        (25.0, "23:59:59:24", 0.04, "00:00:00:00"),
        (25.0, "10:00:00;00", 1.0, "10:00:01:00"),
        (29.97, "23:59:59;29", 1 / 29.97, "00:00:00;00"),
    ],
)
def test_the_start_timecode_says_how_frames_are_labelled(fps: float, start: str, seconds: float, expected: str) -> None:
    clock = source_clock(fps, start)
    assert clock.label(clock.rate.frame_at(seconds)) == expected


@pytest.mark.parametrize(
    ("fps", "start"),
    [
        (25.0, "10:00:00:25"), (25.0, "24:00:00:00"), (25.0, "10:00:00"), (29.97, "10:01:00;01"), (25.0, "garbage"),
        (25.0, "1"), (29.97, "99:99:99;99"), (25.0, "10:60:00:00"), (25.0, "٠١:00:00:00:00"),
    ],
)  # fmt: skip
def test_a_start_timecode_that_does_not_exist_is_named_and_ignored(fps: float, start: str) -> None:
    clock = source_clock(fps, start)
    assert clock.first is None and clock.rate == frame_rate(fps)
    assert clock.note and repr(start) in clock.note and "ignored" in clock.note
    assert clock.label(0) == frame_rate(fps).label(0)


def test_without_a_start_timecode_hours_continue_past_a_day() -> None:
    assert source_clock(25.0, None).label(25 * 3600 * 25) == "25:00:00:00"


@given(st.integers(0, 400_000_000))
def test_the_clock_counts_every_millisecond(milliseconds: int) -> None:
    hours, minutes, rest = clock_ms(milliseconds / 1000).split(":")
    seconds, thousandths = rest.split(".")
    assert ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(thousandths) == milliseconds
    assert len(seconds) == 2 and len(thousandths) == 3
