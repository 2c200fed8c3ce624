"""Schedules: yesterday's tweets once a day, whether or not a file arrived."""

from datetime import timedelta

import dagster as dg

from klip_assets.jobs import PROCESS_TWEET_DAYS
from klip_assets.resources import RANGE_END_TAG, RANGE_START_TAG


@dg.schedule(
    name="yesterdays_tweets",
    job_name=PROCESS_TWEET_DAYS,
    cron_schedule="30 0 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Makes the day that just ended anew. (With today as the last partition, Dagster's own daily schedule "
    "would take today.)",
)
def yesterdays_tweets(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for the day before the tick."""
    day = (context.scheduled_execution_time - timedelta(days=1)).date().isoformat()
    return dg.RunRequest(run_key=day, tags={RANGE_START_TAG: day, RANGE_END_TAG: day})


SCHEDULES = [yesterdays_tweets]
