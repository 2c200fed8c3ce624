"""X's notices are nobody's words."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import datetime
from itertools import permutations
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.settings import Settings
from klip_assets.signals.tweets.merge import RawSource, merge_day
from klip_assets.signals.tweets.notices import is_notice, notices_in
from klip_assets.signals.tweets.staging import stage
from klip_assets_tests.processed import query
from klip_assets_tests.worked import work

ID = 1766433752478646272
MEDIA_POLICY = "This account is temporarily unavailable because it violates the Twitter Media Policy. Learn more."
NOTICES = [
    MEDIA_POLICY,
    "@somebody's account is temporarily unavailable because it violates the X Media Policy. Learn more.",
    "RT @BVoltaire: @BVoltaire's account is temporarily unavailable because it violates the Twitter Media Policy. "
    "Learn more.",
    "This Tweet from @somebody has been withheld in India in response to a legal demand. Learn more.",
    "@some's account has been withheld in Belgium, Sweden, United Kingdom in response to a legal demand. Learn more.",
    "@somebody has been withheld in DE in response to a legal demand. Learn more.",
    "@somebody’s account has been withheld in Germany based on local law(s). Learn more.",
    "This Tweet has been withheld in: Turkey",
    "This Tweet has been withheld in India, Türkiye.",
    "Tweet withheld. This Tweet from @somebody has been withheld based on local law(s). Learn more.",
    "User withheld. @somebody has been withheld in: Österreich",
    'b"@BVoltaire\\\'s account is temporarily unavailable because it violates the Twitter Media Policy. Learn more."',
    "Due to local laws, we are temporarily restricting access to this content until X estimates your age. Learn more",
    "Caution: This account is temporarily restricted. You’re seeing this warning because there has been some unusual "
    "activity from this account. Do you still want to view it?",
    "Something went wrong. Try reloading.",
    "The following media includes potentially sensitive content. Change settings",
    "Sorry, this Post can’t be displayed.",
    "@somebody's Tweets are protected.",
    "This Post from @somebody has been withheld in response to a report from the copyright holder. Learn more.",
    "This media has been disabled in response to a report by the copyright owner.",
    "This Post is from an account that no longer exists. Learn more",
    "This Post is from an account that no longer exists. {learnmore}",
    "This Tweet is from a suspended account. Learn more https://help.twitter.com/rules-and-policies",
    "This Post is from a private account. Learn more",
    "This Tweet is from an account owner who limits who can view their Tweets. Learn more",
    "This account has been suspended. Learn more",
    "User has been suspended.",
    "No status found with that ID.",
    "This Tweet is from an account you blocked.",
    "This Tweet violated the Twitter Rules. Learn more",
    "This Post violated the X Rules. Learn more",
    "This Tweet violated the Twitter Rules about spreading misleading information related to COVID-19. However, "
    "Twitter has determined that it may be in the public’s interest for the Tweet to remain accessible. Learn more",
    "This Tweet is no longer available because it violated the Twitter Rules. Learn more",
    "This Post is unavailable. Learn more",
    "This Tweet is unavailable.",
    "THIS POST IS NOT AVAILABLE IN YOUR COUNTRY",
    "Age-restricted adult content. This content might not be appropriate for people under 18 years old. To view this "
    "media, you’ll need to log in to X. Learn more",
    "You’re unable to view this Post because this account owner limits who can view their Posts. Learn more",
    "You're unable to view this Tweet because this account owner limits who can view their Tweets.",
    "Hmm...this page doesn’t exist. Try searching for something else.",
    "This post was deleted by the post author. Learn more",
    "This Tweet was deleted by the Tweet author.",
    "There’s a new version of this Tweet",
    "These Tweets are protected. Only approved followers can see @somebody’s Tweets. To request access, click Follow.",
    "Account suspended. X suspends accounts which violate the X Rules",
    "Sorry, you are not authorized to see this status.",
]
WORDS = [
    f"lol, all I see is “{MEDIA_POLICY}” what did they do",
    f"{MEDIA_POLICY} 😂",
    "This Tweet is from a suspended account, and that is good",
    "This account is the best",
    "my account has been withheld in India in response to a legal demand",
    "This post was withheld in my head",
    "this post has been withheld in my head",
    "this photo can't be shown to my mother",
    "This Tweet violated the Twitter Rules and I don't care",
    "This Post is no longer available because I was drunk and my mom saw it",
    "These posts are protected by copyright",
    "this post was removed from my brain",
    "this account is suspended between hope and fear",
    "something went wrong",
    "you're unable to view this post because you are not me lol",
    "Learn more",
    "",
    "unavailable",
]


@pytest.mark.parametrize("text", NOTICES)
def test_a_notice_is_known_in_any_wording(text: str) -> None:
    assert (
        is_notice(text) and is_notice(f"  {text}\n") and is_notice(text.replace("’", "'").upper().replace('B"', 'b"'))
    )
    assert not is_notice(f"{text} Why?") and not is_notice(f"Look: {text}")


@pytest.mark.parametrize("text", WORDS)
def test_what_somebody_says_about_a_notice_is_their_text(text: str) -> None:
    assert not is_notice(text)


@given(st.lists(st.none() | st.sampled_from([*NOTICES, *WORDS]) | st.text()))
def test_whole_columns_are_judged_like_single_texts(texts: list[str | None]) -> None:
    texts = [text and text.encode("utf-8", "replace").decode() for text in texts]
    found = notices_in(pa.array(texts, pa.string())).tolist()
    assert found == [text is not None and is_notice(text) for text in texts]


def entries(texts: list[str]) -> list[dict[str, object]]:
    return [{"id": str(ID + n), "text": text, "author_id": "77"} for n, text in enumerate(texts)]


def as_csv(texts: list[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([("id", "text"), *((entry["id"], entry["text"]) for entry in entries(texts))])
    return text.getvalue()


def as_parquet(texts: list[str]) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(entries(texts)), content)
    return content.getvalue()


@pytest.mark.parametrize(
    "write",
    [
        lambda texts: "".join(json.dumps(entry) + "\n" for entry in entries(texts)),
        lambda texts: json.dumps({"data": entries(texts)}, indent=1),
        lambda texts: "".join(json.dumps({**entry, "full_text": entry["text"]}) + "\n" for entry in entries(texts)),
        as_csv,
        as_parquet,
    ],
    ids=["lines", "page", "API 1.1", "CSV", "Parquet"],
)
def test_notices_are_skipped_with_the_reason_in_every_kind_of_file(
    write: Callable[[list[str]], str | bytes], drop: Callable[..., Path]
) -> None:
    texts = [text for pair in zip(NOTICES, [f"hello {n}" for n in range(len(NOTICES))], strict=True) for text in pair]
    staged = stage(drop(write(texts)), now=datetime(2026, 1, 1))
    kept = {text for part in staged.parts.values() for text in part["text"].to_pylist()}
    assert kept == {f"hello {n}" for n in range(len(NOTICES))}
    assert len(staged.refused) == len(NOTICES)
    assert {refused.reason for refused in staged.refused} == {"a notice of X in the place of the text"}
    assert "temporarily unavailable" in " ".join(refused.detail for refused in staged.refused)


def test_a_retweet_of_an_account_that_is_gone_is_a_notice_too(drop: Callable[..., Path]) -> None:
    gone = {"id_str": str(ID - 1), "full_text": MEDIA_POLICY, "user": {"screen_name": "gone"}}
    staged = stage(drop([{"id_str": str(ID), "full_text": "RT @gone: This acc…", "retweeted_status": gone}]))
    assert staged.rows_out == 0 and len(staged.refused) == 1


def test_real_text_wins_over_a_notice_in_any_order(drop: Callable[..., Path]) -> None:
    real, other = "What a lovely evening, we all had so much fun", "And again"
    files = []
    for number, (day, text) in enumerate([(1, MEDIA_POLICY), (2, real), (3, f"{MEDIA_POLICY} "), (4, other)]):
        entry = {"id": str(ID), "text": text, "__twarc": {"retrieved_at": f"2024-04-0{day}T00:00:00Z"}}
        for part in stage(drop([entry], f"{number}.jsonl")).parts.values():
            files.append(RawSource(str(number), f"{number}.jsonl", part))
    for order in permutations(files):
        merged = merge_day(order, ingested_at=datetime(2026, 1, 1))
        assert merged["text"].to_pylist() == [real], "of real texts the first stays"


@pytest.mark.slow
def test_a_tweet_of_which_only_a_notice_is_left_is_not_published(settings: Settings) -> None:
    (settings.tweet_inbox / "a.jsonl").write_text(
        "".join(json.dumps(entry) + "\n" for entry in entries([MEDIA_POLICY, "love this", NOTICES[10]]))
    )
    (settings.tweet_inbox / "b.jsonl").write_text(json.dumps(entries([MEDIA_POLICY, "", "so sad"])[2]) + "\n")
    assert work(settings).ok
    rows = query(settings, "SELECT text FROM tweets JOIN tweet_sentiment USING (tweet_id) ORDER BY tweet_id")
    assert [row["text"] for row in rows] == ["love this", "so sad"]
    refused = query(settings, "SELECT reason FROM quarantine WHERE source_file LIKE '%a.jsonl'")
    assert [row["reason"] for row in refused] == ["a notice of X in the place of the text"] * 2
