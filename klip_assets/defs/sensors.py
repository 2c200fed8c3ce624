"""Sensors: they own ingestion. What is new in an inbox, or new in the lake, becomes a run; nothing else does.

Each sensor is plumbing around questions that `work.scan`, `work.ingest`, `work.due` and `work.publishing` answer.
"""

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from klip_assets.defs.jobs import (
    INGEST_TWEETS,
    PROCESS_TWEET_DAYS,
    PROCESS_VIDEO,
    PUBLISH,
    ingest_config,
    ingest_tweets,
    process_tweet_days,
)
from klip_assets.defs.partitions import VIDEOS
from klip_assets.defs.resources import Installation
from klip_assets.defs.tags import (
    AUTO_RETRY_RUN_ID_TAG,
    PARTITION_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    REUSE_TAG,
    RUN_KEY_TAG,
    UNFINISHED_RUNS,
    WILL_RETRY_TAG,
)
from klip_assets.settings import Settings
from klip_assets.work.due import day_ranges, dirty_days
from klip_assets.work.ingest import pending
from klip_assets.work.publishing import publish_due
from klip_assets.work.scan import scan

#: Partitions that one look may add back; SQLite takes only so many in one statement.
_MAX_PARTITIONS = 500


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """Make the sensors.

    Args:
        settings: Gives the interval between scans.
    """
    polling: dict[str, Any] = {
        "minimum_interval_seconds": settings.sensor_interval_s,
        "default_status": dg.DefaultSensorStatus.RUNNING,
    }
    return [
        dg.sensor(
            name="vods",
            job_name=PROCESS_VIDEO,
            description="A new or changed recording in data/inbox/vods, stable over two looks, becomes a partition "
            "and a run.",
            **polling,
        )(scan_vods),
        dg.sensor(
            name="tweets",
            jobs=[ingest_tweets, process_tweet_days],
            description="New or changed files in data/inbox/tweets are read; then the days they touch are made anew.",
            **polling,
        )(scan_tweets),
        dg.sensor(
            name="publish",
            job_name=PUBLISH,
            description="Publishes when the lake holds something the warehouse does not: after successes, failures, "
            "and runs of the command line alike.",
            **polling,
        )(compare_lake),
        dg.run_failure_sensor(
            name="alerts",
            default_status=dg.DefaultSensorStatus.RUNNING,
            description="Logs every failed run and, if KLIP_ALERT_WEBHOOK is set, posts it there as JSON.",
        )(report_failure),
    ]


def scan_vods(context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]) -> dg.SensorResult:
    """Look at the VOD inbox."""
    here = installation.here
    at_most = here.settings.sensor_batch
    # Before the lake is looked at: a run that ends in between has then either left its work there, or is seen here.
    under_way = _videos_under_way(context.instance)
    # Before what is accepted, too: `klip remove` withdraws a video and then takes it off the list; the other way round
    # a look in between would put it back.
    known = set(context.instance.get_dynamic_partitions(VIDEOS.name or ""))
    before = json.loads(context.cursor) if context.cursor else {}
    look = scan(here, before, at_most=at_most, now=time.time())
    videos = [entry for entry in look.due.videos if entry.video_id not in under_way][:at_most]
    videos = [entry for entry in videos if not _will_be_retried(context.instance, entry.video_id)]
    new = [entry.video_id for entry in videos if entry.video_id not in known]
    # What is accepted is listed as well: the storage may be new, or somebody deleted a partition in the UI.
    unlisted = sorted(look.due.accepted - known - set(new))
    new += unlisted[:_MAX_PARTITIONS]
    requests = [
        dg.RunRequest(
            run_key=look.due.attempts[entry.video_id]
            + ("" if entry.video_id in known else _runs_before(context.instance, entry.video_id)),
            partition_key=entry.video_id,
            tags={REUSE_TAG: "true"},
        )
        for entry in videos
    ]
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[VIDEOS.build_add_request(new)] if new else [],
        cursor=json.dumps(dict(look.pending)),
    )


def scan_tweets(
    context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]
) -> dg.SensorResult | dg.SkipReason:
    """Look at the tweet inbox, and for days whose sources changed."""
    here = installation.here
    before = json.loads(context.cursor) if context.cursor else {}
    for job in (INGEST_TWEETS, PROCESS_TWEET_DAYS):
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=UNFINISHED_RUNS)):
            return dg.SkipReason(f"a run of {job} is under way")
    found = pending(here, before)
    requests: list[dg.RunRequest] = []
    tried = 0
    if found.is_any:
        # What failed on the machine is tried again within the hour, not at every look.
        run_key = f"tweets:{found.version}:{_hour()}"
        requests.append(dg.RunRequest(run_key=run_key, job_name=INGEST_TWEETS, run_config=ingest_config(found.names)))
        # A file that can't be read stays new; once its ingest was tried, it holds up the days of the others no longer.
        tried = context.instance.get_runs_count(dg.RunsFilter(tags={RUN_KEY_TAG: run_key}))
    if not requests or tried:
        requests += day_requests(dirty_days(here.lake, here.attempts.all(), now=time.time()))
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(dict(found.settling)))


def day_requests(days: Mapping[str, str]) -> list[dg.RunRequest]:
    """Ask for runs over days (day -> name of the attempt), one for each range of consecutive ones."""
    requests = []
    for first, last in day_ranges(days):
        attempts = [days[day] for day in sorted(days) if first <= day <= last]
        tags = {RANGE_START_TAG: first, RANGE_END_TAG: last, REUSE_TAG: "true"}
        requests.append(dg.RunRequest(run_key=f"days:{_digest(attempts)}", job_name=PROCESS_TWEET_DAYS, tags=tags))
    return requests


def compare_lake(
    context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]
) -> dg.SensorResult | dg.SkipReason:
    """Compare the lake with what is published."""
    if context.instance.get_runs_count(dg.RunsFilter(job_name=PUBLISH, statuses=UNFINISHED_RUNS)):
        return dg.SkipReason("a publish is under way")
    due = publish_due(installation.here)
    if due is None:
        return dg.SkipReason("everything in the lake is published")
    # A publish that failed is tried again within the hour, not at every look.
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"{due}:{_hour()}")])


def report_failure(context: dg.RunFailureSensorContext) -> None:
    """Tell people about a failed run."""
    run = context.dagster_run
    alert = {
        "run_id": run.run_id,
        "job": run.job_name,
        "partition": run.tags.get(PARTITION_TAG),
        "error": context.failure_event.message,
    }
    context.log.error(f"run {run.run_id} of {run.job_name} failed: {alert['error']}")
    webhook = Settings().alert_webhook
    if not webhook:
        return
    body = json.dumps(alert).encode()
    request = urllib.request.Request(webhook, body, {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10):
            pass
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        # The webhook's address may hold a secret: it is not repeated in the log.
        context.log.error(f"KLIP_ALERT_WEBHOOK could not be reached: {type(error).__name__}")


def _videos_under_way(instance: dg.DagsterInstance) -> set[str]:
    # Of whatever job: a backfill from the lineage graph runs none of ours by name.
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED_RUNS))
    return {run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags}


def _will_be_retried(instance: dg.DagsterInstance, video_id: str) -> bool:
    # A run whose worker died is started again by Dagster itself.
    last = instance.get_runs(dg.RunsFilter(tags={PARTITION_TAG: video_id}), limit=1)
    return any(run.tags.get(WILL_RETRY_TAG) == "true" and AUTO_RETRY_RUN_ID_TAG not in run.tags for run in last)


def _runs_before(instance: dg.DagsterInstance, video_id: str) -> str:
    # A partition that is deleted while its run is on makes the run fail: what is not listed gets a new try.
    runs = instance.get_runs_count(dg.RunsFilter(job_name=PROCESS_VIDEO, tags={PARTITION_TAG: video_id}))
    return f":{runs}" if runs else ""


def _hour() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H")


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
