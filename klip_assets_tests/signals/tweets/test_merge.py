from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.contracts import TWEETS, TWEETS_RAW
from klip_assets.signals.tweets.cut_texts import is_cut_between
from klip_assets.signals.tweets.merge import RawSource, merge_copies, merge_day
from klip_assets.store.lake.validate import conform

NOW = datetime(2024, 1, 1)
OLD, NEW = datetime(2021, 4, 9), datetime(2021, 4, 10)
Raw = Callable[..., pa.Table]


def merged(*sources: RawSource) -> list[dict[str, object]]:
    table = merge_day(sources, ingested_at=NOW)
    conform(TWEETS, table)
    return table.to_pylist()


def test_the_first_text_stays_the_latest_counts_win_and_a_copy_without_a_time_loses(raw: Raw) -> None:
    rows = merged(
        RawSource("a", "a.jsonl", raw({"tweet_id": "5", "text": "undated", "like_count": 99})),
        RawSource("b", "b.jsonl", raw({"tweet_id": "5", "text": "new", "observed_at": NEW, "like_count": 1})),
        RawSource("c", "c.jsonl", raw({"tweet_id": "5", "text": "old", "observed_at": OLD, "like_count": 50})),
    )
    (row,) = rows
    assert (row["text"], row["text_observed_at"]) == ("old", OLD)
    assert (row["like_count"], row["observed_at"]) == (1, NEW)
    assert row["source_files"] == ["a.jsonl", "b.jsonl", "c.jsonl"]


def test_of_copies_of_the_same_time_the_larger_counts_win_and_unknown_is_less_than_none(raw: Raw) -> None:
    few = RawSource("a", "a", raw({"tweet_id": "5", "like_count": 1, "retweet_count": 1}))
    many = RawSource("b", "b", raw({"tweet_id": "5", "like_count": 3, "retweet_count": 0}))
    assert (merged(few, many)[0]["like_count"], merged(few, many)[0]["retweet_count"]) == (3, 0)
    unknown = RawSource("a", "a", raw({"tweet_id": "5", "reply_count": None}))
    zero = RawSource("b", "b", raw({"tweet_id": "5", "reply_count": 0}))
    assert merged(unknown, zero)[0]["reply_count"] == 0


def test_of_texts_as_old_the_longest_wins_as_a_shorter_one_was_cut(raw: Raw) -> None:
    whole = RawSource("bb", "x", raw({"tweet_id": "5", "text": "the whole text", "author": "ann"}))
    cut = RawSource("aa", "y", raw({"tweet_id": "5", "text": "the whole…", "author": "bob", "like_count": 9}))
    row = merged(whole, cut)[0]
    assert (row["text"], row["author"], row["like_count"]) == ("the whole text", "ann", 9)


FIRST, SECOND, THIRD = "1380242611781386245", "1380242700000000000", "1380242800000000000"


def test_an_empty_list_wins_over_an_unknown_one_in_any_order(raw: Raw) -> None:
    rows = [{"tweet_id": "9", "author": "ann", "hashtags": tags} for tags in (None, [])]
    for order in (rows, rows[::-1]):
        assert [row["hashtags"] for row in merged(RawSource("1", "1", raw(*order)))] == [[]]


def test_an_edited_tweet_is_one_row_with_the_id_of_its_first_version_and_the_text_of_its_last(raw: Raw) -> None:
    def version(tweet_id: str, text: str, *history: str, likes: int = 0) -> pa.Table:
        row = {"tweet_id": tweet_id, "text": text, "root_tweet_id": FIRST, "like_count": likes}
        return raw({**row, "edit_history_ids": list(history) or None})

    one = RawSource("a", "a", version(FIRST, "tpyo", FIRST, likes=9))
    two = RawSource("b", "b", version(SECOND, "typo", FIRST, SECOND, likes=1))
    three = RawSource("c", "c", raw({"tweet_id": THIRD, "text": "typos", "root_tweet_id": THIRD}))
    (row,) = merged(two, one)
    assert (row["tweet_id"], row["root_tweet_id"], row["text"], row["like_count"]) == (FIRST, FIRST, "typo", 1)
    assert row["edit_history_ids"] == [FIRST, SECOND]
    assert row["source_files"] == ["a", "b"]
    assert row["created_at"] == datetime(2021, 4, 8, 19, 34, 16, 973000)
    # A file that knows of no edits has the third version; it is another tweet until a history names it.
    assert [row["tweet_id"] for row in merged(one, two, three)] == [FIRST, THIRD]
    history = RawSource("d", "d", version(SECOND, "typo", FIRST, SECOND, THIRD))
    assert [(row["tweet_id"], row["text"]) for row in merged(one, history, three)] == [(FIRST, "typos")]


def test_a_deleted_tweet_is_gone_with_all_its_versions(raw: Raw) -> None:
    rows = raw(
        {"tweet_id": FIRST, "root_tweet_id": FIRST},
        {"tweet_id": SECOND, "root_tweet_id": FIRST, "edit_history_ids": [FIRST, SECOND]},
        {"tweet_id": "77"},
    )
    for deleted in (FIRST, SECOND):
        table = merge_day([RawSource("a", "a", rows)], ingested_at=NOW, deleted=[deleted, "5"])
        assert table["tweet_id"].to_pylist() == ["77"]
    assert merge_day([RawSource("a", "a", rows)], ingested_at=NOW, deleted=["5"]).num_rows == 2


def test_tweets_are_sorted_by_number_and_not_by_text(raw: Raw) -> None:
    rows = merged(RawSource("a", "a", raw(*({"tweet_id": i} for i in ("100", "9", "20")))))
    assert [row["tweet_id"] for row in rows] == ["9", "20", "100"]


def test_a_day_without_tweets_is_an_empty_table(raw: Raw) -> None:
    assert merged() == []
    assert merged(RawSource("a", "a", raw())) == []


def test_the_time_of_ingestion_is_written_as_utc(raw: Raw) -> None:
    table = merge_day([RawSource("a", "a", raw({"tweet_id": "5"}))], ingested_at=datetime(2024, 1, 1, 5, tzinfo=UTC))
    assert table["ingested_at"].to_pylist() == [datetime(2024, 1, 1, 5)]


def read_once(row: dict[str, object]) -> dict[str, object]:
    """Return a row as readers make it: its text was read when its counts were."""
    return {**row, "text_observed_at": row["observed_at"]}


copies = st.fixed_dictionaries(
    {
        "tweet_id": st.sampled_from(["9", "20", "100", "1380242611781386245"]),
        "observed_at": st.sampled_from([None, OLD, NEW]),
        "like_count": st.sampled_from([None, 0, 1, 2]),
        "reply_count": st.sampled_from([None, 0, 1]),
        "author": st.sampled_from([None, "ann", "bob"]),
        "hashtags": st.sampled_from([None, [], ["a"], ["a", "b"]]),
        "text": st.one_of(st.text(st.characters(codec="utf-8"), max_size=3), st.sampled_from(["", "a", "…", "a…"])),
    }
).map(read_once)


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


@settings(deadline=None)
@given(st.lists(copies, max_size=12), st.data())
def test_how_copies_are_spread_over_files_does_not_matter(rows: list[dict[str, object]], data: st.DataObject) -> None:
    def files(table: pa.Table, number: int) -> RawSource:
        # As staging does it: copies within a file are merged first.
        return RawSource(f"{number:02x}", f"file {number}", merge_copies(table))

    expected = merge_day([files(TWEETS_RAW.from_rows(rows), 0)], ingested_at=NOW).drop_columns(["source_files"])
    file_of_row = data.draw(st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows)))
    order = data.draw(st.permutations(range(len(rows))))
    spread = [[rows[i] for i in order if file_of_row[i] == number] for number in range(4)]
    sources = [files(TWEETS_RAW.from_rows(part), number) for number, part in enumerate(spread)]
    assert merge_day(sources, ingested_at=NOW).drop_columns(["source_files"]).equals(expected)


def test_a_text_that_no_file_dates_stays_undated_when_another_copy_has_the_counts(raw: Raw) -> None:
    copies = [{"tweet_id": "9", "text": "whole"}, {"tweet_id": "9", "text": "wh…", "observed_at": NEW}]
    apart = [RawSource(f"{n}", f"{n}.json", raw(copy)) for n, copy in enumerate(copies)]
    for sources in (apart, [RawSource("2", "2.json", merge_copies(raw(*copies)))]):
        (row,) = merged(*sources)
        assert (row["text"], row["text_observed_at"], row["observed_at"]) == ("whole", None, NEW)


WHOLE = "This is the whole text of a long post, and at its end it says: I love it"


@pytest.mark.parametrize(
    "cut",
    [
        WHOLE[:40] + "…", WHOLE[:40] + "… https://t.co/abc", WHOLE[:40] + "...", WHOLE[:41], "Another cut…", WHOLE[:-1],
        WHOLE[:39] + " … https://t.co/a ", "This Post is unavailable. Learn more",
    ],
)  # fmt: skip
@pytest.mark.parametrize("times", [(OLD, NEW), (NEW, OLD), (OLD, None), (None, OLD), (None, None)])
def test_a_whole_text_wins_over_a_cut_one_whichever_was_read_first(raw: Raw, cut: str, times: tuple[Any, Any]) -> None:
    copies = [
        {"tweet_id": "9", "text": text, "observed_at": at, "like_count": n}
        for n, (text, at) in enumerate(zip((cut, WHOLE), times, strict=True))
    ]
    apart = [RawSource(f"{n}", f"{n}.json", raw(copy)) for n, copy in enumerate(copies)]
    together = RawSource("2", "2.json", merge_copies(raw(*copies)))
    for sources in (apart, apart[::-1], [together]):
        (row,) = merged(*sources)
        assert row["text"] == WHOLE


def test_of_cut_texts_the_longest_wins_and_a_short_text_is_no_beginning(raw: Raw) -> None:
    rows = [
        {"tweet_id": "9", "text": WHOLE[:30] + "…", "observed_at": OLD},
        {"tweet_id": "9", "text": WHOLE[:50] + "…", "observed_at": NEW},
        {"tweet_id": "20", "text": "no", "observed_at": OLD},
        {"tweet_id": "20", "text": "not bad", "observed_at": NEW},
        {"tweet_id": "30", "text": "I wonder…", "observed_at": OLD},
        {"tweet_id": "30", "text": "I wonder…", "observed_at": NEW},
    ]
    assert [row["text"] for row in merged(RawSource("1", "1", raw(*rows)))] == [WHOLE[:50] + "…", "no", "I wonder…"]


def test_a_text_to_which_a_later_one_only_adds_something_was_not_cut(raw: Raw) -> None:
    first = "What a lovely evening it was"
    rows = [
        {"tweet_id": "9", "text": first, "observed_at": OLD},
        {"tweet_id": "9", "text": first + ", friends! (edited)", "observed_at": NEW},
    ]
    assert [row["text"] for row in merged(RawSource("1", "1", raw(*rows)))] == [first]


def test_a_cut_retweet_is_completed_by_the_tweet_it_repeats_wherever_that_stands(raw: Raw) -> None:
    cut = {"tweet_id": "20", "text": f"RT @maker: {WHOLE[:40]}…", "is_retweet": True, "retweeted_tweet_id": "9"}
    short = {"tweet_id": "21", "text": "RT @maker: It says", "is_retweet": True, "retweeted_tweet_id": "9"}
    other = {**cut, "tweet_id": "22", "text": "RT @maker: Quite another…"}
    whole = {"tweet_id": "9", "text": WHOLE, "author": "Maker", "hashtags": ["end"], "mentions": ["you"]}
    sources = [RawSource("1", "1", raw(cut, short, other)), RawSource("2", "2", raw(whole))]
    found = {row["tweet_id"]: row for row in merged(*sources)}
    assert found["20"]["text"] == f"RT @maker: {WHOLE}"
    assert (found["20"]["hashtags"], found["20"]["mentions"]) == (["end"], ["maker", "you"])
    assert [found[one]["text"] for one in ("21", "22")] == ["RT @maker: It says", "RT @maker: Quite another…"]
    assert merged(sources[0])[0]["text"] == cut["text"]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.integers(20, len(WHOLE)),
            st.sampled_from(["", "…", "… https://t.co/a"]),
            st.sampled_from([None, OLD, NEW]),
        ).filter(lambda cut: bool(cut[1]) or cut[0] == len(WHOLE) or is_cut_between(WHOLE[: cut[0]], WHOLE[cut[0] :])),
        min_size=1, max_size=6,
    ),
    st.data(),
)  # fmt: skip
def test_however_one_text_was_cut_the_most_whole_one_comes_out_of_any_files(
    cuts: list[tuple[int, str, Any]], data: st.DataObject
) -> None:
    base = {"day": OLD.date(), "created_at": OLD, "is_retweet": False, "hashtags": [], "tweet_id": "9"}
    rows = [read_once({**base, "text": WHOLE[:length] + end, "observed_at": at}) for length, end, at in cuts]
    file_of_row = data.draw(st.lists(st.integers(0, 2), min_size=len(rows), max_size=len(rows)))
    spread = [[row for row, file in zip(rows, file_of_row, strict=True) if file == number] for number in range(3)]
    sources = [RawSource(str(n), str(n), merge_copies(TWEETS_RAW.from_rows(part))) for n, part in enumerate(spread)]
    (row,) = merge_day(sources, ingested_at=NOW).to_pylist()
    assert len(str(row["text"]).partition("…")[0]) == max(length for length, _, _ in cuts)
