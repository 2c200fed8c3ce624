"""The stages of `work.stages` as assets: one per table, partitioned by video or by day."""

import warnings
from datetime import timedelta
from typing import Any

import dagster as dg

from klip_assets.contracts import TWEETS, Subject
from klip_assets.defs.assets.describe import OWNERS, RETRY_IO, describe, result_of
from klip_assets.defs.partitions import DAYS, VIDEOS
from klip_assets.defs.resources import Installation
from klip_assets.work.stages.catalogue import STAGES_OF
from klip_assets.work.stages.run import Done, run_stage
from klip_assets.work.stages.stage import StageSpec

#: One ingest is one run over all its days.
_ONE_RUN = dg.BackfillPolicy.single_run()

#: Tweets are expected daily: warn after two days without new ones.
_FRESHNESS = {
    TWEETS.name: dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3), warn_window=timedelta(days=2)),
}

#: The resources of every stage.
_RESOURCES = {"installation", "progress"}


def video_asset(spec: StageSpec) -> dg.AssetsDefinition:
    """Return the asset of a video stage, with one video per run."""

    @dg.asset(partitions_def=VIDEOS, **_shared(spec))
    def _asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        done = _run(spec, Subject.video(context.partition_key), context)
        return result_of(spec.table, {context.partition_key: done.record}, done.pictures)

    return _asset


def day_asset(spec: StageSpec) -> dg.AssetsDefinition:
    """Return the asset of a tweet day stage, with any number of days per run.

    A day that fails does not stop the others; at its end the run lists the failed ones.
    """

    @dg.asset(
        partitions_def=DAYS, backfill_policy=_ONE_RUN, freshness_policy=_FRESHNESS.get(spec.name), **_shared(spec)
    )
    def _asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        written, failed = {}, []
        for day in context.partition_keys:
            try:
                written[day] = _run(spec, Subject.day(day), context).record
            except dg.Failure as failure:
                failed.append(f"{day}: {failure.description}")
        if failed:
            raise dg.Failure(
                description=f"{len(failed)} of {len(context.partition_keys)} days failed; {'; '.join(failed[:5])}",
                allow_retries=False,
            )
        if len(written) > 1:
            for day, record in written.items():
                context.add_asset_metadata({"dagster/partition_row_count": record.rows}, partition_key=day)
        return result_of(spec.table, written)

    return _asset


def stage_assets() -> list[dg.AssetsDefinition]:
    """Return an asset for each stage."""
    make = {"video_id": video_asset, "day": day_asset}
    with warnings.catch_warnings():
        # The parameter is beta in Dagster 1.13; without it every day would be a run of its own.
        warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=dg.BetaWarning)
        return [make[kind](spec) for kind, specs in STAGES_OF.items() for spec in specs]


def _run(spec: StageSpec, subject: Subject, context: dg.AssetExecutionContext) -> Done:
    installation: Installation = context.resources.installation
    try:
        done = run_stage(spec, subject, installation.here, installation.run_of(context))
    except OSError:
        raise  # Worth a retry, by the retry policy.
    except Exception as error:
        # A retry would fail the same way.
        raise dg.Failure(description=str(error) or type(error).__name__, allow_retries=False) from error
    installation.note_done(subject, spec.name)
    return done


def _shared(spec: StageSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "deps": [dg.AssetKey([name]) for name in spec.upstream_names],
        "required_resource_keys": _RESOURCES,
        "group_name": spec.group,
        "description": f"{spec.table.description}\n\n{(spec.compute.__doc__ or '').strip()}".strip(),
        "owners": OWNERS,
        "kinds": {"parquet", *spec.kinds},
        "code_version": spec.version,
        "metadata": describe(spec.table),
        "retry_policy": RETRY_IO,
    }
