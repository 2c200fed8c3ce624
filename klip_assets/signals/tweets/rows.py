"""From one tweet, as found in a file, to one row of TWEETS_RAW."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from klip_assets.formats.text import valid_unicode
from klip_assets.signals.tweets.clock import Clock
from klip_assets.signals.tweets.columns import SYNONYMS, columns_of, holds_tweets, may_be_shown_name, snake_case
from klip_assets.signals.tweets.counts import COUNTS, Unread
from klip_assets.signals.tweets.entities import entities_of_api, entities_of_lists, entities_of_text
from klip_assets.signals.tweets.retweets import repeated_by, says_retweet, whole_retweet
from klip_assets.signals.tweets.shapes import nested_author
from klip_assets.signals.tweets.snowflake import created_at_of
from klip_assets.signals.tweets.values import (
    RowRefused,
    flag_of,
    name_of,
    other_id_of,
    shown,
    text_of_tweet,
    time_of,
    tweet_id_of,
    user_name_of,
)

Row = dict[str, object]

#: Lists of hashtags and the like, by column.
Lists = Mapping[str, list[str]]

_NO_DECIMALS: Mapping[str, str] = {}
#: An id that a table holds as a decimal number, which is exact up to 15 digits.
_DECIMAL_ID = re.compile(r"([0-9]{1,15})\.0{1,9}")
#: Columns that hold the name shown, which is taken only where there is no handle.
_SHOWN_NAMES = frozenset({"user_name", "name"})
_NO_TWEETS: Mapping[str, Mapping[str, object]] = {}
_NESTED = (
    "public_metrics", "author", "user", "note_tweet", "extended_tweet", "__twarc", "retweeted_status", "quoted_status",
    "retweetedTweet", "quotedTweet", "retweeted_tweet", "retweetedStatus",
)  # fmt: skip
#: All versions of a tweet are made within an hour; a history that spans more is not valid.
_LONGEST_EDITING = timedelta(days=1)


def row_of_fields(
    fields: Mapping[str, object],
    columns: Mapping[str, str],
    *,
    clock: Clock,
    lists: Lists | None = None,
    unread: Unread | None = None,
    decimals: Mapping[str, str] = _NO_DECIMALS,
) -> Row:
    """Build a row from a tweet's flat fields.

    Args:
        fields: Values by their names in the file.
        columns: Name in the file of each column, see `columns_of`.
        clock: Determines the tweet's time.
        lists: Hashtags and the like from the file; missing ones are taken from the text.
        unread: Notes the counts that are there, but can't be read.
        decimals: Signs that separate decimals in a column of the file, see `count_of`.

    Raises:
        RowRefused: The fields are not a usable tweet.
    """

    def given(column: str) -> object:
        return fields.get(columns[column]) if column in columns else None

    tweet_id = tweet_id_of(given("tweet_id"), given("url"))
    created_at = clock.created_at(tweet_id, given("created_at"))
    text = text_of_tweet(_text(fields, given("text")))
    retweeted = other_id_of(given("retweeted_tweet_id"))
    flagged = flag_of(given("is_retweet"))
    observed_at = time_of(given("observed_at"))
    read = (unread or Unread()).read
    author = user_name_of(given("author"))
    is_shown_name = author is not None and may_be_shown_name(columns["author"], given("author"))
    return {
        "tweet_id": tweet_id,
        "day": created_at.date(),
        "created_at": created_at,
        "author": author,
        "author_id": _user_id(given("author_id")),
        **({"author_is_shown_name": True} if is_shown_name else {}),
        "text": text,
        "lang": name_of(given("lang")),
        "root_tweet_id": tweet_id,
        "is_retweet": (retweeted is not None or says_retweet(text)) if flagged is None else flagged,
        "retweeted_tweet_id": retweeted,
        "quoted_tweet_id": other_id_of(given("quoted_tweet_id")),
        "in_reply_to": other_id_of(given("in_reply_to")),
        "conversation_id": other_id_of(given("conversation_id")),
        **(lists if lists and len(lists) == 4 else {**entities_of_text(text).lists(), **(lists or {})}),
        **{name: read(given(name), name, decimals.get(name, "")) for name in COUNTS},
        "observed_at": observed_at,
        "text_observed_at": observed_at,
    }


def row_of_object(
    tweet: Mapping[str, object],
    *,
    user_names: Mapping[str, str],
    observed_at: datetime | None,
    clock: Clock,
    included: Mapping[str, Mapping[str, object]] = _NO_TWEETS,
    mapped: Mapping[str, str] | None = None,
    unread: Unread | None = None,
) -> Row:
    """Build a row from a tweet object: of the X API (version 2 or 1.1), twarc, an account archive, snscrape or others.

    Args:
        tweet: The object.
        user_names: User names by user id, from `includes.users`.
        observed_at: When the response was retrieved; the object's own time takes precedence.
        clock: Determines the tweet's time.
        included: Tweets by id, from `includes.tweets`: those that retweets repeat.
        mapped: Fields that hold the named columns, see `columns_of`.
        unread: Notes the counts that are there, but can't be read.

    Raises:
        RowRefused: The object is not a usable tweet.
    """
    fields = _flat(tweet)
    columns = columns_of(tuple(fields), frozenset(mapped.items()) if mapped else frozenset())
    if not holds_tweets(columns):
        raise RowRefused("not a tweet: id or text is missing", "fields: " + shown(", ".join(map(str, tweet))))
    lists = _lists(tweet)
    if repeated := repeated_by(tweet, included):
        text = fields.get(columns["text"])
        if whole := whole_retweet(text if isinstance(text, str) else "", repeated, user_names):
            fields[columns["text"]], lists = whole[0], _lists_of_retweet(repeated, whole[1])
    row = row_of_fields(fields, columns, clock=clock, lists=lists, unread=unread)
    if row["observed_at"] is None:
        row["observed_at"] = row["text_observed_at"] = observed_at
    if row["author"] is None or snake_case(columns["author"]) in _SHOWN_NAMES:
        name, author_id, is_handle = nested_author(tweet)
        if name and (is_handle or row["author"] is None):
            row["author"] = name
            row["author_is_shown_name"] = None if is_handle else True
        row["author_id"] = row["author_id"] or _user_id(author_id)
    if row["author"] is None and isinstance(row["author_id"], str):
        row["author"] = user_names.get(row["author_id"])
    refer(row, tweet.get("referenced_tweets"))
    date_by_first_version(row, tweet.get("edit_history_tweet_ids"))
    return row


def date_by_first_version(row: Row, history: object) -> None:
    """Add the versions of an edited tweet, and date it by its first.

    Args:
        row: The row so far; changed in place.
        history: Ids of all versions, as given by the API.
    """
    versions = [version for version in map(other_id_of, history) if version] if isinstance(history, list) else []
    if not versions:
        return
    row["edit_history_ids"] = versions
    root = min(versions, key=int)
    own, first = created_at_of(str(row["tweet_id"])), created_at_of(root)
    if own and first and timedelta(0) <= own - first < _LONGEST_EDITING:
        row |= {"root_tweet_id": root, "created_at": first, "day": first.date()}


def refer(row: Row, references: object) -> None:
    """Fill in what the tweet retweets, quotes and replies to, from the API's `referenced_tweets`."""
    columns = {"retweeted": "retweeted_tweet_id", "quoted": "quoted_tweet_id", "replied_to": "in_reply_to"}
    for reference in references if isinstance(references, list) else ():
        kind = reference.get("type") if isinstance(reference, dict) else None
        if isinstance(kind, str) and kind in columns:
            row[columns[kind]] = other_id_of(reference.get("id"))
            row["is_retweet"] = row["is_retweet"] or kind == "retweeted"


def _text(fields: Mapping[str, object], given: object) -> object:
    """Return the given text or, if it is blank, the next of the columns for texts: not all are always filled."""
    if isinstance(given, str) and given.strip():
        return given
    others = {snake_case(name): value for name, value in fields.items() if isinstance(value, str) and value.strip()}
    return next((others[name] for name in SYNONYMS["text"] if name in others), given)


def _user_id(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = f"{value:.1f}"
    name = name_of(value) or ""
    if found := _DECIMAL_ID.fullmatch(name):
        name = found[1]
    return name if name.isascii() and name.isdigit() else None


def _flat(tweet: Mapping[str, object]) -> dict[str, object]:
    """Return the fields, with those of known nested objects added under names joined by '_'."""
    flat = {name: value for name, value in tweet.items() if name not in _NESTED or not isinstance(value, dict)}
    for name in _NESTED:
        nested = tweet.get(name)
        if isinstance(nested, dict):
            flat |= {f"{name}_{inner}": value for inner, value in nested.items()}
    if isinstance(user := tweet.get("author") or tweet.get("user"), dict):
        flat.setdefault("author_id", user.get("id_str") or user.get("id"))
    return flat


def _lists(tweet: Mapping[str, object]) -> Lists | None:
    """Return the hashtags and the like of the longest text given; missing ones must be found in the text."""
    for name in ("note_tweet", "extended_tweet"):
        longer = tweet.get(name)
        if isinstance(longer, dict):
            entities = longer.get("entities")
            return entities_of_api(entities).lists() if isinstance(entities, dict) else None
    entities = tweet.get("entities")
    return entities_of_api(entities).lists() if isinstance(entities, dict) else entities_of_lists(tweet)


def _lists_of_retweet(repeated: Mapping[str, object], name: str | None) -> Lists | None:
    """Return the lists of a retweet whose own text was cut, from the tweet it repeats."""
    lists = _lists(repeated)
    if lists and "mentions" in lists and name:
        return {**lists, "mentions": [valid_unicode(name), *lists["mentions"]]}
    return lists


def now_utc() -> datetime:
    """Return the current time as naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)
