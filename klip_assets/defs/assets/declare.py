"""How a domain function becomes an asset: one decorator for videos, one for days of tweets."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from klip_assets.contracts import Table
from klip_assets.defs.assets.stage import OWNERS, RETRY_IO, Output, Stage, describe, result_of, run_stage
from klip_assets.defs.partitions import DAYS, VIDEOS
from klip_assets.defs.resources import Installation

Compute = Callable[[Stage], Output | pa.Table]
Inputs = Callable[[Stage], Mapping[str, str]]

#: One ingest is one run over all its days. The parameter is beta in Dagster 1.13; without it a day would be a run.
_ONE_RUN = dg.BackfillPolicy.single_run()
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)

#: The resources every stage is given.
RESOURCES = {"installation", "progress"}


def versions_of(*tables: Table) -> Inputs:
    """Return inputs that are other tables of the same partition."""
    return lambda stage: {table.name: stage.version(table) for table in tables}


def video_stage(
    table: Table,
    *,
    group: str,
    upstream: Sequence[Table],
    inputs: Inputs,
    code_version: str,
    kinds: set[str] | None = None,
) -> Callable[[Compute], dg.AssetsDefinition]:
    """Declare the asset that fills one table, a video at a time.

    Args:
        table: The table.
        group: Group of the lineage graph.
        upstream: Tables it reads.
        inputs: Names the versions of what it is made from; equal versions mean equal rows.
        code_version: Raised whenever the same inputs would give other rows.
        kinds: Libraries shown in the graph.
    """

    def decorate(compute: Compute) -> dg.AssetsDefinition:
        @dg.asset(
            name=table.name,
            partitions_def=VIDEOS,
            deps=[dg.AssetKey([up.name]) for up in upstream],
            required_resource_keys=RESOURCES,
            **_shared(table, compute, group, code_version, kinds),
        )
        def _asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            stage = Stage(
                context, context.resources.installation, context.resources.progress, table, context.partition_key
            )
            written = {stage.key: run_stage(stage, compute, inputs, code_version)}
            return result_of(table, written, stage.shown)

        return _asset

    return decorate


def day_stage(
    table: Table,
    *,
    upstream: Sequence[Table | str],
    inputs: Inputs,
    code_version: str,
    kinds: set[str] | None = None,
    freshness: dg.FreshnessPolicy | None = None,
) -> Callable[[Compute], dg.AssetsDefinition]:
    """Declare the asset that fills one table of tweets, any number of days a run.

    A day that fails does not stop the others; the run names the failed ones at its end.
    """

    def decorate(compute: Compute) -> dg.AssetsDefinition:
        @dg.asset(
            name=table.name,
            partitions_def=DAYS,
            backfill_policy=_ONE_RUN,
            deps=[dg.AssetKey([up if isinstance(up, str) else up.name]) for up in upstream],
            required_resource_keys=RESOURCES,
            freshness_policy=freshness,
            **_shared(table, compute, "tweets", code_version, kinds),
        )
        def _asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            installation: Installation = context.resources.installation
            written, failed = {}, []
            for day in context.partition_keys:
                stage = Stage(context, installation, context.resources.progress, table, day)
                try:
                    written[day] = run_stage(stage, compute, inputs, code_version)
                except dg.Failure as failure:
                    failed.append(f"{day}: {failure.description}")
            if failed:
                raise dg.Failure(
                    description=f"{len(failed)} of {len(context.partition_keys)} days failed; {'; '.join(failed[:5])}",
                    allow_retries=False,
                )
            if len(written) > 1:
                for day, provenance in written.items():
                    context.add_asset_metadata({"dagster/partition_row_count": provenance.rows}, partition_key=day)
            return result_of(table, written)

        return _asset

    return decorate


def _shared(table: Table, compute: Compute, group: str, code_version: str, kinds: set[str] | None) -> dict[str, Any]:
    return {
        "group_name": group,
        "description": f"{table.description}\n\n{(compute.__doc__ or '').strip()}".strip(),
        "owners": OWNERS,
        "kinds": {"parquet", *(kinds or set())},
        "code_version": code_version,
        "metadata": describe(table),
        "retry_policy": RETRY_IO,
    }
