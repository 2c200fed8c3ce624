"""Fast path for plain tweets of the X API, version 2.

Nearly all of a million tweets are plain. Everything else is left to `tweets.rows`, which gives the same row for any
tweet that both can read (a test compares them).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache

from klip_assets.signals.tweets.clock import Clock
from klip_assets.signals.tweets.entities import entities_of_api, entities_of_text
from klip_assets.signals.tweets.retweets import repeated_by, says_retweet
from klip_assets.signals.tweets.rows import Row, date_by_first_version, refer
from klip_assets.signals.tweets.snowflake import FIRST_SNOWFLAKE, created_at_of
from klip_assets.signals.tweets.values import RowRefused, is_absent, text_of_tweet, time_of

_KNOWN = frozenset(
    {
        "id", "text", "created_at", "author_id", "lang", "public_metrics", "entities", "edit_history_tweet_ids",
        "conversation_id", "referenced_tweets", "author", "__twarc", "in_reply_to_user_id", "possibly_sensitive",
        "source", "reply_settings", "attachments", "context_annotations", "geo", "edit_controls", "withheld",
        "display_text_range", "non_public_metrics", "organic_metrics", "in_reply_to_user",
    }
)  # fmt: skip
_LARGEST = 2**63
_NO_TWEETS: Mapping[str, Mapping[str, object]] = {}
_time_of = lru_cache(maxsize=64)(time_of)


def quick_row(
    tweet: Mapping[str, object],
    *,
    user_names: Mapping[str, str],
    observed_at: datetime | None,
    clock: Clock,
    included: Mapping[str, Mapping[str, object]] = _NO_TWEETS,
) -> Row | None:
    """Build a row like `row_of_object`, or return None where that is needed.

    Raises:
        RowRefused: The time in the id can't be a tweet's.
    """
    if not tweet.keys() <= _KNOWN:
        return None
    get = tweet.get
    tweet_id, text, author_id, lang = get("id"), get("text"), get("author_id"), get("lang")
    conversation, told, metrics = get("conversation_id"), get("created_at"), get("public_metrics")
    if not (
        isinstance(tweet_id, str)
        and isinstance(text, str)
        and _is_id(tweet_id)
        and len(tweet_id) > 11
        and int(tweet_id) >= FIRST_SNOWFLAKE
        and (author_id is None or (isinstance(author_id, str) and author_id.isdigit() and author_id.isascii()))
        and (lang is None or (isinstance(lang, str) and lang.isalpha() and not is_absent(lang)))
        and (conversation is None or (isinstance(conversation, str) and _is_id(conversation)))
        and (metrics is None or isinstance(metrics, dict))
        and (told is None or isinstance(told, str))
    ):
        return None
    if get("referenced_tweets") and repeated_by(tweet, included):
        return None
    likes = retweets = replies = quotes = impressions = None
    if metrics is not None:
        count = metrics.get
        likes, retweets, replies = count("like_count"), count("retweet_count"), count("reply_count")
        quotes, impressions = count("quote_count"), count("impression_count")
        for value in (likes, retweets, replies, quotes, impressions):
            if value is not None and not (type(value) is int and 0 <= value < _LARGEST):
                return None
    name = None
    if (author := get("author")) is not None:
        name = author.get("username") if isinstance(author, dict) and author.get("id") == author_id else None
        if not isinstance(name, str) or not name.isascii() or not name.isidentifier() or is_absent(name):
            return None
    if (twarc := get("__twarc")) is not None:
        if not isinstance(twarc, dict) or not isinstance(twarc.get("retrieved_at"), str):
            return None
        observed_at = _time_of(twarc["retrieved_at"]) or observed_at
    created_at = created_at_of(tweet_id)
    assert created_at is not None
    if created_at > clock.now - timedelta(days=1):
        clock.check(tweet_id, created_at)
    if told is not None:
        clock.compare(created_at, told)
    try:
        text = text_of_tweet(text)
    except RowRefused:
        return None
    entities = get("entities")
    found = entities_of_api(entities) if isinstance(entities, dict) else entities_of_text(text)
    row: Row = {
        "tweet_id": tweet_id,
        "day": created_at.date(),
        "created_at": created_at,
        "author": name or (user_names.get(author_id) if author_id else None),
        "author_id": author_id,
        "text": text,
        "lang": lang,
        "root_tweet_id": tweet_id,
        "is_retweet": says_retweet(text),
        "retweeted_tweet_id": None,
        "quoted_tweet_id": None,
        "in_reply_to": None,
        "conversation_id": conversation,
        "hashtags": found.hashtags,
        "mentions": found.mentions,
        "cashtags": found.cashtags,
        "urls": found.urls,
        "like_count": likes,
        "retweet_count": retweets,
        "reply_count": replies,
        "quote_count": quotes,
        "impression_count": impressions,
        "observed_at": observed_at,
        "text_observed_at": observed_at,
    }
    references, history = get("referenced_tweets"), get("edit_history_tweet_ids")
    if references is not None:
        refer(row, references)
    if history is not None:
        if history == [tweet_id]:
            row["edit_history_ids"] = history
        else:
            date_by_first_version(row, history)
    return row


def _is_id(text: str) -> bool:
    return (
        0 < len(text) < 20
        and text.isdigit()
        and text.isascii()
        and text[0] != "0"
        and (len(text) < 19 or int(text) < _LARGEST)
    )
