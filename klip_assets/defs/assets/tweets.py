"""Group `tweets`: files to days, what models read in them, and the daily roll-up."""

import errno
import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pyarrow as pa

from klip_assets.contracts import TWEET_DAILY, TWEET_SENTIMENT, TWEETS, TWEETS_DELETED
from klip_assets.defs.assets.declare import day_stage, versions_of
from klip_assets.defs.assets.stage import OWNERS, RETRY_IO, Output, Stage
from klip_assets.defs.partitions import FIRST_DAY
from klip_assets.defs.resources import Installation
from klip_assets.errors import KlipError
from klip_assets.formats.refused import Refused
from klip_assets.inbox.changes import TweetFile, tweet_changes
from klip_assets.inbox.tweet_files import map_path
from klip_assets.products.tweet_days import roll_up_day
from klip_assets.signals.text.known import NOTHING_KNOWN
from klip_assets.signals.text.language import detector_name
from klip_assets.signals.text.llm.prompt import TWEET
from klip_assets.signals.text.tables import known_readings, notes_of
from klip_assets.signals.text.tables import read_tweets as read_with_models
from klip_assets.signals.text.tiers import chain_version
from klip_assets.signals.tweets.merge import RawSource, merge_day
from klip_assets.signals.tweets.staging import stage as stage_file
from klip_assets.sources.x_api.fetch import fetch_posts
from klip_assets.store.files import scratch_folder
from klip_assets.store.lake.quarantine import quarantine
from klip_assets.store.lake.tweet_sources import add_source, day_version, deleted_on, remove_source, sources_of
from klip_assets.store.locks import hold

X_POSTS = "x_posts"
TWEET_FILES = "tweet_files"

#: Trouble of the disk that Klip writes to, not of a file in the inbox.
_OUR_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})

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
    code_version="2",
    retry_policy=RETRY_IO,
)
def tweet_files(
    context: dg.AssetExecutionContext, config: IngestConfig, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """Every file of the tweet inbox, read once and laid down by the UTC days it touches.

    A file that was replaced takes its old tweets with it, and so does one that was removed. What can't be read is in
    `quarantine`.
    """
    lake, registry, settings = installation.lake, installation.registry, installation.settings
    # Two at once would take what the other is laying down for what a killed run left.
    with hold(lake.root / "_locks" / "tweet-files.lock", what="the tweet files", timeout_s=settings.lock_timeout_s):
        changes = tweet_changes(settings.tweet_inbox, registry, None)
        fresh = [file for file in changes.fresh if config.files is None or str(file.name) in config.files]
        touched: set[str] = set()
        times_off: dict[str, str] = {}
        counts = dict.fromkeys(("rows", "duplicates", "deletions", "refused", "time_mismatches"), 0)
        for file in fresh:
            try:
                laid = _lay_down(installation, file, run_id=context.run.run_id)
            except OSError as error:
                if error.errno in _OUR_DISK:
                    raise
                # One file that can't be read stops no other; it stays new, and is looked at again within the hour.
                context.log.error(f"{file.name}: {error}")
                refused = [Refused("file", "can't be read", error.strerror or type(error).__name__)]
                quarantine(lake, str(file.name), TWEETS.name, refused, run_id=context.run.run_id)
                counts["refused"] += 1
                continue
            touched |= laid.days
            if laid.time_mismatches:
                times_off[str(file.name)] = f"{laid.time_mismatches} rows, mostly {laid.typical_offset}"
            for name in counts:
                counts[name] += getattr(laid, name)
            context.log.info(f"{file.name}: {laid.told}")
        for gone in changes.gone:
            quarantine(lake, str(gone), TWEETS.name, [], run_id=context.run.run_id)
            registry.forget_staged(gone)
        # Last, and from what is remembered: a run that was killed before it came here has left its part to this one.
        for sha256 in registry.leftovers():
            touched |= set(remove_source(lake, sha256))
            registry.forget_leftover(sha256)
        staged = "|".join(sorted(sha for _, sha in registry.staged_files().values()))
    metadata: dict[str, Any] = {"files": len(fresh), "removed_files": len(changes.gone), **counts, "days": len(touched)}
    if times_off:
        metadata["times_off"] = times_off
    version = hashlib.sha256(staged.encode()).hexdigest()[:32]
    return dg.MaterializeResult(
        metadata={**metadata, "dagster/row_count": counts["rows"]}, data_version=dg.DataVersion(version)
    )


@day_stage(
    TWEETS,
    upstream=[TWEET_FILES],
    inputs=lambda stage: {"source": day_version(stage.lake, stage.key)},
    code_version="2",
    kinds={"python"},
    freshness=FRESHNESS,
)
def tweets(stage: Stage) -> pa.Table:
    """Copies and versions merged: the first text stays, the latest counts win; what was deleted is taken out."""
    sources = [RawSource(source.sha256, source.name, source.rows()) for source in sources_of(stage.lake, stage.key)]
    now, deleted = datetime.now(UTC).replace(tzinfo=None), deleted_on(stage.lake, stage.key)
    return merge_day(sources, ingested_at=now, deleted=deleted)


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


@dataclass
class _Laid:
    """What became of one file: counts, and what its line in the log says."""

    days: set[str]
    rows: int
    duplicates: int
    deletions: int
    refused: int
    time_mismatches: int
    typical_offset: str
    told: str


def _lay_down(installation: Installation, file: TweetFile, *, run_id: str) -> _Laid:
    """Read a file and lay down what it says about each of its days."""
    lake, registry, name = installation.lake, installation.registry, str(file.name)
    sha256 = file.sha256
    with scratch_folder(installation.settings.scratch_dir) as scratch:
        staged = stage_file(file.path, scratch=scratch, column_map=map_path(file.path))
        first, last = date.fromisoformat(FIRST_DAY), datetime.now(UTC).date()
        refused = list(staged.refused)
        for day in staged.parts:
            if not first <= day <= last:
                refused += [
                    Refused(f"tweet {tweet_id}", "created before Twitter or in the future", f"{day}")
                    for tweet_id in staged.parts[day]["tweet_id"].to_pylist()
                ]
        quarantine(lake, name, TWEETS.name, refused, run_id=run_id)
        days = [day for day in staged.parts if first <= day <= last]
        deleted = [(day, rows) for day, rows in staged.deleted.items() if first <= day <= last]
        registry.begin_staging(sha256)
        rows = add_source(lake, sha256, name, ((day, staged.parts[day]) for day in days))
        add_source(lake, sha256, name, deleted, table=TWEETS_DELETED)
    registry.record_staged(file.name, file.signature, sha256)
    told = [f"{staged.kind or 'nothing known'}: {rows} tweets on {len(days)} days"]
    counts = (
        (staged.duplicates, "copies"), (staged.deletions, "reported as deleted"), (len(refused), "refused"),
        (staged.time_mismatches, f"whose time is not that of their id (mostly {staged.typical_offset} off)"),
    )  # fmt: skip
    told += [f"{count} {what}" for count, what in counts if count]
    return _Laid(
        {day.isoformat() for day in (*days, *(day for day, _ in deleted))},
        rows,
        staged.duplicates,
        staged.deletions,
        len(refused),
        staged.time_mismatches,
        staged.typical_offset,
        ", ".join(told),
    )
