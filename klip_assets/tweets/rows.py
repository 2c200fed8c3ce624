"""From one tweet as a file has it to one row of TWEETS_RAW.

Put here: what makes a row of the fields of a tweet, whatever the format. Keep out: reading files
(`tweets.json_reader`, `tweets.csv_reader`) and what single values mean (`tweets.values`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from klip_assets.textfile import sound
from klip_assets.tweets.columns import columns_of, holds_tweets
from klip_assets.tweets.entities import Entities, entities_of_api, entities_of_text
from klip_assets.tweets.snowflake import SNOWFLAKE_ERA, created_at_of
from klip_assets.tweets.values import (
    RowRefused,
    count_of,
    flag_of,
    is_absent,
    name_of,
    other_id_of,
    shown,
    text_of_tweet,
    time_of,
    tweet_id_of,
    user_name_of,
)

Row = dict[str, object]

#: Day of the first tweet ever.
FIRST_DAY = date(2006, 3, 21)
_COUNTS = ("like_count", "retweet_count", "reply_count", "quote_count", "impression_count")
_RETWEET_TEXT = re.compile(r"RT @[A-Za-z0-9_]{1,20}: ")
_NESTED = (
    "public_metrics", "author", "user", "note_tweet", "extended_tweet", "__twarc", "retweeted_status", "quoted_status",
)  # fmt: skip


def row_of_fields(
    fields: Mapping[str, object], columns: Mapping[str, str], *, now: datetime, entities: Entities | None = None
) -> Row:
    """Make a row of a tweet's flat fields.

    Args:
        fields: Values by the names the file gives them.
        columns: What each column is called in the file, see `columns_of`.
        now: A tweet from more than a day after this can't be one.
        entities: Hashtags and the like where the file gives them; else they are taken from the text.

    Raises:
        RowRefused: The fields do not hold a usable tweet.
    """

    def given(column: str) -> object:
        return fields.get(columns[column]) if column in columns else None

    tweet_id = tweet_id_of(given("tweet_id"), given("url"))
    created_at = _created_at(tweet_id, given("created_at"), now)
    text = text_of_tweet(given("text"))
    retweeted = other_id_of(given("retweeted_tweet_id"))
    flagged = flag_of(given("is_retweet"))
    return {
        "tweet_id": tweet_id,
        "day": created_at.date(),
        "created_at": created_at,
        "author": user_name_of(given("author")),
        "author_id": _user_id(given("author_id")),
        "text": text,
        "lang": name_of(given("lang")),
        "root_tweet_id": tweet_id,
        "is_retweet": (retweeted is not None or _says_retweet(text)) if flagged is None else flagged,
        "retweeted_tweet_id": retweeted,
        "quoted_tweet_id": other_id_of(given("quoted_tweet_id")),
        "in_reply_to": other_id_of(given("in_reply_to")),
        "conversation_id": other_id_of(given("conversation_id")),
        **_lists(entities or entities_of_text(text)),
        **{name: count_of(given(name), name) for name in _COUNTS},
        "observed_at": time_of(given("observed_at")),
    }


def row_of_object(
    tweet: Mapping[str, object], *, user_names: Mapping[str, str], observed_at: datetime | None, now: datetime
) -> Row:
    """Make a row of a tweet object of the X API (version 2 or 1.1), twarc or another JSON export.

    Args:
        tweet: The object.
        user_names: User names by user id, from `includes.users`.
        observed_at: When the response was retrieved; the object's own time goes before it.
        now: A tweet from more than a day after this can't be one.

    Raises:
        RowRefused: The object does not hold a usable tweet.
    """
    fields = _flat(tweet)
    columns = columns_of(tuple(fields))
    if not holds_tweets(columns):
        raise RowRefused("not a tweet: id or text is missing", "fields: " + shown(", ".join(map(str, tweet))))
    row = row_of_fields(fields, columns, now=now, entities=_entities(tweet))
    if row["observed_at"] is None:
        row["observed_at"] = observed_at
    if row["author"] is None and isinstance(row["author_id"], str):
        row["author"] = user_names.get(row["author_id"])
    _refer(row, tweet.get("referenced_tweets"))
    history = tweet.get("edit_history_tweet_ids")
    if isinstance(history, list):
        versions = [version for version in map(other_id_of, history) if version]
        if versions:
            row |= {"root_tweet_id": versions[0], "edit_history_ids": versions}
    return row


def _created_at(tweet_id: str, told: object, now: datetime) -> datetime:
    """Return when the tweet was created: the id decides; only an id without a time lets the file tell it."""
    created_at = created_at_of(tweet_id)
    if created_at is None:
        if is_absent(told):
            raise RowRefused("no time: neither the id nor the row has one", f"id {tweet_id}")
        created_at = time_of(told)
        if created_at is None:
            raise RowRefused("time not understood", shown(told))
        if created_at >= SNOWFLAKE_ERA:
            raise RowRefused("not a tweet id: too small for its date", f"id {tweet_id}, {created_at:%Y-%m-%d}")
    if created_at.date() < FIRST_DAY:
        raise RowRefused("the time lies before the first tweet", f"id {tweet_id}, {created_at:%Y-%m-%d}")
    if created_at > now + timedelta(days=1):
        raise RowRefused("the time lies in the future", f"id {tweet_id}, {created_at:%Y-%m-%d}")
    return created_at


def _says_retweet(text: str) -> bool:
    return _RETWEET_TEXT.match(text) is not None


def _user_id(value: object) -> str | None:
    name = name_of(value)
    return name if name and name.isascii() and name.isdigit() else None


def _flat(tweet: Mapping[str, object]) -> dict[str, object]:
    """Return the fields with those of known nested objects beside them, joined by '_'."""
    flat = {name: value for name, value in tweet.items() if name not in _NESTED or not isinstance(value, dict)}
    for name in _NESTED:
        nested = tweet.get(name)
        if isinstance(nested, dict):
            flat |= {f"{name}_{inner}": value for inner, value in nested.items()}
    if isinstance(user := tweet.get("author") or tweet.get("user"), dict):
        flat.setdefault("author_id", user.get("id_str") or user.get("id"))
    return flat


def _entities(tweet: Mapping[str, object]) -> Entities | None:
    """Return the API's entities of the longest text given; None where there are none, and the text must tell."""
    for name in ("note_tweet", "extended_tweet"):
        longer = tweet.get(name)
        if isinstance(longer, dict):
            entities = longer.get("entities")
            return entities_of_api(entities) if isinstance(entities, dict) else None
    entities = tweet.get("entities")
    return entities_of_api(entities) if isinstance(entities, dict) else None


def _refer(row: Row, references: object) -> None:
    """Fill in what the tweet repeats, quotes and answers, from the API's `referenced_tweets`."""
    columns = {"retweeted": "retweeted_tweet_id", "quoted": "quoted_tweet_id", "replied_to": "in_reply_to"}
    for reference in references if isinstance(references, list) else ():
        kind = reference.get("type") if isinstance(reference, dict) else None
        if isinstance(kind, str) and kind in columns:
            row[columns[kind]] = other_id_of(reference.get("id"))
            row["is_retweet"] = row["is_retweet"] or kind == "retweeted"


def _lists(found: Entities) -> Row:
    return {
        "hashtags": [sound(tag) for tag in found.hashtags],
        "mentions": [sound(name) for name in found.mentions],
        "cashtags": [sound(tag) for tag in found.cashtags],
        "urls": [sound(url) for url in found.urls],
    }


def now_utc() -> datetime:
    """Return the present as naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)
