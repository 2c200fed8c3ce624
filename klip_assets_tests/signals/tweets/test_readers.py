from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from klip_assets.contracts import TWEETS_RAW
from klip_assets.formats.refused import Refused
from klip_assets.signals.tweets.readers import read_tweets

Drop = Callable[..., Path]
ID = "1380242611781386245"
LATER = "1380242611781386999"
TWEET: dict[str, object] = {"id": ID, "text": "hello", "created_at": "2021-04-08T19:34:16.000Z", "author_id": "7"}


def rows_of(path: Path) -> list[dict[str, object]]:
    found = list(read_tweets(path))
    assert not [one for one in found if isinstance(one, Refused)]
    return [one for one in found if not isinstance(one, Refused)]


def refused_of(path: Path) -> list[Refused]:
    return [one for one in read_tweets(path) if isinstance(one, Refused)]


def ids_of(path: Path) -> list[object]:
    return [one["tweet_id"] for one in read_tweets(path) if not isinstance(one, Refused)]


def test_a_row_has_only_columns_of_the_contract(drop: Drop) -> None:
    (row,) = rows_of(drop([TWEET]))
    assert set(row) <= set(TWEETS_RAW.schema.names)
    assert TWEETS_RAW.from_rows([row]).num_rows == 1


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TWEET) + "\n" + json.dumps({**TWEET, "id": LATER}) + "\n",
        json.dumps([TWEET, {**TWEET, "id": LATER}]),
        json.dumps([TWEET, {**TWEET, "id": LATER}], indent=2),
        "[\n" + json.dumps(TWEET) + ",\n" + json.dumps({**TWEET, "id": LATER}) + "\n]\n",
        json.dumps({"data": [TWEET, {**TWEET, "id": LATER}], "meta": {"result_count": 2}}),
        json.dumps({"data": [TWEET, {**TWEET, "id": LATER}], "meta": {"result_count": 2}}, indent=4),
        json.dumps({"data": [TWEET]}) + "\n" + json.dumps({"data": {**TWEET, "id": LATER}, "matching_rules": []}),
        json.dumps([{"data": [TWEET]}, {"data": [{**TWEET, "id": LATER}]}]),
        '{"data": [\n' + json.dumps(TWEET) + ",\n" + json.dumps({**TWEET, "id": LATER}) + "\n]}",
        "\ufeff" + json.dumps(TWEET) + "\r\n\r\n" + json.dumps({**TWEET, "id": LATER}) + "\r\n",
        f"id,text\n{ID},hello\n{LATER},hello\n",
        f"Tweet ID;Full Text\n{ID};hello\n{LATER};hello\n",
        f"id\ttext\n{ID}\thello\n{LATER}\thello",
    ],
)
def test_every_shape_of_a_file_gives_the_same_tweets_whatever_its_name(drop: Drop, text: str, gzipped: bool) -> None:
    path = drop(text, "tweets.bin", gzipped=gzipped)
    assert [(row["tweet_id"], row["text"]) for row in rows_of(path)] == [(ID, "hello"), (LATER, "hello")]


def test_utf_16_is_known_by_its_mark(drop: Drop) -> None:
    (row,) = rows_of(drop(f"id,text\n{ID},été 😀\n".encode("utf-16"), "x.csv"))
    assert row["text"] == "été 😀"


def test_a_page_gives_user_names_and_its_time_but_not_the_tweets_it_only_includes(drop: Drop) -> None:
    page = {
        "data": [TWEET],
        "includes": {"users": [{"id": "7", "username": "ann"}], "tweets": [{**TWEET, "id": LATER}]},
        "__twarc": {"retrieved_at": "2021-04-08T19:35:00+00:00"},
        "errors": [{"title": "Not Found Error"}],
    }
    (row,) = rows_of(drop([page]))
    assert (row["tweet_id"], row["author"], row["author_id"]) == (ID, "ann", "7")
    assert row["observed_at"] == datetime(2021, 4, 8, 19, 35)


def test_the_flattened_form_of_twarc_names_its_author(drop: Drop) -> None:
    tweet = {
        **TWEET,
        "author": {"id": "7", "username": "ann", "name": "Ann"},
        "__twarc": {"retrieved_at": "2021-05-01"},
    }
    (row,) = rows_of(drop([tweet]))
    assert (row["author"], row["author_id"], row["observed_at"]) == ("ann", "7", datetime(2021, 5, 1))


def test_what_the_api_says_about_a_tweet_stands_in_its_columns(drop: Drop) -> None:
    tweet = {
        **TWEET,
        "lang": "en",
        "conversation_id": "1380242611781380000",
        "referenced_tweets": [{"type": "replied_to", "id": "11"}, {"type": "quoted", "id": "12"}],
        "public_metrics": {
            "like_count": 1, "retweet_count": 2, "reply_count": 3, "quote_count": 4, "impression_count": 5
        },
        "entities": {"hashtags": [{"tag": "Tag"}], "urls": [{"expanded_url": "https://x.org"}]},
        "edit_history_tweet_ids": ["1380242611781386000", ID],
    }  # fmt: skip
    (row,) = rows_of(drop([tweet]))
    expected = {
        "lang": "en", "conversation_id": "1380242611781380000", "in_reply_to": "11", "quoted_tweet_id": "12",
        "retweeted_tweet_id": None, "is_retweet": False, "like_count": 1, "retweet_count": 2, "reply_count": 3,
        "quote_count": 4, "impression_count": 5, "hashtags": ["Tag"], "mentions": [], "urls": ["https://x.org"],
        "root_tweet_id": "1380242611781386000", "edit_history_ids": ["1380242611781386000", ID],
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


def test_a_tweet_that_was_never_edited_is_its_own_root(drop: Drop) -> None:
    (row,) = rows_of(drop([TWEET]))
    assert row["root_tweet_id"] == ID


def test_retweets_are_known_by_reference_flag_or_text(drop: Drop) -> None:
    tweets = [
        {**TWEET, "referenced_tweets": [{"type": "retweeted", "id": "11"}]},
        {"tweet_id": ID, "text": "x", "is_retweet": "True"},
        {"tweet_id": ID, "text": "RT @ann: x"},
        {"tweet_id": ID, "text": "RT @ann: x", "is_retweet": False},
        {"tweet_id": ID, "text": "RT if you like"},
    ]
    assert [row["is_retweet"] for row in rows_of(drop(tweets))] == [True, True, True, False, False]


def test_a_long_tweet_gives_its_whole_text(drop: Drop) -> None:
    note = {"text": "the whole text #long", "entities": {"hashtags": [{"tag": "long"}]}}
    (row,) = rows_of(drop([{**TWEET, "note_tweet": note}]))
    assert (row["text"], row["hashtags"]) == ("the whole text #long", ["long"])


def test_a_tweet_of_version_1_1_is_read_too(drop: Drop) -> None:
    tweet = {
        "id": 1380242611781386300, "id_str": ID, "full_text": "a &amp; b", "favorite_count": 3,
        "user": {"id_str": "7", "screen_name": "ann", "name": "Ann"}, "created_at": "Thu Apr 08 19:34:16 +0000 2021",
        "entities": {"user_mentions": [{"screen_name": "bob"}]}, "in_reply_to_status_id_str": "11",
    }  # fmt: skip
    (row,) = rows_of(drop([tweet]))
    assert (row["tweet_id"], row["author"], row["author_id"], row["text"]) == (ID, "ann", "7", "a & b")
    assert (row["like_count"], row["mentions"], row["in_reply_to"]) == (3, ["bob"], "11")


def test_the_time_in_the_id_decides_over_the_time_in_the_row(drop: Drop) -> None:
    (row,) = rows_of(drop([{**TWEET, "created_at": "2021-04-09T03:34:16.000Z"}]))
    assert (row["created_at"], row["day"]) == (datetime(2021, 4, 8, 19, 34, 16, 973000), date(2021, 4, 8))


def test_an_id_without_a_time_takes_that_of_the_row(drop: Drop) -> None:
    (row,) = rows_of(drop(b"id,date,text\n20,3/21/06 20:50,just setting up\n"))
    assert row["created_at"] == datetime(2006, 3, 21, 20, 50)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("20,,x", "no time"),
        ("20,soon,x", "time not understood"),
        ("20,10/2/17 12:41,x", "too small for its date"),
        ("20,1/1/2001 0:00,x", "before the first tweet"),
        ("9223372036854775807,,x", "in the future"),
        ("5.7E+17,,x", "rounded by a spreadsheet"),
        (",,x", "no tweet id"),
        (f"{ID}", "no text"),
        (f"{ID},,x,surplus", "more fields than columns"),
    ],
)
def test_a_row_that_can_not_be_used_is_refused_with_its_reason_and_the_others_stay(
    drop: Drop, line: str, reason: str
) -> None:
    found = list(read_tweets(drop(f"id,date,text\n{ID},,a\n{line}\n{LATER},,b\n")))
    first, refusal, last = found
    assert isinstance(refusal, Refused)
    assert refusal.position == "row 3"
    assert reason in refusal.reason
    assert not isinstance(first, Refused)
    assert not isinstance(last, Refused)


def test_a_broken_json_line_loses_only_itself(drop: Drop) -> None:
    good = json.dumps(TWEET)
    path = drop(f"{good[:30]}\n{good}\n\n[1, 2\n{json.dumps({**TWEET, 'id': LATER})}\n")
    assert ids_of(path) == [ID, LATER]
    assert [(r.position, r.reason) for r in refused_of(path)] == [
        ("line 1", "not valid JSON"), ("line 4", "not valid JSON"),
    ]  # fmt: skip


def test_documents_one_after_the_other_are_read_up_to_the_one_that_is_cut(drop: Drop) -> None:
    one, two = json.dumps(TWEET, indent=2), json.dumps({**TWEET, "id": LATER}, indent=2)
    assert ids_of(drop(one + "\n" + two)) == [ID, LATER]
    path = drop(one + "\n" + two[:-5])
    assert ids_of(path) == [ID]
    assert [(r.position, r.reason) for r in refused_of(path)] == [("document 2, item 1", "not valid JSON")]


def test_a_page_with_one_bad_tweet_keeps_the_others_and_says_which(drop: Drop) -> None:
    path = drop([{"data": [TWEET, {"id": "x", "text": "y"}, 5, {**TWEET, "id": LATER}]}])
    assert ids_of(path) == [ID, LATER]
    assert [r.position for r in refused_of(path)] == ["line 1, item 2", "line 1, item 3"]


def test_an_error_in_a_stream_is_refused_and_an_empty_page_is_not(drop: Drop) -> None:
    empty = {"meta": {"result_count": 0}}
    error = {"errors": [{"title": "operational-disconnect", "detail": "This stream was disconnected."}]}
    path = drop([{"data": TWEET}, empty, {"data": []}, error, {"data": {**TWEET, "id": LATER}}])
    assert ids_of(path) == [ID, LATER]
    (refusal,) = refused_of(path)
    assert refusal.position == "line 4"
    assert "operational-disconnect" in refusal.detail


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("users", {"id": "7", "username": "ann", "name": "Ann"}),
        ("lists", {"id": "7", "name": "My list", "owner_id": "8"}),
        ("counts", {"start": "2021-10-16T18:00:00Z", "end": "2021-10-16T19:00:00Z", "tweet_count": 5}),
    ],
)
@pytest.mark.parametrize("paged", [False, True])
def test_a_file_of_something_else_is_refused_as_a_whole_by_its_name(
    drop: Drop, kind: str, item: dict[str, object], paged: bool
) -> None:
    (refusal,) = read_tweets(drop([{"data": [item] * 3}] * 2 if paged else [item] * 2))
    assert isinstance(refusal, Refused)
    assert refusal.position == "file"
    assert kind in refusal.reason


def test_a_user_among_tweets_is_refused_alone(drop: Drop) -> None:
    user = {"id": "7", "username": "ann"}
    path = drop([user, TWEET, user])
    assert ids_of(path) == [ID]
    assert [r.position for r in refused_of(path)] == ["line 1", "line 3"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"), (b"\n \n", "empty"), (b"\x00\x01\x02", "not a text file"), (b"{", "not valid JSON"),
        (b"just words\nand more", "no header"), (b"a,b\n1,2\n", "no header"), (b"\x1f\x8bnonsense", "damaged"),
        (b'{"a": [1,\n2', "not valid JSON"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_file_of_tweets_is_refused_as_a_whole(drop: Drop, content: bytes, reason: str) -> None:
    (refusal,) = read_tweets(drop(content))
    assert isinstance(refusal, Refused)
    assert refusal.position == "file"
    assert reason in refusal.reason


def test_a_gzip_file_cut_short_gives_what_comes_before_the_cut(drop: Drop) -> None:
    tweets = [{**TWEET, "id": str(int(ID) + i), "text": str(i * 7919)} for i in range(20000)]
    whole = gzip.compress("".join(json.dumps(tweet) + "\n" for tweet in tweets).encode())
    path = drop(whole[: len(whole) // 2])
    assert 5000 < len(ids_of(path)) < 20000
    assert refused_of(path)[-1].position == "end of file"


def test_quoted_line_ends_of_every_kind_stay_in_the_text(drop: Drop) -> None:
    path = drop(f'id,text,likes\r\n{ID},"a\rb\nc\r\nd",5\r\n'.encode(), "x.csv")
    (row,) = rows_of(path)
    assert (row["text"], row["like_count"]) == ("a\rb\nc\r\nd", 5)


def test_a_row_without_its_last_columns_is_kept_and_they_are_not_known(drop: Drop) -> None:
    (row,) = rows_of(drop(f"id,text,likes,user\n{ID},hello,5\n"))
    assert (row["like_count"], row["author"]) == (5, None)


def test_a_quote_never_closed_loses_its_own_line_only(drop: Drop) -> None:
    # Regression: csv.reader takes all that follows into one field, so that the rest of the file was lost silently.
    path = drop(f'id,text\n{ID},"never closed\n{LATER},"fine, really"\n1380242611781387000,x\n', "x.csv")
    assert ids_of(path) == [LATER, "1380242611781387000"]
    (refusal,) = refused_of(path)
    assert (refusal.position, refusal.reason) == ("row 2", "a quote that is never closed")


def test_a_quote_in_the_wrong_place_is_kept_as_text(drop: Drop) -> None:
    assert [row["text"] for row in rows_of(drop(f'id,text\n{ID},5" disk\n{LATER},"a"b\n'))] == ['5" disk', "ab"]


def test_blank_lines_count_as_rows_but_are_none(drop: Drop) -> None:
    (refusal,) = refused_of(drop(f"id,text\n\n{ID},a\n , \nx,b\n"))
    assert refusal.position == "row 5"


def test_bytes_that_are_no_utf_8_are_read_as_windows_1252_beside_those_that_are(drop: Drop) -> None:
    path = drop(f"id,text\n{ID},".encode() + b"caf\xe9 \x93x\x94 \x81 " + "été\n".encode() + f"{LATER},été".encode())
    assert [row["text"] for row in rows_of(path)] == ["café “x” \ufffd été", "été"]


def test_columns_are_known_by_many_names(drop: Drop) -> None:
    header = "createdAt,Full Text,Permalink,Replies,Retweets,favorites,User,lang"
    (row,) = rows_of(drop(f"{header}\n10/2/17 12:41,a &amp; b,https://x.com/ann/status/{ID},1,2,3,@ann,en\n"))
    assert (row["tweet_id"], row["text"], row["author"], row["lang"]) == (ID, "a & b", "ann", "en")
    assert (row["reply_count"], row["retweet_count"], row["like_count"], row["quote_count"]) == (1, 2, 3, None)


def test_a_missing_file_is_an_error_and_not_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_tweets(tmp_path / "gone.jsonl"))


@pytest.mark.parametrize(
    ("column", "name", "is_shown"),
    [
        ("username", "maria", None), ("screen_name", "maria", None), ("name", "Maria", True), ("author", "Maria", None),
        ("author_name", "Maria", True), ("author", "@maria", None),
        ("author", "Maria Sol", True), ("user_display_name", "Maria", True),
    ],
)  # fmt: skip
def test_a_name_that_is_only_shown_is_told_from_a_user_name(
    drop: Drop, column: str, name: str, is_shown: bool | None
) -> None:
    (row,) = rows_of(drop(f"tweet_id,text,{column}\n{ID},hi,{name}\n", "a.csv"))
    assert (row["author"], row.get("author_is_shown_name")) == (name.lstrip("@"), is_shown)
    (row,) = rows_of(drop([TWEET | {"author": {"id": "7", "username": "maria"}}], "b.jsonl"))
    assert row.get("author_is_shown_name") is None
    (row,) = rows_of(drop([{"id": ID, "text": "hi", "user": {"displayName": "Maria"}, "lang": "en"}], "c.jsonl"))
    assert (row["author"], row.get("author_is_shown_name")) == ("Maria", True)
