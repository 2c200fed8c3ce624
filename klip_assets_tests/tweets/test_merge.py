from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.contracts import TWEETS, TWEETS_RAW
from klip_assets.lake.validate import conform
from klip_assets.tweets.merge import RawSource, merge_day

NOW = datetime(2024, 1, 1)
OLD, NEW = datetime(2021, 4, 9), datetime(2021, 4, 10)
Raw = Callable[..., pa.Table]


def merged(*sources: RawSource) -> list[dict[str, object]]:
    table = merge_day(sources, ingested_at=NOW)
    conform(TWEETS, table)
    return table.to_pylist()


def test_the_copy_observed_last_wins_and_one_without_a_time_loses(raw: Raw) -> None:
    rows = merged(
        RawSource("a", "a.jsonl", raw({"tweet_id": "5", "text": "undated", "like_count": 99})),
        RawSource("b", "b.jsonl", raw({"tweet_id": "5", "text": "new", "observed_at": NEW, "like_count": 1})),
        RawSource("c", "c.jsonl", raw({"tweet_id": "5", "text": "old", "observed_at": OLD, "like_count": 50})),
    )
    assert [(row["text"], row["source_files"]) for row in rows] == [("new", ["a.jsonl", "b.jsonl", "c.jsonl"])]


def test_of_copies_of_the_same_time_the_larger_counts_win_and_unknown_is_less_than_none(raw: Raw) -> None:
    few = RawSource("a", "a", raw({"tweet_id": "5", "text": "few", "like_count": 1, "retweet_count": 1}))
    many = RawSource("b", "b", raw({"tweet_id": "5", "text": "many", "like_count": 3, "retweet_count": 0}))
    assert merged(few, many)[0]["text"] == "many"
    unknown = RawSource("a", "a", raw({"tweet_id": "5", "text": "unknown"}))
    zero = RawSource("b", "b", raw({"tweet_id": "5", "text": "zero", "like_count": 0}))
    assert merged(unknown, zero)[0]["text"] == "zero"


def test_of_equal_copies_that_of_the_smaller_hash_wins(raw: Raw) -> None:
    one = RawSource("bb", "x", raw({"tweet_id": "5", "text": "bb"}))
    two = RawSource("aa", "y", raw({"tweet_id": "5", "text": "aa"}))
    assert merged(one, two)[0]["text"] == "aa"


def test_tweets_are_sorted_by_number_and_not_by_text(raw: Raw) -> None:
    rows = merged(RawSource("a", "a", raw(*({"tweet_id": i} for i in ("100", "9", "20")))))
    assert [row["tweet_id"] for row in rows] == ["9", "20", "100"]


def test_a_day_without_tweets_is_an_empty_table(raw: Raw) -> None:
    assert merged() == []
    assert merged(RawSource("a", "a", raw())) == []


def test_the_time_of_ingestion_is_written_as_utc(raw: Raw) -> None:
    table = merge_day([RawSource("a", "a", raw({"tweet_id": "5"}))], ingested_at=datetime(2024, 1, 1, 5, tzinfo=UTC))
    assert table["ingested_at"].to_pylist() == [datetime(2024, 1, 1, 5)]


copies = st.fixed_dictionaries(
    {
        "tweet_id": st.sampled_from(["9", "20", "100", "1380242611781386245"]),
        "observed_at": st.sampled_from([None, OLD, NEW]),
        "like_count": st.sampled_from([None, 0, 1, 2]),
        "reply_count": st.sampled_from([None, 0, 1]),
        "text": st.text(st.characters(codec="utf-8"), max_size=3),
    }
)


@settings(deadline=None)
@given(st.lists(st.lists(copies, max_size=4, unique_by=lambda row: row["tweet_id"]), max_size=6), st.randoms())
def test_the_order_of_the_files_does_not_matter(files: list[list[dict[str, object]]], chance: random.Random) -> None:
    sources = [
        RawSource(f"{number:02x}", f"file {number % 3}", TWEETS_RAW.from_rows(rows))
        for number, rows in enumerate(files)
    ]
    expected = merge_day(sources, ingested_at=NOW)
    assert expected.num_rows == len({row["tweet_id"] for rows in files for row in rows})
    chance.shuffle(sources)
    assert merge_day(sources, ingested_at=NOW).equals(expected)
