"""Schedules: yesterday's tweets once a day, whether or not a file arrived; new posts from X every few minutes."""

from datetime import timedelta

import dagster as dg

from klip_assets.defs.jobs import FETCH_X_POSTS, PROCESS_TWEET_DAYS
from klip_assets.defs.tags import RANGE_END_TAG, RANGE_START_TAG, UNFINISHED_RUNS
from klip_assets.settings import Settings


def build_schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """Build the schedules.

    Args:
        settings: Interval between fetches from X, and whether there is anything to fetch.
    """
    fetching = dg.DefaultScheduleStatus.RUNNING if settings.fetches_from_x else dg.DefaultScheduleStatus.STOPPED
    return [
        dg.schedule(
            name="yesterdays_tweets",
            job_name=PROCESS_TWEET_DAYS,
            cron_schedule="30 0 * * *",
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description="Rebuilds the UTC day that just ended. (Dagster's built-in daily schedule would pick today, "
            "the last partition.)",
        )(request_yesterday),
        dg.schedule(
            name="x_posts",
            job_name=FETCH_X_POSTS,
            cron_schedule="0 * * * *" if settings.x_every_min == 60 else f"*/{settings.x_every_min} * * * *",
            execution_timezone="UTC",
            default_status=fetching,
            description="Fetches new posts from X, if KLIP_X_BEARER_TOKEN and KLIP_X_QUERIES are set.",
        )(request_x_posts),
    ]


def request_yesterday(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Request a run for the day before the tick."""
    day = (context.scheduled_execution_time - timedelta(days=1)).date().isoformat()
    return dg.RunRequest(run_key=day, tags={RANGE_START_TAG: day, RANGE_END_TAG: day})


def request_x_posts(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Request a run, unless one is in progress or X is not configured."""
    if not Settings().fetches_from_x:
        return dg.SkipReason("KLIP_X_BEARER_TOKEN and KLIP_X_QUERIES are not both set")
    if context.instance.get_runs_count(dg.RunsFilter(job_name=FETCH_X_POSTS, statuses=UNFINISHED_RUNS)):
        return dg.SkipReason(f"a run of {FETCH_X_POSTS} is in progress")
    return dg.RunRequest()
