"""The two ways Klip's assets are partitioned: by video, and by UTC day of tweets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import dagster as dg

#: One partition a video, added by the VOD sensor or by `klip process`.
VIDEOS = dg.DynamicPartitionsDefinition(name="videos")

#: The day of the first tweet.
FIRST_DAY = "2006-03-21"

#: One partition a UTC day, today included.
DAYS = dg.DailyPartitionsDefinition(FIRST_DAY, timezone="UTC", end_offset=1)

#: An ingest of scattered days becomes at most this many runs; the gaps between are recognised as unchanged.
MOST_RANGES = 8


def day_ranges(days: Iterable[str], most: int = MOST_RANGES) -> list[tuple[str, str]]:
    """Group days into ranges of consecutive ones, closing the smallest gaps if there would be too many.

    Returns:
        First and last day of each range, sorted.
    """
    ranges: list[tuple[date, date]] = []
    for day in sorted({date.fromisoformat(text) for text in days}):
        if ranges and day - ranges[-1][1] == timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    while len(ranges) > most:
        gaps = [ranges[i + 1][0] - ranges[i][1] for i in range(len(ranges) - 1)]
        smallest = gaps.index(min(gaps))
        ranges[smallest : smallest + 2] = [(ranges[smallest][0], ranges[smallest + 1][1])]
    return [(first.isoformat(), last.isoformat()) for first, last in ranges]
