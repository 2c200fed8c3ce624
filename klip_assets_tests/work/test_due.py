"""What is due: content that is not accepted or came back, work that died, and days as ranges of runs."""

from __future__ import annotations

import pytest

from klip_assets.contracts import Subject
from klip_assets.work.due import day_ranges, is_done
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import waiting
from klip_assets.work.scan import scan
from klip_assets.work.stages.catalogue import STAGES
from klip_assets.work.stages.run import run_stage
from klip_assets.work.stages.stage import Run
from klip_assets_tests.worked import work


def test_content_that_comes_back_after_other_could_not_be_read_is_due_until_the_lake_holds_it(
    here: Installation,
) -> None:
    path = here.settings.vod_inbox / "stream.wav"
    good = path.read_bytes()
    keys = set()
    for noise in (b"noise", b"other noise"):
        path.write_bytes(noise)
        assert not work(here.settings).ok
        assert "stream" in waiting(here)
        path.write_bytes(good)
        due = scan(here).due
        assert [entry.video_id for entry in due.videos] == ["stream"]
        keys.add(due.attempts["stream"])
        assert work(here.settings).ok
        assert waiting(here) == {} and scan(here).due.videos == []
    assert len(keys) == 2, "Dagster starts a run key once"


def test_work_on_which_a_process_died_is_not_taken_for_done(here: Installation) -> None:
    (entry,) = scan(here).ready
    assert is_done(entry, here.attempts, here.lake)
    here.attempts.begin({"stream": entry.fingerprint})
    (due,) = scan(here).due.videos
    assert not is_done(due, here.attempts, here.lake)
    assert work(here.settings).ok
    assert is_done(due, here.attempts, here.lake)


@pytest.mark.parametrize("name", ["segments", "highlights"])
def test_a_stage_run_by_hand_does_not_make_a_video_due(here: Installation, name: str) -> None:
    run_stage(STAGES[name], Subject.video("stream"), here, Run("by hand"))
    assert scan(here).due.videos == []


def test_consecutive_days_are_one_range() -> None:
    assert day_ranges(["2026-01-03", "2026-01-01", "2026-01-02", "2026-01-09"]) == [
        ("2026-01-01", "2026-01-03"), ("2026-01-09", "2026-01-09")
    ]  # fmt: skip


def test_scattered_days_become_a_bounded_number_of_ranges_that_cover_them() -> None:
    days = [f"20{year:02d}-03-0{day}" for year in range(10, 26) for day in (1, 5)]
    ranges = day_ranges(days, limit=4)
    assert len(ranges) == 4
    assert all(any(first <= day <= last for first, last in ranges) for day in days)
    assert day_ranges([]) == []
