"""A video in Dagster: its unfinished runs, those to be repeated, and its partition."""

from __future__ import annotations

import dagster as dg

from klip_assets.defs.partitions import VIDEOS
from klip_assets.defs.tags import (
    AUTO_RETRY_RUN_ID_TAG,
    FAILED_RUNS,
    PARTITION_TAG,
    QUEUED_OR_STARTED_RUNS,
    WILL_RETRY_TAG,
)

#: A failed run that does not say after this time whether it is repeated will not say it any more: its process died.
UNDECIDED_S = 60.0


def unfinished_run(instance: dg.DagsterInstance, video_id: str) -> str | None:
    """Return the id of a run of a video that is queued or started, None if there is none."""
    filters = dg.RunsFilter(tags={PARTITION_TAG: video_id}, statuses=QUEUED_OR_STARTED_RUNS)
    runs = instance.get_runs(filters, limit=1)
    return runs[0].run_id if runs else None


def will_be_repeated(instance: dg.DagsterInstance, filters: dg.RunsFilter, *, now: float) -> bool:
    """Return whether Dagster repeats the last of some runs, as where its worker died, or has just begun to.

    Dagster first stores that a run failed and only then, milliseconds or on a busy machine seconds later, whether it
    repeats it. In between, it may. Runs of the command line it marks as well, but never repeats: they have no origin in
    a code location (`retry_run` in dagster._daemon.auto_run_reexecution).

    Args:
        instance: Where the runs are recorded.
        filters: The runs.
        now: Seconds since 1970.
    """
    for record in instance.get_run_records(filters, limit=1):
        run = record.dagster_run
        if not run.is_finished or AUTO_RETRY_RUN_ID_TAG in run.tags:
            return not run.is_finished
        if run.remote_job_origin is None:
            return False
        if WILL_RETRY_TAG in run.tags:
            return run.tags[WILL_RETRY_TAG] == "true"
        is_undecided = run.status in FAILED_RUNS and instance.run_retries_enabled
        return is_undecided and now - record.update_timestamp.timestamp() < UNDECIDED_S
    return False


def list_video(instance: dg.DagsterInstance, video_id: str) -> None:
    """Add the partition of a video, if it is missing."""
    instance.add_dynamic_partitions(VIDEOS.name or "", [video_id])


def unlist_video(instance: dg.DagsterInstance, video_id: str) -> None:
    """Delete the partition of a video, if it exists."""
    if instance.has_dynamic_partition(VIDEOS.name or "", video_id):
        instance.delete_dynamic_partition(VIDEOS.name or "", video_id)
