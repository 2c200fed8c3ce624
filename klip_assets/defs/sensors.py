"""Sensors: they own ingestion. What is new in an inbox or in the lake becomes a run; nothing else does.

Each sensor is plumbing around `work.scan`, `work.ingest`, `work.due` and `work.publishing`, which decide.
"""

import hashlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import PurePath
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
from klip_assets.defs.runs import will_be_repeated
from klip_assets.defs.tags import (
    PARTITION_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    REUSE_TAG,
    RUN_KEY_TAG,
    UNFINISHED_RUNS,
)
from klip_assets.settings import Settings
from klip_assets.work.due import day_ranges, dirty_days
from klip_assets.work.ingest import pending
from klip_assets.work.publishing import publish_due
from klip_assets.work.scan import scan

#: Maximum partitions added back per scan; SQLite limits how many fit in one statement.
_MAX_PARTITIONS = 500


def build_sensors(settings: Settings) -> list[dg.SensorDefinition]:
    """Build the sensors.

    Args:
        settings: Interval between scans.
    """
    polling: dict[str, Any] = {
        "minimum_interval_seconds": settings.sensor_interval_s,
        "default_status": dg.DefaultSensorStatus.RUNNING,
    }
    return [
        dg.sensor(
            name="vods",
            job_name=PROCESS_VIDEO,
            description="Adds a partition and requests a run for each new or changed recording in data/inbox/vods, "
            "once it is unchanged between two scans.",
            **polling,
        )(scan_vods),
        dg.sensor(
            name="tweets",
            jobs=[ingest_tweets, process_tweet_days],
            description="Reads new or changed files in data/inbox/tweets, then rebuilds the UTC days they touch.",
            **polling,
        )(scan_tweets),
        dg.sensor(
            name="publish",
            job_name=PUBLISH,
            description="Publishes when the lake has something that the warehouse lacks, after successful and failed "
            "runs and after runs of the command line.",
            **polling,
        )(compare_lake),
        dg.run_failure_sensor(
            name="alerts",
            default_status=dg.DefaultSensorStatus.RUNNING,
            description="Logs every failed run and, if KLIP_ALERT_WEBHOOK is set, posts it there as JSON.",
        )(report_failure),
    ]


def scan_vods(context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]) -> dg.SensorResult:
    """Scan the VOD inbox."""
    here = installation.here
    at_most = here.settings.sensor_batch
    # Read before the lake: a run that ends in between has then either left its work there, or is seen here.
    in_progress = _videos_in_progress(context.instance)
    # Also read before the accepted generations: `klip remove` first withdraws a video, then deletes its partition; in
    # the other order, a scan in between would add the partition back.
    known = set(context.instance.get_dynamic_partitions(VIDEOS.name or ""))
    before = json.loads(context.cursor) if context.cursor else {}
    found = scan(here, before, at_most=at_most, now=time.time())
    # A run that waits long in the queue may find its video done by `klip process`, and still costs a process.
    room = max(0, at_most - len(in_progress))
    videos = [entry for entry in found.due.videos if entry.video_id not in in_progress][:room]
    videos = [entry for entry in videos if not _is_repeated(context.instance, tags={PARTITION_TAG: entry.video_id})]
    new = [entry.video_id for entry in videos if entry.video_id not in known]
    # Accepted videos get their partition back: the storage may be new, or someone deleted a partition in the UI.
    unlisted = sorted(found.due.accepted - known - set(new))
    new += unlisted[:_MAX_PARTITIONS]
    requests = [
        dg.RunRequest(
            run_key=found.due.attempts[entry.video_id]
            + ("" if entry.video_id in known else _runs_before(context.instance, entry.video_id)),
            partition_key=entry.video_id,
            tags={REUSE_TAG: "true"},
        )
        for entry in videos
    ]
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[VIDEOS.build_add_request(new)] if new else [],
        cursor=json.dumps(dict(found.pending)),
        skip_reason=_told(context, here.settings.vod_inbox.name, found.unreadable, requests),
    )


def scan_tweets(
    context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]
) -> dg.SensorResult | dg.SkipReason:
    """Scan the tweet inbox, and find days whose sources changed."""
    here = installation.here
    before = json.loads(context.cursor) if context.cursor else {}
    for job in (INGEST_TWEETS, PROCESS_TWEET_DAYS):
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=UNFINISHED_RUNS)):
            return dg.SkipReason(f"a run of {job} is in progress")
        if _is_repeated(context.instance, job_name=job):
            return dg.SkipReason(f"a run of {job} is about to be repeated")
    found = pending(here, before)
    requests: list[dg.RunRequest] = []
    tried = 0
    if found.is_any:
        # An ingest that failed because of the machine is retried once an hour, not at every scan.
        run_key = f"tweets:{found.version}:{_hour()}"
        requests.append(dg.RunRequest(run_key=run_key, job_name=INGEST_TWEETS, run_config=ingest_config(found.names)))
        # A file that can't be read stays new; once its ingest was tried, it no longer holds up the days of other files.
        tried = context.instance.get_runs_count(dg.RunsFilter(tags={RUN_KEY_TAG: run_key}))
    if not requests or tried:
        requests += day_requests(dirty_days(here.lake, here.attempts.all(), now=time.time()))
    skip_reason = _told(context, here.settings.tweet_inbox.name, found.problems, requests)
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(dict(found.settling)), skip_reason=skip_reason)


def day_requests(days: Mapping[str, str]) -> list[dg.RunRequest]:
    """Return run requests for days (day -> name of the attempt), one per range of consecutive days."""
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
        return dg.SkipReason("a publish is in progress")
    due = publish_due(installation.here)
    if due is None:
        return dg.SkipReason("everything in the lake is published")
    # A publish that failed is retried once an hour, not at every tick.
    return dg.SensorResult(run_requests=[dg.RunRequest(run_key=f"{due}:{_hour()}")])


def report_failure(context: dg.RunFailureSensorContext) -> None:
    """Report a failed run to people."""
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
        # The webhook's URL may contain a secret, so it is not logged.
        context.log.error(f"KLIP_ALERT_WEBHOOK could not be reached: {type(error).__name__}")


def _told(
    context: dg.SensorEvaluationContext, inbox: str, problems: Mapping[str, str], requests: Sequence[dg.RunRequest]
) -> str | None:
    """Log what keeps an inbox from being read; where no run is requested, it is the reason that the UI shows."""
    told = "; ".join(f"{PurePath(inbox, name)}: {problem}" for name, problem in sorted(problems.items()))
    if told:
        context.log.warning(told)
    return told if told and not requests else None


def _videos_in_progress(instance: dg.DagsterInstance) -> set[str]:
    # Runs of any job: a backfill from the lineage graph runs none of ours by name.
    runs = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED_RUNS))
    return {run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags}


def _is_repeated(instance: dg.DagsterInstance, **runs: Any) -> bool:
    # Dagster itself repeats a run whose worker died, perhaps since the runs in progress were read.
    return will_be_repeated(instance, dg.RunsFilter(**runs), now=time.time())


def _runs_before(instance: dg.DagsterInstance, video_id: str) -> str:
    # Deleting a partition while its run is in progress makes the run fail: a video without a partition is retried.
    runs = instance.get_runs_count(dg.RunsFilter(job_name=PROCESS_VIDEO, tags={PARTITION_TAG: video_id}))
    return f":{runs}" if runs else ""


def _hour() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H")


def _digest(parts: list[str]) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]
