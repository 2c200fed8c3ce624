"""The two ways Klip's assets are partitioned: by video, and by UTC day of tweets."""

from __future__ import annotations

import dagster as dg

#: One partition a video, added by the VOD sensor or by `klip process`.
VIDEOS = dg.DynamicPartitionsDefinition(name="videos")

#: The day of the first tweet.
FIRST_DAY = "2006-03-21"

#: One partition a UTC day, today included.
DAYS = dg.DailyPartitionsDefinition(FIRST_DAY, timezone="UTC", end_offset=1)
