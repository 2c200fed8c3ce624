"""Names that Dagster and Klip write on runs, and the states of a run that is not over."""

from __future__ import annotations

import dagster as dg

PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

#: How Dagster marks a failed run that it will start again, and the run that took its place.
WILL_RETRY_TAG = "dagster/will_retry"
AUTO_RETRY_RUN_ID_TAG = "dagster/auto_retry_run_id"

#: How Dagster marks a run with the key of the request it was started for.
RUN_KEY_TAG = "dagster/run_key"

#: A run with this tag reuses stages whose version and inputs have not changed, and so does a run of a backfill. Runs of
#: one partition that a person starts in the UI do not.
REUSE_TAG = "klip/reuse"
BACKFILL_TAG = "dagster/backfill"

#: A run with this tag computes every stage, whatever else it has.
FORCE_TAG = "klip/force"

#: A launched run carries its own id and its worker's process here (a retry is given the tags of the run before it).
WORKER_TAG = "klip/worker"

#: Runs of the command line carry their process here, so that a later one can tell when it died.
PROCESS_TAG = "klip/process"

#: Publishing goes ahead of queued videos: else the first of fifty would be seen only after the last.
PUBLISH_TAGS = {"klip/publish": "true", "dagster/priority": "10"}

#: Tweets are seconds of work and need not wait for hours of video.
TWEET_TAGS = {"dagster/priority": "5"}

#: Runs that are queued or in progress.
UNFINISHED_RUNS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
