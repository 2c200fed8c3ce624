"""The two ways Klip's assets are partitioned: by video, and by UTC day of tweets."""

from __future__ import annotations

import dagster as dg

from klip_assets.signals.tweets.clock import FIRST_DAY

#: One partition per video, added by the VOD sensor or by `klip process`.
VIDEOS = dg.DynamicPartitionsDefinition(name="videos")

#: One partition per UTC day, including today.
DAYS = dg.DailyPartitionsDefinition(FIRST_DAY.isoformat(), timezone="UTC", end_offset=1)
