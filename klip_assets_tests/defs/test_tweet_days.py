"""Days of tweets as runs of Dagster: ranges, what was interrupted, and what the UI is told."""

from __future__ import annotations

from datetime import date, timedelta

import dagster as dg
import pytest

from klip_assets.cli.progress import BarProgress
from klip_assets.defs.assets.tweets import TWEET_FILES
from klip_assets.defs.instance import dagster_instance
from klip_assets.defs.jobs import INGEST_TWEETS
from klip_assets.defs.runner import Runner
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.state.registry import Registry
from klip_assets_tests.made import tweet, tweet_id_at, write_tweets
from klip_assets_tests.processed import drop_tweets, process, query, tweets_written_at
from klip_assets_tests.worked import work


def test_a_file_ends_in_its_days(settings: Settings) -> None:
    drop_tweets(settings)
    report = process(settings)
    assert [row["what"] for row in report.rows] == [
        "tweet files (1 new, 0 gone)", "tweets 2026-06-12 to 2026-06-13", "warehouse"
    ]  # fmt: skip
    days = query(
        settings,
        "SELECT day::VARCHAR AS day, tweets, positive_share, negative_share, top_hashtags FROM tweet_daily ORDER BY 1",
    )
    assert [(row["day"], row["tweets"], row["positive_share"], row["negative_share"]) for row in days] == [
        ("2026-06-12", 2, 0.5, 0.5), ("2026-06-13", 2, 0.5, 0.5)
    ]  # fmt: skip
    assert days[0]["top_hashtags"] == [{"tag": "speedrun", "n": 1}]


def test_a_named_day_is_made_again(published: Settings) -> None:
    report = process(published, days=["2026-06-12"])
    assert [row["what"] for row in report.rows] == ["tweets 2026-06-12", "warehouse"]


def test_an_interrupted_ingest_is_found_by_the_next_process(settings: Settings, lake: Lake, registry: Registry) -> None:
    drop_tweets(settings)
    with dagster_instance(settings) as instance:
        assert Runner(instance, BarProgress(quiet=True)).run(INGEST_TWEETS).ok
    # As if the process had died before the days were made.
    report = process(settings)
    assert [row["what"] for row in report.rows] == ["tweets 2026-06-12 to 2026-06-13", "warehouse"]


@pytest.mark.slow
def test_ninety_days_come_in_with_one_command_and_a_late_tweet_changes_one(settings: Settings) -> None:
    days = [(date(2026, 1, 1) + timedelta(days=n)).isoformat() for n in range(90)]
    write_tweets(settings.tweet_inbox / "quarter.jsonl", [tweet(tweet_id_at(day, n)) for day in days for n in range(2)])
    report = process(settings)
    assert [row["outcome"] for row in report.rows] == ["done"] * 3
    assert query(settings, "SELECT count(*) AS days, sum(tweets)::INT AS n FROM tweet_daily") == [
        {"days": 90, "n": 180}
    ]
    before = tweets_written_at(settings)
    write_tweets(settings.tweet_inbox / "late.jsonl", [tweet(tweet_id_at("2026-02-03", 9))])
    assert work(settings).ok
    changed = {key for key, at in tweets_written_at(settings).items() if at != before.get(key)}
    assert changed == {(table, "2026-02-03") for table in ("tweets", "tweet_sentiment", "tweet_daily")}


def test_a_file_in_local_time_is_reported_with_its_difference(settings: Settings) -> None:
    rows = [f"{tweet_id_at('2026-06-12', n)},2026-06-12 04:00:0{n},x" for n in range(3)]
    (settings.tweet_inbox / "pacific.csv").write_text("id,created_at,text\n" + "\n".join(rows))
    with dagster_instance(settings) as instance:
        outcome = Runner(instance, BarProgress(quiet=True)).run(INGEST_TWEETS)
        assert outcome.ok
        event = instance.get_latest_materialization_event(dg.AssetKey(TWEET_FILES))
        assert event and event.asset_materialization
        metadata = event.asset_materialization.metadata
    assert (metadata["time_mismatches"].value, metadata["rows"].value) == (3, 3)
    assert metadata["times_off"].value == {"pacific.csv": "3 rows, mostly -8 h"}
