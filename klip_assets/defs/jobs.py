"""The jobs that sensors, schedules, people and the command line start."""

from __future__ import annotations

from typing import Any

import dagster as dg

from klip_assets.defs.tags import PUBLISH_TAGS, TWEET_TAGS
from klip_assets.work.stages.catalogue import STAGES_OF
from klip_assets.work.stages.tweets import TWEET_FILES

PROCESS_VIDEO = "process_video"
FETCH_X_POSTS = "fetch_x_posts"
INGEST_TWEETS = "ingest_tweets"
PROCESS_TWEET_DAYS = "process_tweet_days"
PUBLISH = "publish_warehouse"
EVALUATE = "evaluate"
TRAIN_EMOTION_MODEL = "train_emotion_model"
LEARN_WEIGHTS = "learn_weights"

process_video = dg.define_asset_job(
    PROCESS_VIDEO,
    selection=dg.AssetSelection.assets(*([spec.name] for spec in STAGES_OF["video_id"])),
    description="Process one video, from the file to its highlights.",
)

fetch_x_posts = dg.define_asset_job(
    FETCH_X_POSTS,
    selection=dg.AssetSelection.assets(["x_posts"]),
    tags=TWEET_TAGS,
    description="Fetch new posts from X into the tweet inbox.",
)

ingest_tweets = dg.define_asset_job(
    INGEST_TWEETS,
    selection=dg.AssetSelection.assets(["tweet_files"]),
    tags=TWEET_TAGS,
    description="Read new and changed tweet files and split their rows by UTC day.",
)

process_tweet_days = dg.define_asset_job(
    PROCESS_TWEET_DAYS,
    selection=dg.AssetSelection.assets(*([spec.name] for spec in STAGES_OF["day"])),
    tags=TWEET_TAGS,
    description="Merge days of tweets, compute their sentiment and roll them up.",
)

publish_warehouse = dg.define_asset_job(
    PUBLISH,
    selection=dg.AssetSelection.groups("warehouse") | dg.AssetSelection.assets(["weights"]),
    tags=PUBLISH_TAGS,
    description="Publish everything accepted as a new version of klip.duckdb.",
)

evaluate = dg.define_asset_job(
    EVALUATE,
    selection=dg.AssetSelection.assets(["evaluations"]),
    description="Measure highlights on the golden sets.",
)

train_emotion_model = dg.define_asset_job(
    TRAIN_EMOTION_MODEL,
    selection=dg.AssetSelection.groups("models"),
    description="Retrain the compact model of the BERT tier; it replaces the one in use unless it is worse.",
)

learn_weights = dg.define_asset_job(
    LEARN_WEIGHTS,
    selection=dg.AssetSelection.assets(["learnt_weights"]),
    description="Fit highlight weights to editors' verdicts; they take effect once KLIP_WEIGHTS names them.",
)


def ingest_config(files: list[str], *, accept_removals: bool = False) -> dict[str, Any]:
    """Return the run configuration of `ingest_tweets` for these files of the inbox."""
    config = {"files": files, **({"accept_removals": True} if accept_removals else {})}
    return {"ops": {TWEET_FILES: {"config": config}}}


JOBS = [
    process_video,
    fetch_x_posts,
    ingest_tweets,
    process_tweet_days,
    publish_warehouse,
    evaluate,
    train_emotion_model,
    learn_weights,
]
