"""Exact counts of every real tweet file that is at hand, by benchmarks/tweet_files.py."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from klip_assets.signals.tweets.staging import stage
from klip_assets_tests.programs import load

SEMEVAL = "tw-semeval2017/dataset/Subtask_A/downloaded"
#: File -> kind, rows in, out, duplicates, deletions, refused, time mismatches, their typical difference.
COUNTS = {
    "tw-538/trump-twitter/realDonaldTrump_poll_tweets.csv": ("delimited text", 448, 445, 0, 0, 3, 0, ""),
    "tw-538/twitter-ratio/BarackObama.csv": ("delimited text", 3207, 3207, 0, 0, 0, 0, ""),
    "tw-538/twitter-ratio/realDonaldTrump.csv": ("delimited text", 3232, 3232, 0, 0, 0, 0, ""),
    "tw-airline/Tweets.csv": ("delimited text", 7242, 7242, 0, 0, 0, 7242, "-8 h"),
    f"{SEMEVAL}/twitter-2013dev-A.tsv": ("delimited text", 1654, 1649, 5, 0, 0, 0, ""),
    f"{SEMEVAL}/twitter-2013test-A.tsv": (
        "delimited text",
        3547,
        3545,
        2,
        0,
        0,
        0,
        "",
    ),
    f"{SEMEVAL}/twitter-2013train-A.tsv": (
        "delimited text",
        9684,
        9649,
        35,
        0,
        0,
        0,
        "",
    ),
    f"{SEMEVAL}/twitter-2014sarcasm-A.tsv": ("delimited text", 86, 86, 0, 0, 0, 0, ""),
    f"{SEMEVAL}/twitter-2014test-A.tsv": (
        "delimited text",
        1853,
        1853,
        0,
        0,
        0,
        0,
        "",
    ),
    f"{SEMEVAL}/twitter-2015test-A.tsv": (
        "delimited text",
        2390,
        2379,
        11,
        0,
        0,
        0,
        "",
    ),
    f"{SEMEVAL}/twitter-2015train-A.tsv": ("delimited text", 489, 488, 1, 0, 0, 0, ""),
    f"{SEMEVAL}/twitter-2016dev-A.tsv": ("delimited text", 1999, 1997, 2, 0, 0, 0, ""),
    f"{SEMEVAL}/twitter-2016devtest-A.tsv": (
        "delimited text",
        2000,
        1998,
        2,
        0,
        0,
        0,
        "",
    ),
    f"{SEMEVAL}/twitter-2016test-A.tsv": (
        "delimited text",
        20632,
        20556,
        76,
        0,
        0,
        0,
        "",
    ),
    f"{SEMEVAL}/twitter-2016train-A.tsv": (
        "delimited text",
        6000,
        5975,
        25,
        0,
        0,
        0,
        "",
    ),
    "tw-twarc-v2/test-data/2sets.jsonl": ("JSON", 200, 200, 0, 0, 0, 0, ""),
    "tw-twarc-v2/test-data/cashtags.jsonl": ("JSON", 1, 1, 0, 0, 0, 0, ""),
    "tw-twarc-v2/test-data/counts.jsonl": ("JSON", 1, 0, 0, 0, 1, 0, ""),
    "tw-twarc-v2/test-data/empty.json": ("", 1, 0, 0, 0, 1, 0, ""),
    "tw-twarc-v2/test-data/flat.jsonl": ("JSON", 100, 100, 0, 0, 0, 0, ""),
    "tw-twarc-v2/test-data/geo_tweets.jsonl": ("JSON", 2, 2, 0, 0, 0, 0, ""),
    "tw-twarc-v2/test-data/lists.jsonl": ("JSON", 1, 0, 0, 0, 1, 0, ""),
    "tw-twarc-v2/test-data/many_urls.jsonl": ("JSON", 1, 1, 0, 0, 0, 0, ""),
    "tw-twarc-v2/test-data/media_tweet.jsonl": ("JSON", 1, 1, 0, 0, 0, 0, ""),
    "tw-twarc-v2/test-data/mentions_tweet.jsonl": ("JSON", 1, 1, 0, 0, 0, 0, ""),
    "tw-twarc-v2/test-data/noflat.jsonl": ("JSON", 100, 100, 0, 0, 0, 0, ""),
    "tw-twarc-v2/test-data/tweets_compliance.jsonl": ("JSON", 2, 0, 0, 2, 0, 0, ""),
    "tw-twarc-v2/test-data/two_tweets.jsonl": ("JSON", 1, 1, 0, 0, 0, 0, ""),
    "tw-twarc-v2/test-data/users.jsonl": ("JSON", 1, 0, 0, 0, 1, 0, ""),
    "tw-twarc-v2/test-data/users_compliance.jsonl": ("JSON", 2, 0, 0, 0, 2, 0, ""),
    "tw-twarc-v2/test-data/verified_type.jsonl": ("JSON", 1, 1, 0, 0, 0, 0, ""),
    "tw-tweeteval/datasets/emoji/train_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/emoji/val_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/emotion/train_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/emotion/val_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/hate/train_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/hate/val_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/irony/train_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/irony/val_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/offensive/train_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/offensive/val_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
    "tw-tweeteval/datasets/sentiment/val_text.txt": ("delimited text", 1, 0, 0, 0, 1, 0, ""),
}


@pytest.fixture(scope="module")
def script() -> Any:
    return load("benchmarks/tweet_files.py")


@pytest.mark.slow
def test_every_record_of_the_real_files_is_accounted_for(shared_data: Path, script: Any) -> None:
    found = {row.pop("file"): tuple(row.values()) for row in script.look(shared_data)}
    assert found == COUNTS
    for _, rows_in, rows_out, duplicates, deletions, refused, _, _ in found.values():
        assert rows_in == rows_out + duplicates + deletions + refused


def test_the_real_airline_tweets_land_on_their_utc_days(shared_data: Path) -> None:
    # The file tells Pacific time: by its own times, the evenings would fall on the day before.
    path = shared_data / "tw-airline" / "Tweets.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(int(row["tweet_id"]), row["tweet_created"]) for row in csv.DictReader(file)]
    by_hand = {i: datetime.fromtimestamp(((i >> 22) + 1288834974657) / 1000, UTC).date() for i, _ in rows}
    as_told = {i: datetime.strptime(told.split()[0], "%m/%d/%Y").date() for i, told in rows}
    staged = stage(path)
    found = {int(i): day for day, part in staged.parts.items() for i in part["tweet_id"].to_pylist()}
    assert found == by_hand
    assert sum(found[i] != as_told[i] for i in found) > 1000
    assert (staged.time_mismatches, staged.typical_offset) == (7242, "-8 h")
