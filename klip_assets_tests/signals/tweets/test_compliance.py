from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from klip_assets.formats.refused import Refused
from klip_assets.signals.tweets.compliance import Deletion
from klip_assets.signals.tweets.readers import read_tweets
from klip_assets.signals.tweets.staging import stage

Drop = Callable[..., Path]
ID = "1380242611781386245"
DAY = date(2021, 4, 8)


@pytest.mark.parametrize(
    "event",
    [
        {"id": ID, "action": "delete", "created_at": "2021-04-08T19:34:16.000Z", "reason": "deleted"},
        {"data": {"delete": {"tweet": {"id": ID, "author_id": "7"}, "event_at": "2022-01-01T00:00:00Z"}}},
        {"delete": {"status": {"id": int(ID), "id_str": ID, "user_id": 7}, "timestamp_ms": "1"}},
    ],
)
def test_a_deleted_tweet_is_reported_in_each_form(drop: Drop, event: dict[str, Any]) -> None:
    assert list(read_tweets(drop([event]))) == [Deletion(ID, DAY)]


@pytest.mark.parametrize(
    ("event", "what"),
    [
        ({"data": {"user_delete": {"user": {"id": "7"}}}}, "user_delete: users are not deleted"),
        ({"data": {"scrub_geo": {"user": {"id": "7"}, "up_to_tweet_id": ID}}}, "scrub_geo: Klip stores no places"),
        ({"scrub_geo": {"user_id": 7, "up_to_status_id": 5}}, "scrub_geo"),
        ({"data": {"withheld": {"tweet": {"id": ID}, "withheld_in_countries": ["DE"]}}}, "withheld"),
        ({"data": {"undrop": {"tweet": {"id": ID}}}}, "undrop"),
        ({"data": {"tweet_edit": {"tweet": {"id": ID}, "initial_tweet_id": ID}}}, "tweet_edit"),
        ({"id": "1482680858", "action": "delete", "created_at": "2013-06-04T16:25:04Z"}, "of user 1482680858"),
        ({"id": ID, "action": "delete", "reason": "scrub_geo"}, "scrub_geo"),
        ({"id": ID, "action": "keep"}, "action keep"),
    ],
)
def test_every_other_event_is_refused_by_its_name(drop: Drop, event: dict[str, Any], what: str) -> None:
    (refusal,) = read_tweets(drop([event]))
    assert isinstance(refusal, Refused)
    assert refusal.reason == "a compliance event that is not applied"
    assert what in refusal.detail


def test_a_file_of_deletions_is_parted_by_day_and_counted(drop: Drop) -> None:
    events = [{"id": i, "action": "delete"} for i in (ID, ID, str(int(ID) + (86_400_000 << 22)), "x")]
    staged = stage(drop(events))
    assert {day: table["tweet_id"].to_pylist() for day, table in staged.deleted.items()} == {
        DAY: [ID], date(2021, 4, 9): [str(int(ID) + (86_400_000 << 22))]
    }  # fmt: skip
    assert (staged.rows_in, staged.rows_out, staged.deletions, len(staged.refused)) == (4, 0, 3, 1)


def test_tweets_and_deletions_in_one_stream_are_kept_apart(drop: Drop) -> None:
    staged = stage(drop([{"data": {"id": ID, "text": "x"}}, {"delete": {"status": {"id_str": ID}}}]))
    assert (staged.rows_out, staged.deletions) == (1, 1)


def test_the_real_results_of_compliance_jobs_are_read(shared_data: Path) -> None:
    folder = shared_data / "tw-twarc-v2" / "test-data"
    staged = stage(folder / "tweets_compliance.jsonl")
    assert (staged.deletions, len(staged.deleted), staged.refused) == (2, 2, [])
    staged = stage(folder / "users_compliance.jsonl")
    assert staged.deletions == 0
    assert all("user" in refusal.detail for refusal in staged.refused)
    assert len(staged.refused) == 2
