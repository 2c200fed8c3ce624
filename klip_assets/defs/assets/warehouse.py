"""Group `warehouse`: the published tables, as analysts see them."""

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from klip_assets.contracts import DAY_TABLES, PUBLISHED_TABLES, TABLES, VIDEO_TABLES
from klip_assets.defs.assets.describe import OWNERS, RETRY_IO, column_schema
from klip_assets.defs.resources import Installation
from klip_assets.store.warehouse.publish import BUILD
from klip_assets.work.publishing import publish_accepted
from klip_assets.work.stages.tweets import TWEET_FILES

PREFIX = "warehouse"

FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3), warn_window=timedelta(days=1))


#: Tables that several stages write to: their upstream assets are the writers (the last stage, where all of them write).
_RECORDS_OF = {
    "weights": ("weights",),
    "llm_calls": ("segment_sentiment", "tweet_sentiment"),
    "evaluations": ("evaluations",),
    "quarantine": ("videos", "transcript_words", "chat_messages", TWEET_FILES),
    "stage_status": ("highlights", "tweet_daily"),
    "provenance": ("highlights", "tweet_daily"),
}


def _lake_deps(name: str) -> list[dg.AssetDep]:
    if TABLES[name].reads:
        return [dg.AssetDep(dg.AssetKey([PREFIX, source])) for source in TABLES[name].reads]
    if name in VIDEO_TABLES or name in DAY_TABLES:
        return [dg.AssetDep(dg.AssetKey([name]), partition_mapping=dg.AllPartitionMapping())]
    sources = _RECORDS_OF.get(name, ())
    return [dg.AssetDep(dg.AssetKey([source]), partition_mapping=_mapping(source)) for source in sources]


def _mapping(source: str) -> dg.PartitionMapping | None:
    return dg.AllPartitionMapping() if source in (*VIDEO_TABLES, *DAY_TABLES) else None


def _spec(name: str) -> dg.AssetSpec:
    table = TABLES[name]
    return dg.AssetSpec(
        dg.AssetKey([PREFIX, name]),
        deps=_lake_deps(name),
        description=f"{table.description}\n\nA {table.published_as} in klip.duckdb.",
        group_name=PREFIX,
        owners=OWNERS,
        kinds={"duckdb", table.published_as},
        code_version=BUILD,
        freshness_policy=FRESHNESS,
        metadata={"dagster/column_schema": column_schema(table), "dagster/table_name": f"klip.main.{name}"},
    )


@dg.multi_asset(
    name="publish_warehouse_tables", specs=[_spec(name) for name in PUBLISHED_TABLES], retry_policy=RETRY_IO
)
def warehouse_tables(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> Iterator[dg.MaterializeResult]:
    """Publish everything accepted as a new version of klip.duckdb."""
    done = publish_accepted(installation.here)
    context.log.info(f"version {done.version}: {done.videos} videos, {done.days} days of tweets")
    for key, reasons in done.waiting.items():
        context.log.warning(f"{key} is not published in its current state: {'; '.join(reasons)}")
    for name in PUBLISHED_TABLES:
        yield dg.MaterializeResult(
            asset_key=[PREFIX, name],
            metadata={
                "dagster/row_count": done.rows[name],
                "dagster/uri": str(done.path),
                "version": done.version,
                "waiting": {key: list(reasons) for key, reasons in done.waiting.items()},
            },
        )
