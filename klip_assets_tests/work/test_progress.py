"""What is said of how far a stage is."""

from __future__ import annotations

import pytest

from klip_assets.work import progress
from klip_assets.work.progress import LogProgress, Pace


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_it_tells_seconds_done_speed_and_time_left(clock: list[float]) -> None:
    pace = Pace(7200)
    assert pace.describe(0) == "0 of 7,200 s of audio done"
    clock[0] += 60
    assert pace.describe(1200) == "1,200 of 7,200 s of audio done at 20 times real time, about 0:05:00 left"
    clock[0] += 300
    assert pace.describe(7200).endswith("at 20 times real time"), "nothing is left"


def test_what_another_run_had_done_is_not_this_ones_speed(clock: list[float]) -> None:
    pace = Pace(7200)
    pace.describe(6000)
    clock[0] += 10
    assert pace.describe(6050) == "6,050 of 7,200 s of audio done at 5 times real time, about 0:03:50 left"


def test_without_a_length_nothing_is_said_of_the_time_left(clock: list[float]) -> None:
    pace = Pace(None)
    pace.describe(0)
    clock[0] += 2
    assert pace.describe(60) == "60 s of audio done at 30 times real time"


def test_the_log_hears_of_it_every_ten_seconds(clock: list[float]) -> None:
    lines: list[str] = []
    report = LogProgress().reporter("stream", "audio_features", 100, lines.append)
    for second in range(25):
        clock[0] += 1
        report(float(second))
    assert len(lines) == 2
    assert lines[0] == "audio_features: 9 of 100 s of audio done at 1 times real time, about 0:01:31 left"
