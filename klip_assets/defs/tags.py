"""Run tags of Dagster and Klip, and the sets of run statuses that Klip queries."""

from __future__ import annotations

import dagster as dg

PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"

#: With these, Dagster marks a failed run that it will retry, and names the run that replaced it.
WILL_RETRY_TAG = "dagster/will_retry"
AUTO_RETRY_RUN_ID_TAG = "dagster/auto_retry_run_id"

#: Dagster's tag with the key of the request that a run was started for.
RUN_KEY_TAG = "dagster/run_key"

#: A run with this tag reuses stages whose version and inputs have not changed, and so does a run of a backfill. A run
#: that a person starts in the UI for one partition does not.
REUSE_TAG = "klip/reuse"
BACKFILL_TAG = "dagster/backfill"

#: A run with this tag recomputes every stage, whatever its other tags.
FORCE_TAG = "klip/force"

#: A launched run has its own id and its worker's process here (the id, since a retry inherits the tags of its parent).
WORKER_TAG = "klip/worker"

#: Runs of the command line have their process here, so that a later one can tell that it died.
PROCESS_TAG = "klip/process"

#: A publish goes ahead of queued videos: otherwise the first of fifty would become visible only after the last.
PUBLISH_TAGS = {"klip/publish": "true", "dagster/priority": "10"}

#: Tweets take seconds and need not wait for hours of video.
TWEET_TAGS = {"dagster/priority": "5"}

#: Runs that may still change something: while there is one, a sensor starts no other.
UNFINISHED_RUNS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

#: Runs that block `klip remove` on their video. A run being canceled does not: it holds the lock of its video while it
#: lives, and if its worker is gone it may stay in that state forever. Nor does a run that is only recorded
#: (NOT_STARTED): that lasts a moment, or forever if a kill came in between.
QUEUED_OR_STARTED_RUNS = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

#: Unfinished runs of the command line: if their process died, nothing else ends them. Only runs of the daemon are ever
#: queued or being canceled.
RUNS_OF_A_PROCESS = [
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

#: Runs that Dagster may repeat.
FAILED_RUNS = [dg.DagsterRunStatus.FAILURE]

#: Runs that are final and may be deleted.
FINISHED_RUNS = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
