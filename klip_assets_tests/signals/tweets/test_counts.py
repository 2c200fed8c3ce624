from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.formats.refused import Refused
from klip_assets.signals.tweets.counts import COUNTS, count_of, decimal_signs
from klip_assets.signals.tweets.readers import TweetReader, read_tweets
from klip_assets.signals.tweets.staging import stage

Drop = Callable[..., Path]
ID = 1380242611781386245


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("12", 12), (12, 12), ("12.0", 12), (12.0, 12), ("1,234,567", 1234567), (" 7 ", 7), ("0", 0), (0, 0),
        (None, None), ("", None), ("NaN", None), ("None", None), (Decimal(3), 3),
        ("1.2K", 1200), ("3M", 3_000_000), ("1,2 K", 1200), ("6.5k", 6500), ("12万", 120_000), ("1.2億", 120_000_000),
        ("1.5 Mio", 1_500_000), ("1,5 Mio.", 1_500_000), ("3,4 тыс.", 3400), ("2 млн", 2_000_000), ("1,2 mil", 1200),
        ("1.234", 1234), ("25.000", 25_000), ("1.000", 1000), ("1.234.567", 1_234_567), ("12.345,00", 12_345),
        ("2 571", 2571), ("2\u00a0571", 2571), ("2\u202f571", 2571), ("2\u2009571", 2571), ("1 234 567", 1_234_567),
        ("1'234", 1234), ("1’234", 1234), ("1_234", 1234), ("12,34,567", 1_234_567), ("1,234.0", 1234),
        ("١٬٢٣٤", 1234), ("١٢٣", 123), ("१२३", 123), ("１２", 12), ("1e3", 1000), ("1.5E+3", 1500),
        ("999+", 999), ("12 likes", 12), ("1.2K Likes", 1200),
    ],
)  # fmt: skip
def test_a_count_is_read_in_any_spelling(given: object, expected: int | None) -> None:
    assert count_of(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        "-1", -1, "many", 1.5, "1.5", True, False, [], {}, 2**63, 10**400, "9" * 30, "9" * 5000, "1e99", "1e400",
        float("inf"), float("nan"), Decimal("NaN"), "1.2.3", "12 34", "1,23,4", "1²", "½", "—", "K", "1.234K",
        "1,234 Mio", "0.123", b"12",
    ],
)  # fmt: skip
def test_what_is_no_count_for_certain_is_not_known(given: object) -> None:
    assert count_of(given) is None


@given(st.integers(0, 2**63 - 1), st.sampled_from([",", ".", " ", "\u00a0", "\u202f", "\u2009", "'", "’", "_"]))
def test_thousands_are_read_with_any_sign_between_them(number: int, sign: str) -> None:
    assert count_of(f"{number:,}".replace(",", sign)) == number


@given(st.integers(0, 99_999), st.sampled_from(".,"), st.sampled_from(["K", " k", "M", "万", " Mio.", "тыс."]))
def test_a_rounded_count_is_its_factor_times_the_number(tenths: int, sign: str, word: str) -> None:
    factor = {"K": 1000, "M": 10**6, "万": 10**4, "Mio.": 10**6, "тыс.": 1000}[word.strip().replace("k", "K")]
    assert count_of(f"{tenths // 10}{sign}{tenths % 10}{word}") == tenths * factor // 10


@given(st.text() | st.text("0123456789.,'KkMe+- ") | st.floats() | st.integers() | st.binary())
def test_any_value_is_a_count_or_not_known(value: object) -> None:
    number = count_of(value)
    assert number is None or 0 <= number < 2**63
    assert count_of(value, ".,") in {None, number}


def test_a_column_that_has_decimals_elsewhere_leaves_open_whether_three_digits_are_thousands() -> None:
    assert decimal_signs(["12.0", "7"]) == decimal_signs(["0.000"]) == decimal_signs(["1234.000"]) == "."
    assert decimal_signs(["1.234", "2,5"]) == ","
    assert decimal_signs(["1.234", "1.234.567", "1.2K", "12"]) == ""
    assert count_of("25.000", ".") is None
    assert count_of("25,000", ".") == count_of("1.025.000", ".") // 41 == 25_000  # type: ignore[operator]


def test_a_column_of_decimals_is_known_by_its_first_rows(drop: Drop) -> None:
    rows = ["tweet_id;text;likes;retweets", f"{ID};a;25.000;25.000", f"{ID + 1};b;0.000;1.234"]
    found = list(read_tweets(drop("\n".join(rows) + "\n", "a.csv")))
    assert [(row["like_count"], row["retweet_count"]) for row in found] == [(None, 25_000), (0, 1234)]  # type: ignore[index]


#: A whole tweet in each form, and the optional fields of it (also of the objects inside).
TWEETS: dict[str, dict[str, object]] = {
    "v2": {
        "id": str(ID),
        "text": "hi @ann #tag",
        "created_at": "2021-04-08T19:34:16.000Z",
        "author_id": "5",
        "lang": "en",
        "conversation_id": str(ID),
        "public_metrics": {"like_count": 1, "retweet_count": 1},
        "entities": {"hashtags": []},
        "edit_history_tweet_ids": [str(ID)],
        "referenced_tweets": [{"type": "quoted", "id": "20"}],
        "author": {"id": "5", "username": "ann"},
        "__twarc": {"retrieved_at": "2021-04-09T00:00:00Z"},
        "note_tweet": None,
        "in_reply_to_user_id": "7",
        "attachments": {},
        "geo": {},
        "errors": None,
    },
    "v1.1": {
        "id_str": str(ID),
        "full_text": "hi @ann #tag",
        "created_at": "Thu Apr 08 19:34:16 +0000 2021",
        "lang": "en",
        "user": {"id_str": "5", "screen_name": "ann"},
        "favorite_count": 1,
        "retweet_count": 1,
        "entities": {},
        "in_reply_to_status_id_str": "20",
        "quoted_status_id_str": "20",
        "retweeted_status": None,
        "quoted_status": None,
        "extended_tweet": None,
    },
    "snscrape": {
        "id": ID,
        "rawContent": "hi @ann #tag",
        "date": "2021-04-08T19:34:16+00:00",
        "user": {"username": "ann", "id": 5},
        "likeCount": 1,
        "retweetCount": 1,
        "replyCount": 1,
        "quoteCount": 1,
        "viewCount": 1,
        "lang": "en",
        "hashtags": [],
        "mentionedUsers": [],
        "links": [],
        "inReplyToTweetId": 20,
        "conversationId": ID,
        "retweetedTweet": None,
        "quotedTweet": None,
        "url": f"https://twitter.com/ann/status/{ID}",
    },
}
ODD = (
    "1.2K",
    "-1",
    -1,
    1.5,
    True,
    float("nan"),
    10**30,
    "x" * 70_000,
    "\x1b[31m",
    [],
    [None],
    [[1]],
    {},
    {"a": {"b": None}},
    "",
)
PLACES = [
    (kind, name, inner)
    for kind, tweet in TWEETS.items()
    for name, value in tweet.items()
    if name not in {"id", "id_str", "text", "full_text", "rawContent"}
    for inner in (None, *(value if isinstance(value, dict) else ()))
]


@pytest.mark.parametrize(("kind", "name", "inner"), PLACES)
def test_no_optional_value_of_an_object_costs_its_row(drop: Drop, kind: str, name: str, inner: str | None) -> None:
    tweets = []
    for n, odd in enumerate(ODD):
        tweet = json.loads(json.dumps(TWEETS[kind]))
        key = "id_str" if "id_str" in tweet else "id"
        tweet[key] = type(tweet[key])(int(tweet[key]) + n)
        (tweet if inner is None else tweet[name])[inner or name] = odd
        tweets.append(tweet)
    path = drop("".join(json.dumps(tweet) + "\n" for tweet in tweets), "a.jsonl")
    assert [found for found in read_tweets(path) if isinstance(found, Refused)] == []
    assert stage(path).rows_out == len(ODD)


FLAT = (
    "url", "created_at", "username", "author_id", "lang", "is_retweet", "retweeted_tweet_id", "quoted_tweet_id",
    "in_reply_to_tweet_id", "conversation_id", *COUNTS, "observed_at",
)  # fmt: skip


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_no_optional_value_of_a_column_costs_its_row(drop: Drop, tmp_path: Path, name: str, form: str) -> None:
    odd = [str(value) for value in (*ODD, "=1+1", "#REF!", "12;3")]
    ids = [str(ID + n) for n in range(len(odd))]
    path = tmp_path / "a.parquet"
    if form == "parquet":
        pq.write_table(pa.table({"tweet_id": ids, "text": ["hi"] * len(ids), name: odd}), path)
    else:
        written = io.StringIO()
        csv.writer(written).writerows(
            [("tweet_id", "text", name), *((i, "hi", value) for i, value in zip(ids, odd, strict=True))]
        )
        path = drop(written.getvalue(), "a.csv")
    found = list(read_tweets(path))
    assert [entry for entry in found if isinstance(entry, Refused)] == []
    assert [row["tweet_id"] for row in found if isinstance(row, dict)] == ids


@pytest.mark.parametrize("field", [{"deleted_at": None}, {"errors": []}, {"errors": None}, {"data": None}])
def test_an_empty_field_that_would_say_what_is_wrong_costs_nothing(drop: Drop, field: dict[str, object]) -> None:
    (row,) = read_tweets(drop([{"id": str(ID), "text": "hi", **field}]))
    assert isinstance(row, dict) and row["text"] == "hi"


def test_what_was_made_null_is_counted_once_per_column(drop: Drop) -> None:
    rows = [
        f"{ID + n},hi,{likes},{views}"
        for n, (likes, views) in enumerate([("-1", 5), ("many", 6), ("—", ""), ("7", "x")])
    ]
    staged = stage(drop("tweet_id,text,likes,views\n" + "\n".join(rows) + "\n", "a.csv"))
    assert staged.rows_out == staged.rows_in == 4 and staged.refused == []
    assert [(entry.position, entry.detail) for entry in staged.unread] == [
        ("column like_count", "2 values, the first: -1"),
        ("column impression_count", "1 value, the first: x"),
    ]
    assert all("not a count" in entry.reason for entry in staged.unread)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.sampled_from(ODD), min_size=5, max_size=5))
def test_odd_counts_beside_plain_ones_are_read_alike_by_line_and_block(values: list[object]) -> None:
    import tempfile

    metrics = dict(zip(COUNTS, values, strict=True))
    lines = [
        {"id": str(ID + n), "text": "hi", "public_metrics": metrics if n == 1 else {"like_count": 3}} for n in range(3)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.jsonl")
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        rows = [row for row in read_tweets(path) if isinstance(row, dict)]
        assert [row["like_count"] for row in sorted(rows, key=lambda row: str(row["tweet_id"]))] == [
            3,
            count_of(values[0]),
            3,
        ]
        reader = TweetReader(path)
        list(reader.read())
        assert set(reader.unread.counts) <= set(COUNTS)


@pytest.mark.parametrize(
    ("likes", "views", "found"),
    [
        (["3.000", "25.000", "7.000", "140.000"], ["", "", "", ""], [None] * 4),
        (["25.000", "1.000", "1.234"], ["", "", ""], [25000, 1000, 1234]),
        (["25.000", "900", "7.000"], ["", "", ""], [25000, 900, 7000]),
        (["25.000", "1.234"], ["0.000", "0.000"], [25000, 1234]),
        (["25.000", "7"], ["0.000", ""], [None, 7]),
        (["3,000", "25,000"], ["", ""], [3000, 25000]),
        (["1.234.000", "25.000"], ["", ""], [1234000, 25000]),
    ],
)
def test_a_column_in_which_all_ends_in_zeros_may_have_decimals(
    drop: Drop, likes: list[str], views: list[str], found: list[int | None]
) -> None:
    lines = [f"{ID + n};hi;{pair[0]};{pair[1]}" for n, pair in enumerate(zip(likes, views, strict=True))]
    path = drop("tweet_id;text;likes;views\n" + "\n".join(lines) + "\n", "a.csv")
    assert [row["like_count"] for row in read_tweets(path) if isinstance(row, dict)] == found
