"""A video in Dagster: its unfinished runs, and its partition."""

from __future__ import annotations

import dagster as dg

from klip_assets.defs.partitions import VIDEOS
from klip_assets.defs.tags import PARTITION_TAG, QUEUED_OR_STARTED_RUNS


def unfinished_run(instance: dg.DagsterInstance, video_id: str) -> str | None:
    """Return the id of a run of a video that is queued or started, None if there is none."""
    filters = dg.RunsFilter(tags={PARTITION_TAG: video_id}, statuses=QUEUED_OR_STARTED_RUNS)
    runs = instance.get_runs(filters, limit=1)
    return runs[0].run_id if runs else None


def list_video(instance: dg.DagsterInstance, video_id: str) -> None:
    """Add the partition of a video, if it is missing."""
    instance.add_dynamic_partitions(VIDEOS.name or "", [video_id])


def unlist_video(instance: dg.DagsterInstance, video_id: str) -> None:
    """Delete the partition of a video, if it exists."""
    if instance.has_dynamic_partition(VIDEOS.name or "", video_id):
        instance.delete_dynamic_partition(VIDEOS.name or "", video_id)
