"""Days that are due, as ranges of runs."""

from __future__ import annotations

from klip_assets.work.due import day_ranges


def test_consecutive_days_are_one_range() -> None:
    assert day_ranges(["2026-01-03", "2026-01-01", "2026-01-02", "2026-01-09"]) == [
        ("2026-01-01", "2026-01-03"), ("2026-01-09", "2026-01-09")
    ]  # fmt: skip


def test_scattered_days_become_a_bounded_number_of_ranges_that_cover_them() -> None:
    days = [f"20{year:02d}-03-0{day}" for year in range(10, 26) for day in (1, 5)]
    ranges = day_ranges(days, most=4)
    assert len(ranges) == 4
    assert all(any(first <= day <= last for first, last in ranges) for day in days)
    assert day_ranges([]) == []
