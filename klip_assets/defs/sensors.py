"""Sensors: they own ingestion. What is new in an inbox, or new in the lake, becomes a run; nothing else does.

Each sensor is plumbing around questions that `inbox.changes`, `work.due` and `store.warehouse` answer.
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
from klip_assets.inbox.changes import settle, tweet_changes
from klip_assets.inbox.recordings import display_name, read_inbox
from klip_assets.settings import Settings
from klip_assets.store.warehouse.publish import needs_publish
from klip_assets.work.due import day_ranges, dirty_days, due_videos, note_deadly
from klip_assets.work.refusals import refuse_unknown

#: Partitions that one look may add back; SQLite takes only so many in one statement.
_MOST_PARTITIONS = 500


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
    settings, lake, registry = installation.settings, installation.lake, installation.registry
    # Before the lake is looked at: a run that ends in between has then either left its work there, or is seen here.
    under_way = _videos_under_way(context.instance)
    contents = read_inbox(settings.vod_inbox)
    before = json.loads(context.cursor) if context.cursor else {}
    settled = settle(contents.recordings, registry, before, at_most=settings.sensor_batch)
    # Files of a kind nobody knows are named in the quarantine; sidecars may still be waiting for their recording.
    refuse_unknown(lake, {display_name(path, settings.vod_inbox): why for path, why in contents.unknown}, run_id="")
    # Before what is accepted, too: `klip remove` withdraws a video and then takes it off the list; the other way round
    # a look in between would put it back.
    known = set(context.instance.get_dynamic_partitions(VIDEOS.name or ""))
    due = due_videos(settled.ready, installation.attempts, lake, now=time.time())
    for entry in due.deadly:
        note_deadly(lake, entry)
    videos = [entry for entry in due.videos if entry.video_id not in under_way][: settings.sensor_batch]
    videos = [entry for entry in videos if not _will_be_retried(context.instance, entry.video_id)]
    new = [entry.video_id for entry in videos if entry.video_id not in known]
    # What is accepted is listed as well: the storage may be new, or somebody deleted a partition in the UI.
    unlisted = sorted(due.accepted - known - set(new))
    new += unlisted[:_MOST_PARTITIONS]
    requests = [
        dg.RunRequest(
            run_key=due.attempts[entry.video_id]
            + ("" if entry.video_id in known else _runs_before(context.instance, entry.video_id)),
            partition_key=entry.video_id,
            tags={REUSE_TAG: "true"},
        )
        for entry in videos
    ]
    return dg.SensorResult(
        run_requests=requests,
        dynamic_partitions_requests=[VIDEOS.build_add_request(new)] if new else [],
        cursor=json.dumps(settled.pending),
    )


def scan_tweets(
    context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]
) -> dg.SensorResult | dg.SkipReason:
    """Look at the tweet inbox, and for days whose sources changed."""
    settings, lake = installation.settings, installation.lake
    before = json.loads(context.cursor) if context.cursor else {}
    for job in (INGEST_TWEETS, PROCESS_TWEET_DAYS):
        if context.instance.get_runs_count(dg.RunsFilter(job_name=job, statuses=UNFINISHED_RUNS)):
            return dg.SkipReason(f"a run of {job} is under way")
    changes = tweet_changes(settings.tweet_inbox, installation.registry, before)
    requests: list[dg.RunRequest] = []
    tried = 0
    left = installation.registry.leftovers()
    if changes.fresh or changes.gone or left:
        names = [str(file.name) for file in changes.fresh]
        key = _digest([*(f"{file.name}:{file.signature}" for file in changes.fresh), *map(str, changes.gone), *left])
        config = {"ops": {"tweet_files": {"config": {"files": names}}}}
        # What failed on the machine is tried again within the hour, not at every look.
        run_key = f"tweets:{key}:{_hour()}"
        requests.append(dg.RunRequest(run_key=run_key, job_name=INGEST_TWEETS, run_config=config))
        # A file that can't be read stays new; once its ingest was tried, it holds up the days of the others no longer.
        tried = context.instance.get_runs_count(dg.RunsFilter(tags={RUN_KEY_TAG: run_key}))
    if not requests or tried:
        requests += day_requests(dirty_days(lake, installation.attempts.all(), now=time.time()))
    return dg.SensorResult(run_requests=requests, cursor=json.dumps(changes.pending))


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
    settings = installation.settings
    due = needs_publish(
        installation.lake, settings.warehouse_dir, storage_version=settings.storage_version, ledger=settings.llm_path
    )
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
