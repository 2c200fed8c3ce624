"""Retweets come out whole where the file has the whole text, in every form of the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from klip_assets.signals.tweets.readers import read_tweets

Drop = Callable[..., Path]
ID, FIRST = "1764259433673654272", "1764259429479350272"
WHOLE = "This is the whole text, and only at its very end does it say what matters: I love it, thanks #end"
CUT = "RT @maker: This is the whole text, and only at its very end does it say…"
REFERENCES = {"referenced_tweets": [{"type": "retweeted", "id": FIRST}]}
NOTE = {"text": WHOLE[:60] + "…", "note_tweet": {"text": WHOLE}}
USERS = [{"id": "11", "username": "fan"}, {"id": "12", "username": "maker"}]


def page(original: dict[str, Any]) -> dict[str, Any]:
    tweet = {"id": ID, "text": CUT, "author_id": "11", **REFERENCES}
    return {"data": [tweet], "includes": {"tweets": [{"id": FIRST, "author_id": "12", **original}], "users": USERS}}


def flattened(original: dict[str, Any], **more: object) -> dict[str, Any]:
    reference = {"type": "retweeted", "id": FIRST, "author": USERS[1], **original}
    return {"id": ID, "text": CUT, "author_id": "11", "referenced_tweets": [reference], **more}


FORMS: dict[str, dict[str, Any]] = {
    "page": page({"text": WHOLE}),
    "page with a note": page(NOTE),
    "page of one tweet": {**page({"text": WHOLE}), "data": page({})["data"][0]},
    "flattened": flattened({"text": WHOLE}),
    "flattened with a note": flattened(NOTE),
    "flattened with more fields": flattened({"text": WHOLE}, lang="en", author=USERS[0]),
    "flattened, without the author": flattened({"text": WHOLE, "author": None}),
    "two references": {**flattened({"text": WHOLE}), "referenced_tweets": [
        {"type": "quoted", "id": "20", "text": "quoted"}, *flattened({"text": WHOLE})["referenced_tweets"]]},
    "version 1.1": {"id_str": ID, "full_text": CUT, "retweeted_status": {
        "id_str": FIRST, "full_text": WHOLE, "user": {"screen_name": "maker"}}},
    "version 1.1, extended": {"id_str": ID, "text": CUT, "truncated": False, "retweeted_status": {
        "id_str": FIRST, "text": WHOLE[:60] + "…", "extended_tweet": {"full_text": WHOLE},
        "user": {"screen_name": "maker"}}},
    "of other programs": {"id": ID, "text": CUT, "retweetedStatus": {
        "id": FIRST, "fullText": WHOLE, "user": {"screenName": "maker"}}},
    "snscrape": {"id": int(ID), "rawContent": CUT, "date": "2024-03-03T12:00:00+00:00", "retweetedTweet": {
        "id": int(FIRST), "rawContent": WHOLE, "user": {"username": "maker"}}},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("written", ["line", "lines", "document", "array"])
def test_a_retweet_that_was_cut_has_the_whole_text_of_what_it_repeats(drop: Drop, form: str, written: str) -> None:
    value = FORMS[form]
    if written == "array":
        value = [value]  # type: ignore[assignment]
    text = json.dumps(value, indent=1 if written == "document" else None)
    if written == "lines":
        text += '\n{"id": "20", "created_at": "2009-01-01", "text": "other"}'
    row = next(row for row in read_tweets(drop(text + "\n")) if isinstance(row, dict) and row["tweet_id"] == ID)
    assert row["text"] == f"RT @maker: {WHOLE}"
    assert (row["is_retweet"], row["hashtags"], row["mentions"]) == (True, ["end"], ["maker"])


@pytest.mark.parametrize("kind", ["quoted", "replied_to"])
def test_a_quote_or_reply_keeps_its_own_text(drop: Drop, kind: str) -> None:
    tweet = flattened({"text": WHOLE, "type": kind}) | {"text": "my own words…"}
    (row,) = read_tweets(drop([tweet]))
    assert isinstance(row, dict) and row["text"] == "my own words…"


def test_a_retweet_that_lacks_nothing_stays_as_it_is(drop: Drop) -> None:
    own = f"RT @Maker: {WHOLE}"
    for original in ({"text": WHOLE}, {"text": WHOLE[:40] + "…"}, {"text": ""}, {"text": None}, {"text": 7}):
        for tweet in (flattened(original), page(original)["data"][0]):
            (row,) = read_tweets(drop([{**tweet, "text": own}]))
            assert isinstance(row, dict) and row["text"] == own


def test_a_notice_in_place_of_what_is_repeated_is_not_its_text(drop: Drop) -> None:
    notice = "This Post is from an account that no longer exists. Learn more"
    (row,) = read_tweets(drop([flattened({"text": notice}) | {"text": "RT @maker: I love…"}]))
    assert isinstance(row, dict) and row["text"] == "RT @maker: I love…"


def test_the_text_is_taken_from_the_column_that_has_one(drop: Drop) -> None:
    table = f'id,text,note_tweet.text\n{ID},short,\n{FIRST},cut…,"{WHOLE}"\n'
    assert [row["text"] for row in read_tweets(drop(table, "a.csv")) if isinstance(row, dict)] == ["short", WHOLE]
    for note in ({"text": None}, {"text": ""}, {}, None):
        (row,) = read_tweets(drop([{"id": ID, "text": "short", "note_tweet": note}]))
        assert isinstance(row, dict) and row["text"] == "short"


@pytest.mark.parametrize("written", ["line", "document"])
def test_a_retweet_is_completed_by_a_tweet_of_its_own_page(drop: Drop, written: str) -> None:
    value = page({})
    value["data"].append({"id": FIRST, "author_id": "12", "text": WHOLE})
    value["includes"] = {"users": USERS}
    rows = list(read_tweets(drop(json.dumps(value, indent=1 if written == "document" else None) + "\n")))
    assert [row["text"] for row in rows if isinstance(row, dict)] == [f"RT @maker: {WHOLE}", WHOLE]


def test_a_whole_retweet_keeps_its_text_if_what_it_repeats_was_edited_later(drop: Drop) -> None:
    for edited in ("short one, and then a lot was added to it", "quite another text, which is longer"):
        (row,) = read_tweets(drop([flattened({"text": edited}) | {"text": "RT @maker: short one"}]))
        assert isinstance(row, dict) and row["text"] == "RT @maker: short one"
