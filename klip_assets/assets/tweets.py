"""Group `tweets`: files to days, what models read in them, and the daily roll-up."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pyarrow as pa

from klip_assets.assets.declare import day_stage, versions_of
from klip_assets.assets.stage import OWNERS, RETRY_IO, Output, Stage
from klip_assets.contracts import TWEET_DAILY, TWEET_SENTIMENT, TWEETS
from klip_assets.errors import KlipError
from klip_assets.inbox.changes import TweetFile, tweet_changes
from klip_assets.inbox.fingerprint import file_sha256
from klip_assets.lake.quarantine import quarantine
from klip_assets.lake.tweet_sources import add_source, day_version, remove_source, sources_of
from klip_assets.marts.daily import roll_up_day
from klip_assets.partitions import FIRST_DAY
from klip_assets.refused import Refused
from klip_assets.resources import Installation
from klip_assets.sentiment.known import NOTHING_KNOWN
from klip_assets.sentiment.language import detector_name
from klip_assets.sentiment.llm.prompt import TWEET
from klip_assets.sentiment.tables import known_readings, notes_of
from klip_assets.sentiment.tables import read_tweets as read_with_models
from klip_assets.sentiment.tiers import chain_version
from klip_assets.tweets.merge import RawSource, merge_day
from klip_assets.tweets.staging import Staged
from klip_assets.tweets.staging import stage as stage_file
from klip_assets.tweets.x_api.fetch import fetch_posts

X_POSTS = "x_posts"
TWEET_FILES = "tweet_files"

#: Tweets are a daily rhythm: two days without a new one deserve a look.
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3), warn_window=timedelta(days=2))


class IngestConfig(dg.Config):
    """Which files of the tweet inbox to read.

    Attributes:
        files: Paths relative to the inbox; left out, all that are new or changed.
    """

    files: list[str] | None = None


@dg.asset(
    name=X_POSTS,
    group_name="tweets",
    owners=OWNERS,
    kinds={"json"},
    code_version="1",
)
def x_posts(context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult:
    """New posts of the searches and timelines in KLIP_X_QUERIES, as the X API delivers them, in the tweet inbox.

    A run that fails keeps what it fetched, and the next one goes on from there.
    """
    settings = installation.settings
    try:
        fetched = fetch_posts(settings, notify=context.log.info)
    except KlipError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    metadata: dict[str, Any] = {
        "posts": sum(fetched.posts.values()),
        "posts_by_source": dict(fetched.posts),
        "pages": fetched.pages,
        "requests": fetched.requests,
        "notes": list(fetched.notes),
    }
    if fetched.problems:
        raise dg.Failure("; ".join(fetched.problems), metadata=metadata, allow_retries=False)
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(fetched.version))


@dg.asset(
    name=TWEET_FILES,
    deps=[X_POSTS],
    group_name="tweets",
    owners=OWNERS,
    kinds={"json", "csv", "parquet"},
    code_version="1",
    retry_policy=RETRY_IO,
)
def tweet_files(
    context: dg.AssetExecutionContext, config: IngestConfig, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """Every file of the tweet inbox, read once and laid down by the UTC days it touches.

    A file that was replaced takes its old tweets with it, and so does one that was removed. What can't be read is in
    `quarantine`.
    """
    lake, registry = installation.lake, installation.registry
    changes = tweet_changes(installation.settings.tweet_inbox, registry, None)
    fresh = [file for file in changes.fresh if config.files is None or str(file.name) in config.files]
    touched: set[str] = set()
    counts = {"files": len(fresh), "removed_files": len(changes.gone), "rows": 0, "refused": 0}
    for file in fresh:
        try:
            read = _read(file)
        except OSError as error:
            # One file that can't be read stops no other; it stays new, and is looked at again within the hour.
            context.log.error(f"{file.name}: {error}")
            refused = [Refused("file", "can't be read", error.strerror or type(error).__name__)]
            quarantine(lake, str(file.name), TWEETS.name, refused, run_id=context.run.run_id)
            counts["refused"] += 1
            continue
        days, rows, refused = _lay_down(installation, file, *read, run_id=context.run.run_id)
        touched |= days
        counts["rows"] += rows
        counts["refused"] += len(refused)
        context.log.info(f"{file.name}: {rows} tweets on {len(days)} days, {len(refused)} refused")
    for name in changes.gone:
        quarantine(lake, str(name), TWEETS.name, [], run_id=context.run.run_id)
        registry.forget_staged(name)
    # Last, and from what is remembered: a run that was killed before it came here has left its part to this one.
    for sha256 in registry.leftovers():
        touched |= set(remove_source(lake, sha256))
        registry.forget_leftover(sha256)
    metadata: dict[str, Any] = {**counts, "days": len(touched), "dagster/row_count": counts["rows"]}
    staged = "|".join(sorted(sha for _, sha in registry.staged_files().values()))
    version = hashlib.sha256(staged.encode()).hexdigest()[:32]
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(version))


@day_stage(
    TWEETS,
    upstream=[TWEET_FILES],
    inputs=lambda stage: {"source": day_version(stage.lake, stage.key)},
    code_version="1",
    kinds={"python"},
    freshness=FRESHNESS,
)
def tweets(stage: Stage) -> pa.Table:
    """Copies merged: of one tweet in several files the latest observation wins, whatever the order of files."""
    sources = [RawSource(source.sha256, source.name, source.rows()) for source in sources_of(stage.lake, stage.key)]
    return merge_day(sources, ingested_at=datetime.now(UTC).replace(tzinfo=None))


@day_stage(
    TWEET_SENTIMENT,
    upstream=[TWEETS],
    inputs=lambda stage: {
        **versions_of(TWEETS)(stage),
        "tiers": stage.settings.tweet_tiers,
        "reads": chain_version(stage.settings.tweet_tier_names, stage.settings, TWEET),
        "languages": detector_name(),
    },
    code_version="3",
    kinds={"python"},
)
def tweet_sentiment(stage: Stage) -> Output:
    """Read by the best configured tier; a failed or skipped row has NULL scores and says why.

    Texts that were read before by the same models are not read again.
    """
    earlier = stage.earlier("tiers", "reads", "languages")
    known = known_readings(earlier) if earlier is not None else NOTHING_KNOWN
    chain = stage.chain(stage.settings.tweet_tier_names, TWEET, known)
    rows = read_with_models(stage.read(TWEETS), chain)
    return Output(rows, notes_of(rows, chain))


@day_stage(
    TWEET_DAILY,
    upstream=[TWEETS, TWEET_SENTIMENT],
    inputs=versions_of(TWEETS, TWEET_SENTIMENT),
    code_version="2",
    kinds={"duckdb"},
)
def tweet_daily(stage: Stage) -> pa.Table:
    """Counts, sentiment and hashtags of the day; only authors' own words enter the sentiment."""
    return roll_up_day(date.fromisoformat(stage.key), stage.read(TWEETS), stage.read(TWEET_SENTIMENT))


def _read(file: TweetFile) -> tuple[str, Staged]:
    return file_sha256(file.path), stage_file(file.path)


def _lay_down(
    installation: Installation, file: TweetFile, sha256: str, staged: Staged, *, run_id: str
) -> tuple[set[str], int, list[Refused]]:
    refused = list(staged.refused)
    first, last = date.fromisoformat(FIRST_DAY), datetime.now(UTC).date()
    parts = {}
    for day, rows in staged.parts.items():
        if first <= day <= last:
            parts[day] = rows
        else:
            refused += [
                Refused(f"tweet {tweet_id}", "created before Twitter or in the future", f"{day}")
                for tweet_id in rows["tweet_id"].to_pylist()
            ]
    quarantine(installation.lake, str(file.name), TWEETS.name, refused, run_id=run_id)
    add_source(installation.lake, sha256, str(file.name), parts)
    installation.registry.record_staged(file.name, file.signature, sha256)
    return {day.isoformat() for day in parts}, sum(rows.num_rows for rows in parts.values()), refused
