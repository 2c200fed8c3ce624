"""The jobs sensors, schedules, people and the command line start."""

from __future__ import annotations

import dagster as dg

from klip_assets.contracts import DAY_TABLES, VIDEO_TABLES

PROCESS_VIDEO = "process_video"
INGEST_TWEETS = "ingest_tweets"
PROCESS_TWEET_DAYS = "process_tweet_days"
PUBLISH = "publish_warehouse"
EVALUATE = "evaluate"

#: Marks runs that publish, so that a queue of them is worked off one at a time.
PUBLISH_TAGS = {"klip/publish": "true"}

process_video = dg.define_asset_job(
    PROCESS_VIDEO,
    selection=dg.AssetSelection.assets(*([name] for name in VIDEO_TABLES)),
    description="Everything about one video, from the file to its highlights.",
)

ingest_tweets = dg.define_asset_job(
    INGEST_TWEETS,
    selection=dg.AssetSelection.assets(["tweet_files"]),
    description="Read new and changed tweet files and lay their rows down by day.",
)

process_tweet_days = dg.define_asset_job(
    PROCESS_TWEET_DAYS,
    selection=dg.AssetSelection.assets(*([name] for name in DAY_TABLES)),
    description="Merge, read and roll up days of tweets.",
)

publish_warehouse = dg.define_asset_job(
    PUBLISH,
    selection=dg.AssetSelection.groups("warehouse") | dg.AssetSelection.assets(["weights"]),
    tags=PUBLISH_TAGS,
    description="Publish what is accepted as a new version of klip.duckdb.",
)

evaluate = dg.define_asset_job(
    EVALUATE,
    selection=dg.AssetSelection.assets(["evaluations"]),
    description="Measure the highlights on the golden sets.",
)

JOBS = [process_video, ingest_tweets, process_tweet_days, publish_warehouse, evaluate]
