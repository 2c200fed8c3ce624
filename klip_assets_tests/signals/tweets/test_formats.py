"""Every kind of file that tweets come in."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from klip_assets.contracts import TWEETS_RAW
from klip_assets.formats.refused import Refused
from klip_assets.inbox.tweet_files import map_path
from klip_assets.signals.tweets import json_values
from klip_assets.signals.tweets.columns import checked_map
from klip_assets.signals.tweets.readers import TweetReader, read_tweets
from klip_assets.signals.tweets.staging import stage

Drop = Callable[..., Path]
ID, LATER, THIRD = "1380242611781386245", "1380242611781386999", "1380242611781387777"
TWEET: dict[str, Any] = {"id": ID, "text": "hello", "author_id": "7"}


def rows_of(path: Path) -> list[dict[str, Any]]:
    found = list(read_tweets(path, column_map=map_path(path)))
    assert not [one for one in found if isinstance(one, Refused)], found
    return [one for one in found if isinstance(one, dict)]


def refused_of(path: Path) -> list[Refused]:
    return [one for one in read_tweets(path, column_map=map_path(path)) if isinstance(one, Refused)]


def ids_of(path: Path) -> list[object]:
    return [one["tweet_id"] for one in read_tweets(path, column_map=map_path(path)) if isinstance(one, dict)]


# API 1.1


def test_an_extended_tweet_gives_its_whole_text_and_the_entities_of_it(drop: Drop) -> None:
    whole = {"full_text": "the whole long text #long", "entities": {"hashtags": [{"text": "long"}]}}
    tweet = {"id_str": ID, "id": 1, "text": "the whole…", "truncated": True, "extended_tweet": whole}
    (row,) = rows_of(drop([tweet | {"entities": {"hashtags": []}, "user": {"id_str": "7", "screen_name": "ann"}}]))
    assert (row["text"], row["hashtags"], row["author"]) == ("the whole long text #long", ["long"], "ann")


def test_a_retweet_of_version_1_1_gives_the_whole_text_of_what_it_repeats(drop: Drop) -> None:
    repeated = {
        "id_str": LATER, "text": "the whole…", "user": {"screen_name": "bob"},
        "extended_tweet": {
            "full_text": "the whole long text @cid", "entities": {"user_mentions": [{"screen_name": "cid"}]}
        },
    }  # fmt: skip
    tweet = {
        "id_str": THIRD,
        "text": "RT @bob: the whole…",
        "retweeted_status": repeated,
        "user": {"screen_name": "ann"},
    }
    (row,) = rows_of(drop([tweet]))
    assert (row["tweet_id"], row["retweeted_tweet_id"], row["is_retweet"]) == (THIRD, LATER, True)
    assert (row["text"], row["mentions"]) == ("RT @bob: the whole long text @cid", ["bob", "cid"])
    assert row["author"] == "ann"


def test_a_quote_of_version_1_1_names_the_tweet_it_quotes_and_keeps_its_own_text(drop: Drop) -> None:
    quoted = {"id_str": LATER, "full_text": "quoted", "user": {"screen_name": "bob"}}
    (row,) = rows_of(drop([{"id_str": ID, "full_text": "mine", "quoted_status": quoted}]))
    assert (row["text"], row["quoted_tweet_id"], row["is_retweet"]) == ("mine", LATER, False)


# account archives


@pytest.mark.parametrize("name", ["tweet", "tweets"])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("gzipped", [False, True])
def test_the_tweets_of_an_account_archive_are_read(drop: Drop, name: str, indent: int | None, gzipped: bool) -> None:
    archived = {
        "tweet": {
            "id_str": ID, "full_text": "a &amp; b", "created_at": "Thu Apr 08 19:34:16 +0000 2021",
            "favorite_count": "3", "retweet_count": "1", "in_reply_to_status_id_str": "11",
            "entities": {"hashtags": [{"text": "x", "indices": ["0", "1"]}], "urls": [], "user_mentions": []},
        }
    }  # fmt: skip
    content = f"window.YTD.{name}.part0 = " + json.dumps([archived], indent=indent)
    path = drop(content, "tweets.js", gzipped=gzipped)
    (row,) = rows_of(path)
    assert (row["tweet_id"], row["text"], row["like_count"], row["hashtags"]) == (ID, "a & b", 3, ["x"])
    assert stage(path).kind == "account archive"


def test_other_parts_of_an_account_archive_are_refused_by_name(drop: Drop) -> None:
    (refusal,) = refused_of(drop('window.YTD.direct_messages.part0 = [ {"dmConversation": {}} ]', "x.js"))
    assert (refusal.position, "direct messages" in refusal.reason) == ("file", True)
    (refusal,) = refused_of(drop(json.dumps([{"like": {"tweetId": ID, "fullText": "x"}}] * 2)))
    assert (refusal.position, "likes" in refusal.reason) == ("file", True)


def test_a_tweet_that_the_archive_calls_deleted_is_left_out(drop: Drop) -> None:
    (refusal,) = refused_of(drop(json.dumps([{"tweet": {"id_str": ID, "full_text": "x", "deleted_at": "2021"}}])))
    assert "deleted" in refusal.reason


# snscrape


def test_a_line_of_snscrape_gives_all_it_says(drop: Drop) -> None:
    line = {
        "_type": "snscrape.modules.twitter.Tweet", "url": f"https://twitter.com/ann/status/{ID}",
        "date": "2021-04-08T19:34:16+00:00", "rawContent": "@bob hi #tag $TSLA https://t.co/1",
        "renderedContent": "@bob hi", "id": int(ID), "user": {"username": "ann", "id": 7, "displayname": "Ann"},
        "replyCount": 1, "retweetCount": 2, "likeCount": 3, "quoteCount": 4, "viewCount": 5, "lang": "en",
        "conversationId": int(ID), "links": [{"url": "https://example.org/a", "tcourl": "https://t.co/1"}],
        "outlinks": ["https://example.org/a"], "retweetedTweet": None, "quotedTweet": {"id": int(LATER), "user": {}},
        "inReplyToTweetId": 11, "mentionedUsers": [{"username": "bob", "id": 8}], "hashtags": ["tag"],
        "cashtags": ["TSLA"],
    }  # fmt: skip
    (row,) = rows_of(drop([line]))
    expected = {
        "tweet_id": ID, "author": "ann", "author_id": "7", "text": "@bob hi #tag $TSLA https://t.co/1",
        "mentions": ["bob"], "hashtags": ["tag"], "cashtags": ["TSLA"], "urls": ["https://example.org/a"],
        "reply_count": 1, "retweet_count": 2, "like_count": 3, "quote_count": 4, "impression_count": 5,
        "in_reply_to": "11", "quoted_tweet_id": LATER, "conversation_id": ID, "lang": "en", "is_retweet": False,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    old = {"id": int(ID), "content": "RT", "user": {"username": "ann"}, "retweetedTweet": {"id": int(LATER)}}
    (row,) = rows_of(drop([old]))
    assert (row["retweeted_tweet_id"], row["is_retweet"], row["text"]) == (LATER, True, "RT")


# version 2


@pytest.mark.parametrize(
    ("shape", "name", "author_id"),
    [
        ({"user": {"login": "ann", "name": "Ann B", "id": 7}}, "ann", "7"),
        ({"author": {"username": "@ann", "name": "Ann B"}}, "ann", None),
        ({"author": {"name": "Ann B", "userName": "ann", "id": "7"}}, "ann", "7"),
        ({"userInfo": {"displayName": "Ann B"}}, "Ann B", None),
        ({"userInfo": {"displayName": "Ann B", "screenName": "ann"}}, "ann", None),
        ({"from": {"name": "ann", "id": 7}}, "ann", "7"),
        ({"account": {"acct": "ann"}}, "ann", None),
        ({"core": {"user_results": {"result": {"rest_id": "7", "legacy": {"screen_name": "ann"}}}}}, "ann", "7"),
        ({"core": {"user_results": {"result": {"rest_id": "7", "core": {"screen_name": "ann"}}}}}, "ann", "7"),
        ({"author": {"nickname": "ann"}}, "ann", None),
        ({"user": {"legacy": {"screen_name": "ann"}, "rest_id": "7"}}, "ann", "7"),
        ({"username": "ann", "user": {"login": "other"}}, "ann", None),
        ({"user": {"id": "x", "login": {"a": 1}}, "from": [], "core": 3}, None, None),
    ],
)
def test_an_author_is_found_under_other_names(
    drop: Drop, shape: dict[str, Any], name: str | None, author_id: str | None
) -> None:
    (row,) = rows_of(drop([{"id": ID, "text": "hello", **shape}]))
    assert (row["author"], row["author_id"]) == (name, author_id)


@pytest.mark.parametrize(
    ("given", "author_id"),
    [("5005.0", "5005"), ("5005", "5005"), ("1.2E+10", None), ("1234567890123456789.0", None), ("x", None), ("", None)],
)
def test_an_authors_id_that_became_a_decimal_number_is_read_where_it_is_exact(
    drop: Drop, given: str, author_id: str | None
) -> None:
    (row,) = rows_of(drop(f"tweet_id,text,user_id\n{ID},hi,{given}\n", "a.csv"))
    assert row["author_id"] == author_id


def test_a_tweet_of_xs_own_pages_is_read_whole(drop: Drop) -> None:
    whole = "all of a long text, to its end"
    user = {"user_results": {"result": {"rest_id": "7", "legacy": {"screen_name": "ann", "name": "Ann B"}}}}
    note = {"note_tweet_results": {"result": {"text": whole, "entity_set": {"hashtags": [{"text": "end"}]}}}}
    counts = {"favorite_count": 3, "retweet_count": 1, "reply_count": 0, "quote_count": 2}
    legacy = {
        "id_str": ID,
        "full_text": "all of a…",
        "created_at": "Thu Apr 08 19:34:16 +0000 2021",
        "lang": "en",
        **counts,
    }
    long = {
        "__typename": "Tweet",
        "rest_id": ID,
        "core": user,
        "legacy": legacy,
        "note_tweet": note,
        "views": {"count": "9"},
    }
    repeated = {"retweeted_status_result": {"result": {"tweet": long}}}
    again = {"rest_id": LATER, "core": user, "legacy": {"full_text": "RT @ann: all of…", **repeated}}
    first, second = rows_of(drop([long, again]))
    assert (first["text"], first["author"], first["author_id"], first["hashtags"]) == (whole, "ann", "7", ["end"])
    assert (first["like_count"], first["quote_count"], first["impression_count"], first["lang"]) == (3, 2, 9, "en")
    assert (second["tweet_id"], second["text"], second["is_retweet"]) == (LATER, f"RT @ann: {whole}", True)


def test_a_withheld_tweet_stays(drop: Drop) -> None:
    withheld = {"copyright": False, "country_codes": ["DE"]}
    assert ids_of(drop([{**TWEET, "withheld": withheld}, {**TWEET, "id": LATER}])) == [ID, LATER]


def test_an_edited_tweet_has_the_day_and_time_of_its_first_version(drop: Drop) -> None:
    # 23:50 and, edited, 0:10 of the next day.
    first = str((int(datetime(2023, 5, 1, 23, 50).timestamp()) * 1000 - 1_288_834_974_657) << 22)
    second = str(int(first) + (20 * 60_000 << 22))
    (row,) = rows_of(drop([{"id": second, "text": "edited", "edit_history_tweet_ids": [first, second]}]))
    assert (row["tweet_id"], row["root_tweet_id"], row["day"]) == (second, first, date(2023, 5, 1))
    assert row["created_at"] == datetime(2023, 5, 1, 23, 50)
    # What can't be its history does not move it.
    (row,) = rows_of(drop([{"id": second, "text": "x", "edit_history_tweet_ids": [ID, second]}]))
    assert (row["root_tweet_id"], row["day"]) == (second, date(2023, 5, 2))


def test_a_notice_of_a_stream_is_refused_by_name(drop: Drop) -> None:
    (refusal,) = refused_of(drop([TWEET, {"limit": {"track": 5}}, {**TWEET, "id": LATER}]))
    assert (refusal.position, refusal.detail) == ("line 2", "limit")


# documents of any size


def test_a_broken_element_of_a_document_costs_only_itself(drop: Drop) -> None:
    tweets = [{**TWEET, "id": str(int(ID) + number)} for number in range(5)]
    text = json.dumps(tweets, indent=1).replace(f'"id": "{int(ID) + 2}"', '"id": oops')
    assert ids_of(drop(text)) == [tweet["id"] for tweet in tweets if tweet["id"] != str(int(ID) + 2)]
    (refusal,) = refused_of(drop(text))
    assert refusal.position == "item 3"
    assert "line 12, column 2" in refusal.detail
    page = json.dumps({"data": tweets, "includes": {"users": [{"id": "7", "username": "ann"}]}}, indent=1)
    path = drop(page.replace(f'"id": "{int(ID) + 2}"', '"id": oops'))
    assert [row["author"] for row in read_tweets(path) if isinstance(row, dict)] == ["ann"] * 4


def test_a_document_that_is_cut_gives_what_comes_before_the_cut(drop: Drop) -> None:
    text = json.dumps([TWEET, {**TWEET, "id": LATER}])
    assert ids_of(drop(text[:-10])) == [ID]
    assert [r.position for r in refused_of(drop(text[:-10]))] == ["item 2"]


def test_a_page_of_any_size_still_names_the_authors_that_follow_its_tweets(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_values, "_MAX_WAITING", 3)
    users = {"users": [{"id": "7", "username": "ann"}]}
    tweets = [{**TWEET, "id": str(int(ID) + number)} for number in range(10)]
    path = drop(json.dumps({"data": tweets, "includes": users, "meta": {}}, indent=1))
    assert [(row["tweet_id"], row["author"]) for row in rows_of(path)] == [(tweet["id"], "ann") for tweet in tweets]


def test_an_array_in_one_line_is_read_as_a_document_if_it_is_long(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "_LONGEST_PROBED", 200)
    tweets = [{**TWEET, "id": str(int(ID) + number)} for number in range(50)]
    assert ids_of(drop(json.dumps(tweets))) == [tweet["id"] for tweet in tweets]
    assert ids_of(drop([[tweet] for tweet in tweets])) == [tweet["id"] for tweet in tweets]


# delimited text


def test_a_map_beside_a_file_names_its_columns(drop: Drop) -> None:
    path = drop(f"ident,body,what\n{ID},hello,5\n", "odd.csv")
    assert [r.position for r in refused_of(path)] == ["file"]
    map_path(path).write_text(json.dumps({"tweet_id": "ident", "text": "body", "like_count": "what"}))
    (row,) = rows_of(path)
    assert (row["tweet_id"], row["text"], row["like_count"]) == (ID, "hello", 5)


def test_a_map_by_numbers_reads_a_file_without_a_header(drop: Drop) -> None:
    path = drop(f"{ID}\tpositive\thello\n{LATER}\tneutral\tme, too\n", "no_header.tsv")
    map_path(path).write_text(json.dumps({"tweet_id": "#1", "text": "#3"}))
    assert [(row["tweet_id"], row["text"]) for row in rows_of(path)] == [(ID, "hello"), (LATER, "me, too")]


def test_a_map_goes_for_json_and_parquet_too(drop: Drop, tmp_path: Path) -> None:
    path = drop([{"ident": ID, "body": "hello"}])
    map_path(path).write_text(json.dumps({"tweet_id": "ident", "text": "body"}))
    assert ids_of(path) == [ID]
    table = tmp_path / "odd.parquet"
    pq.write_table(pa.table({"ident": [int(ID)], "body": ["hello"]}), table)
    map_path(table).write_text(json.dumps({"tweet_id": "ident", "text": "body"}))
    assert ids_of(table) == [ID]


@pytest.mark.parametrize("text", ["{", "[]", '{"colour": "x"}', '{"text": 5}', '{"text": "#1", "tweet_id": "id"}'])
def test_a_map_that_is_none_refuses_the_file_and_says_why(drop: Drop, text: str) -> None:
    path = drop(f"id,text\n{ID},hello\n", "x.csv")
    map_path(path).write_text(text)
    (refusal,) = refused_of(path)
    assert (refusal.position, refusal.reason) == ("file", "the column map next to it is not valid")
    with pytest.raises(ValueError, match=r"\w"):
        checked_map(json.loads(text))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", "\x01"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_any_delimiter_and_encoding_is_found_out(drop: Drop, delimiter: str, encoding: str) -> None:
    lines = [["id", "text", "likes"], [ID, "café “so”", "3"], [LATER, "naïve", "4"]]
    text = "\r\n".join(delimiter.join(line) for line in lines)
    found = rows_of(drop(text.encode(encoding), "x.csv"))
    assert [(row["tweet_id"], row["text"], row["like_count"]) for row in found] == [
        (ID, "café “so”", 3), (LATER, "naïve", 4)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [
        ("sep=;", ";"), ("sep=,", ","), ('"sep=;"', ";"), ("SEP=;", ";"), ("Sep = |", "|"), ("sep=\t", "\t"),
        ("sep=\\t", "\t"),
        ("sep=tab", "\t"), ("sep=;;;", ";"), ('sep=";"', ";"), ("sep=§", "§"), ("\ufeffsep=,", ","), ("\n\nsep=;", ";"),
        ("sep=,", ";"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_line_that_tells_spreadsheets_the_delimiter_is_not_the_header(
    drop: Drop, line: str, delimiter: str, end: str
) -> None:
    text = end.join([line, delimiter.join(["tweet_id", "text", "likes"]), delimiter.join([ID, "hi", "3"]), ""])
    ((row,), (other,)) = (list(read_tweets(drop(content, "a.csv"))) for content in (text, text.replace("hi", "'hi'")))
    assert isinstance(row, dict) and (row["tweet_id"], row["text"], row["like_count"]) == (ID, "hi", 3)
    assert isinstance(other, dict)


@pytest.mark.parametrize("text", ["sep=;", "sep=;\n", "sep=;\nsep=;\n", "sep=\ntweet_id,text\n1,a\n"])
def test_a_file_of_nothing_but_a_delimiter_is_refused(drop: Drop, text: str) -> None:
    (refusal,) = read_tweets(drop(text, "a.csv"))
    assert isinstance(refusal, Refused) and refusal.position == "file"


def test_a_file_without_a_header_may_begin_with_its_delimiter(drop: Drop, tmp_path: Path) -> None:
    path = drop(f"sep=;\n{ID};hi\n", "a.csv")
    column_map = tmp_path / "map.json"
    column_map.write_text('{"tweet_id": "#1", "text": "#2"}')
    (row,) = read_tweets(path, column_map=column_map)
    assert isinstance(row, dict) and row["text"] == "hi"


def test_quotes_between_tabs_swallow_no_rows(drop: Drop) -> None:
    # Regression: of SemEval's 2014sarcasm, 37 of 86 rows vanished in fields from one quote to the next.
    texts = ['"so', "b", 'it "is"', 'he" said', '"']
    rows = [f"{int(ID) + number}\tlabel\t{text}" for number, text in enumerate(texts)]
    path = drop("id\tlabel\ttext\n" + "\n".join(rows), "x.tsv")
    assert [row["text"] for row in rows_of(path)] == texts
    # Where quotes do enclose a field of several lines, they still do.
    path = drop(f'id\tlabel\ttext\n{ID}\tx\t"one\ntwo"\n{LATER}\tx\tb\n', "y.tsv")
    assert [row["text"] for row in rows_of(path)] == ["one\ntwo", "b"]


# Parquet


def test_a_parquet_file_of_pandas_is_read(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "tweet_id": [int(ID), int(LATER)],
            "created_at": pd.to_datetime(["2021-04-08T21:34:16+02:00"] * 2, utc=True),
            "full_text": ["a &amp; b", "#x"],
            "favorite_count": [3.0, None],
            "user": [{"screen_name": "ann", "id_str": "7"}] * 2,
            "hashtags": [["given"], None],
        }
    )
    path = tmp_path / "frame.bin"
    frame.to_parquet(path, row_group_size=1)
    one, two = rows_of(path)
    assert (one["tweet_id"], one["text"], one["like_count"], one["author"]) == (ID, "a & b", 3, "ann")
    assert (one["hashtags"], two["hashtags"], two["like_count"]) == (["given"], ["x"], None)
    staged = stage(path)
    assert (staged.kind, staged.rows_out, staged.time_mismatches) == ("Parquet", 2, 0)


def test_what_klip_wrote_itself_comes_in_unchanged(drop: Drop, tmp_path: Path) -> None:
    path = drop(
        [{**TWEET, "created_at": "2021-04-08T19:34:16.000Z", "lang": "en", "entities": {"hashtags": [{"tag": "a"}]}}]
    )
    (part,) = stage(path).parts.values()
    pq.write_table(part, tmp_path / "own.parquet")
    (again,) = stage(tmp_path / "own.parquet").parts.values()
    assert again.select(TWEETS_RAW.schema.names).equals(part)


def test_ids_that_pandas_made_floats_are_refused_with_the_reason(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pd.DataFrame({"id": [float(ID), None], "text": ["a", "b"]}).to_parquet(path)
    assert ["rounded" in refusal.reason for refusal in refused_of(path)] == [True, False]
    assert [refusal.position for refusal in refused_of(path)] == ["row 1", "row 2"]


def test_a_parquet_file_of_something_else_or_cut_or_packed_again_is_refused_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    assert ["no column" in r.reason for r in refused_of(path)] == [True]
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert ["damaged" in r.reason for r in refused_of(path)] == [True]
    path.write_bytes(gzip.compress(whole))
    assert ["a compressed file" in r.reason for r in refused_of(path)] == [True]


# times


def test_times_that_disagree_with_the_ids_are_counted_with_their_typical_difference(drop: Drop) -> None:
    lines = [f"{ID},2021-04-08 11:34:16,x", f"{LATER},2021-04-08 11:34:16,x", f"{THIRD},2021-04-08T19:34:16Z,x"]
    staged = stage(drop("id,created_at,text\n" + "\n".join(lines), "x.csv"))
    assert (staged.time_mismatches, staged.typical_offset) == (2, "-8 h")
    assert list(staged.parts) == [date(2021, 4, 8)]


@pytest.mark.parametrize("told", ["2021-04-08", "4/8/2021", "4/8/21 19:34", "1617910456", "2021-04-09T01:04:16+05:30"])
def test_a_time_of_less_exactness_or_another_zone_agrees(drop: Drop, told: str) -> None:
    assert stage(drop(f"id,created_at,text\n{ID},{told},x\n", "x.csv")).time_mismatches == 0


def test_the_kind_of_a_file_is_told(drop: Drop) -> None:
    for content, kind in (([TWEET], "JSON"), (f"id,text\n{ID},x", "delimited text"), (b"", "")):
        reader = TweetReader(drop(content))
        list(reader.read())
        assert reader.kind == kind
