"""Group `tweets`, upstream of its tables: posts fetched from X, and the files in the inbox."""

from typing import Any

import dagster as dg

from klip_assets.defs.assets.describe import OWNERS, RETRY_IO
from klip_assets.defs.resources import Installation
from klip_assets.defs.tags import PROCESS_TAG
from klip_assets.errors import KlipError
from klip_assets.sources.x_api.fetch import fetch_posts
from klip_assets.work.ingest import ingest
from klip_assets.work.stages.tweets import GROUP, TWEET_FILES

X_POSTS = "x_posts"


class IngestConfig(dg.Config):
    """Which files of the tweet inbox to read.

    Attributes:
        files: Paths relative to the inbox; default: all that are new or changed.
        accept_removals: Remove the tweets of files that are gone even where all are gone at once.
    """

    files: list[str] | None = None
    accept_removals: bool = False


@dg.asset(name=X_POSTS, group_name=GROUP, owners=OWNERS, kinds={"json"}, code_version="1")
def x_posts(context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult:
    """New posts of the searches and timelines in KLIP_X_QUERIES, written to the tweet inbox as the X API delivers them.

    A run that fails keeps what it has fetched, and the next one continues from there.
    """
    try:
        fetched = fetch_posts(installation.here.settings, notify=context.log.info)
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
    group_name=GROUP,
    owners=OWNERS,
    kinds={"json", "csv", "parquet"},
    code_version="2",
    retry_policy=RETRY_IO,
)
def tweet_files(
    context: dg.AssetExecutionContext, config: IngestConfig, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """Every file in the tweet inbox, read once and split into one Parquet file per UTC day.

    Replacing or removing a file also removes the tweets that came from it; if all files went at once (a lost mount?),
    only with `accept_removals`. What can't be read is listed in `quarantine`.
    """
    # A person's Ctrl-C reaches a run of the command line; a run of the daemon is interrupted when it is stopped.
    stopped = PROCESS_TAG not in context.run.tags
    here, run_id = installation.here, context.run.run_id
    done = ingest(
        here,
        only=config.files,
        accept_removals=config.accept_removals,
        run_id=run_id,
        interrupts_count=stopped,
        log=context.log,
    )
    metadata: dict[str, Any] = {
        "files": done.files,
        "removed_files": done.removed_files,
        **done.counts,
        "days": len(done.days),
        "dagster/row_count": done.counts["rows"],
    }
    if done.times_off:
        metadata["times_off"] = done.times_off
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(done.version))
