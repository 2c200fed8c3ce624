"""Group `tweets`: a day's tweets, their sentiment, and the daily roll-up."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pyarrow as pa

from klip_assets.contracts import TWEET_DAILY, TWEET_SENTIMENT, TWEETS
from klip_assets.products.tweet_days import roll_up_day
from klip_assets.signals.text.known import NOTHING_KNOWN
from klip_assets.signals.text.language import detector_name
from klip_assets.signals.text.llm.prompt import TWEET
from klip_assets.signals.text.tables import known_readings, notes_of
from klip_assets.signals.text.tables import read_tweets as read_with_models
from klip_assets.signals.tweets.merge import RawSource, merge_day
from klip_assets.store.lake.tweet_sources import day_version, deleted_on, sources_of
from klip_assets.work.stages.stage import Output, Stage, StageSpec, versions_of

GROUP = "tweets"

#: Asset that reads the files in the tweet inbox; it has no table of its own.
TWEET_FILES = "tweet_files"


def tweets(stage: Stage) -> pa.Table:
    """Copies and versions merged: the first whole text and the latest counts are kept, deleted tweets are removed."""
    sources = [RawSource(source.sha256, source.name, source.rows()) for source in sources_of(stage.lake, stage.key)]
    now, deleted = datetime.now(UTC).replace(tzinfo=None), deleted_on(stage.lake, stage.key)
    return merge_day(sources, ingested_at=now, deleted=deleted)


def tweet_sentiment(stage: Stage) -> Output:
    """Read by the best available tier of those configured; a failed or skipped row has NULL scores and the reason.

    Texts already read by the same models are not read again.
    """
    earlier = stage.earlier("tiers", "reads", "languages")
    known = known_readings(earlier) if earlier is not None else NOTHING_KNOWN
    chain = stage.chain(stage.settings.tweet_tier_names, TWEET, known)
    rows = read_with_models(stage.read(TWEETS), chain)
    return Output(rows, notes_of(rows, chain))


def tweet_daily(stage: Stage) -> pa.Table:
    """Counts, sentiment and hashtags of the day; retweets do not count towards the sentiment."""
    return roll_up_day(date.fromisoformat(stage.key), stage.read(TWEETS), stage.read(TWEET_SENTIMENT))


TWEET_STAGES = (
    StageSpec(
        TWEETS,
        version="3",
        group=GROUP,
        upstream=(TWEET_FILES,),
        inputs=lambda stage: {"source": day_version(stage.lake, stage.key)},
        compute=tweets,
    ),
    StageSpec(
        TWEET_SENTIMENT,
        version="3",
        group=GROUP,
        upstream=(TWEETS,),
        inputs=lambda stage: {
            **versions_of(TWEETS)(stage),
            "tiers": stage.settings.tweet_tiers,
            "reads": stage.installation.readers(stage.settings.tweet_tier_names, TWEET),
            "languages": detector_name(),
        },
        compute=tweet_sentiment,
    ),
    StageSpec(
        TWEET_DAILY,
        version="3",
        group=GROUP,
        upstream=(TWEETS, TWEET_SENTIMENT),
        inputs=versions_of(TWEETS, TWEET_SENTIMENT),
        compute=tweet_daily,
        kinds=frozenset({"duckdb"}),
    ),
)
