"""Names that Dagster and Klip write on runs, and the sets of their states that are asked for."""

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

#: Runs that may still change something: a sensor starts no second one beside them.
UNFINISHED_RUNS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

#: Runs that keep `klip remove` from a video. A run that is being canceled is not among them: it holds the lock of its
#: video as long as it lives, and one whose worker is gone may stay in that state for ever. Nor is one that is only
#: recorded yet (NOT_STARTED): that lasts a moment, or for ever where a kill fell into it.
QUEUED_OR_STARTED_RUNS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

#: Runs of the command line that have not ended: where their process died, nobody else ends them. Queued and being
#: canceled are only runs of the daemon.
RUNS_OF_A_PROCESS = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

#: Runs that never change again, and may be deleted.
FINISHED_RUNS = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
