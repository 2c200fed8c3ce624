"""The short ways to a row give what the long way gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klip_assets.contracts import TWEETS_RAW
from klip_assets.formats.refused import Refused, RowRefused
from klip_assets.signals.tweets.bulk import bulk_rows
from klip_assets.signals.tweets.clock import Clock
from klip_assets.signals.tweets.quick import quick_row
from klip_assets.signals.tweets.readers import read_tweets
from klip_assets.signals.tweets.rows import row_of_object
from klip_assets_tests.suite.examples import examples

Drop = Callable[..., Path]
NOW = datetime(2024, 1, 1)
FIRST = 1380242611781386245

maybe = st.none()
ids = st.integers(FIRST, FIRST + 10**12).map(str)
odd_ids = ids | st.sampled_from(["", "x", "7", "0", "9" * 19, str(2**63 - 1), str(2**63), "1" * 20, "012", "٣" * 12])
texts = st.sampled_from(
    [
        "plain words",
        "RT @ann: hi",
        "a &amp; b",
        "#tag and @name",
        "see t.co/x",
        "end. So",
        "é😀\u2028x",
        "",
        "$TSLA",
        "a.b",
    ]
) | st.text(st.characters(codec="utf-8"), max_size=12)
users = st.fixed_dictionaries(
    {}, optional={"id": odd_ids, "username": st.sampled_from(["ann", "A_1", "null", "1a", "é", "@x", ""]) | st.none()}
)
items = st.lists(
    st.fixed_dictionaries(
        {"tag": st.sampled_from(["a", "b", "", "é"]), "username": st.sampled_from(["u", "v"])},
        optional={"url": st.sampled_from(["http://t.co/1", "http://t.co/2"]), "expanded_url": st.just("http://x.org")},
    ),
    max_size=3,
)
references = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["retweeted", "quoted", "replied_to", "other"]), "id": odd_ids},
        optional={
            "text": st.sampled_from(["hi", "hello there, all of it", "", None]),
            "note_tweet": st.none() | st.just({"text": "the whole text"}),
        },
    ),
    max_size=2,
)

tweets = st.fixed_dictionaries(
    {"id": ids | odd_ids, "text": texts},
    optional={
        "created_at": st.sampled_from(
            ["2021-04-08T19:34:16.000Z", "2021-04-09T03:34:16.000Z", "2021-13-08T19:34:16.000Z", "2021-04-08", "x"]
        ),
        "author_id": odd_ids | st.none(),
        "author": users | st.none(),
        "lang": st.sampled_from(["en", "und", "zh-TW", "na", "", None]),
        "conversation_id": odd_ids | st.none(),
        "public_metrics": st.none()
        | st.dictionaries(st.sampled_from(["like_count", "reply_count"]), st.integers(-1, 3) | st.none(), max_size=2),
        "entities": st.none()
        | st.dictionaries(st.sampled_from(["hashtags", "mentions", "cashtags", "urls"]), items | st.none(), max_size=4),
        "referenced_tweets": references | st.none(),
        "edit_history_tweet_ids": st.lists(odd_ids, max_size=2) | st.none(),
        "__twarc": st.fixed_dictionaries({}, optional={"retrieved_at": st.sampled_from(["2021-05-01", "x", None])}),
        "geo": st.just({}),
        "note_tweet": st.none() | st.just({"text": "the whole text"}),
    },
)


def the_long_way(tweet: dict[str, Any], clock: Clock) -> dict[str, Any] | None:
    try:
        return row_of_object(tweet, user_names={}, observed_at=None, clock=clock)
    except RowRefused:
        return None


def as_stored(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return TWEETS_RAW.from_rows(rows).to_pylist()


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(tweets, min_size=1, max_size=8), st.booleans())
def test_whole_blocks_and_single_rows_give_what_the_long_way_gives(
    entries: list[dict[str, Any]], same_history: bool
) -> None:
    for number, entry in enumerate(entries):
        if same_history and number % 2:
            entry["edit_history_tweet_ids"] = [entry["id"]]
    slow = Clock(NOW)
    expected = [the_long_way(entry, slow) for entry in entries]
    quick_clock = Clock(NOW)
    for entry, wanted in zip(entries, expected, strict=True):
        try:
            row = quick_row(entry, user_names={}, observed_at=None, clock=quick_clock)
        except RowRefused:
            assert wanted is None
            continue
        if row is not None:
            assert wanted is not None
            assert as_stored([row]) == as_stored([wanted])
    clock = Clock(NOW)
    made = bulk_rows("".join(json.dumps(entry) + "\n" for entry in entries).encode(), len(entries), clock)
    if made is None:
        return
    others = made.others.tolist()
    plain = [row for number, row in enumerate(expected) if number not in others]
    assert None not in plain
    assert made.rows.to_pylist() == as_stored([row for row in plain if row])
    for number in others:
        the_long_way(entries[number], clock)
    assert (clock.mismatches, clock.offsets) == (slow.mismatches, slow.offsets)


def test_most_plain_tweets_are_taken_by_whole_blocks() -> None:
    # Regression guard of speed: a shortcut that takes nothing would pass all other tests.
    tweet = {
        "id": str(FIRST), "text": "what a run", "created_at": "2021-04-08T19:34:16.000Z", "author_id": "7",
        "author": {"id": "7", "username": "ann", "name": "Ann"}, "lang": "en", "edit_history_tweet_ids": [str(FIRST)],
        "public_metrics": {"like_count": 1, "retweet_count": 0, "reply_count": 0, "quote_count": 0},
        "entities": {"hashtags": [{"start": 0, "end": 2, "tag": "a"}]}, "conversation_id": str(FIRST),
        "referenced_tweets": [{"type": "replied_to", "id": str(FIRST - 1)}], "__twarc": {"retrieved_at": "2021-05-01"},
    }  # fmt: skip
    made = bulk_rows((json.dumps(tweet) + "\n").encode() * 3, 3, Clock(NOW))
    assert made is not None
    assert (made.rows.num_rows, made.others.tolist()) == (3, [])
    assert made.rows["hashtags"].to_pylist() == [["a"]] * 3


@pytest.mark.parametrize(
    "block",
    [
        b'{"id":"1","text":"a"}{"id":"2","text":"b"}\n{"id":"3",\n"text":"c"}\n',
        b'{"id":"1","text":"caf\xe9"}\n{"id":"2"}\n{"id":"3"}\n',
        b'{"id":"1"}\n\n{"id":"3"}\n',
        b'{"id": 1, "text": "a"}\n{"id":"2"}\n{"id":"3"}\n',
        b'{"id":"1","text":"\\ud83d"}\n{"id":"2"}\n{"id":"3"}\n',
        b'{"id":"1","text":"a","data":[]}\n{"id":"2"}\n{"id":"3"}\n',
    ],
)
def test_a_block_that_is_not_one_plain_object_a_line_is_left_to_the_long_way(block: bytes) -> None:
    assert bulk_rows(block, 3, Clock(NOW)) is None


@pytest.mark.parametrize("name", ["flat.jsonl", "noflat.jsonl", "2sets.jsonl", "many_urls.jsonl", "cashtags.jsonl"])
def test_real_tweets_give_the_same_rows_both_ways(shared_data: Path, drop: Drop, name: str) -> None:
    lines = (shared_data / "tw-twarc-v2" / "test-data" / name).read_text(encoding="utf-8").splitlines()
    entries = [tweet for line in lines for page in [json.loads(line)] for tweet in page.get("data", [page])]
    for entry in entries:
        entry.pop("referenced_tweets", None)
    expected = [the_long_way(entry, Clock(NOW)) for entry in entries]
    found = list(read_tweets(drop(entries)))
    assert not [entry for entry in found if isinstance(entry, Refused)]
    key = lambda row: row["tweet_id"]  # noqa: E731
    assert sorted(as_stored(found), key=key) == sorted(as_stored([row for row in expected if row]), key=key)  # type: ignore[arg-type]


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["good", "array", "broken", "blank", "user", "page"]), max_size=12))
def test_lines_of_all_kinds_keep_their_numbers(drop: Drop, kinds: list[str]) -> None:
    lines, wanted, refused = [], [], []
    for number, kind in enumerate(kinds, start=1):
        tweet = {"id": str(FIRST + number), "text": f"number {number}"}
        made = {
            "good": json.dumps(tweet), "array": json.dumps([tweet]), "broken": json.dumps(tweet)[:-3], "blank": "",
            "user": json.dumps({"id": "7", "username": "ann"}), "page": json.dumps({"data": [tweet]}),
        }  # fmt: skip
        lines.append(made[kind])
        wanted += [str(FIRST + number)] if kind in ("good", "array", "page") else []
        refused += [f"line {number}"] if kind in ("broken", "user") else []
    if not wanted or kinds[0] in ("broken", "blank"):
        return
    found = list(read_tweets(drop("\n".join(lines))))
    assert sorted(row["tweet_id"] for row in found if isinstance(row, dict)) == wanted
    assert sorted(r.position for r in found if isinstance(r, Refused)) == sorted(refused)
