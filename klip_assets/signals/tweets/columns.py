"""Which column of a file holds what: the names that exports use for the same field.

A file with other names has a column map next to it: `tweets.csv.map.json`, written by hand or by `klip add --map`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

#: A column number in a map, from 1.
NUMBERED = re.compile(r"#[1-9][0-9]{0,3}")

#: Columns of a row and their synonyms, the most certain first. Names are compared in snake_case; nested names are
#: joined by '_' (`public_metrics.like_count` is `public_metrics_like_count`).
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "tweet_id": ("tweet_id", "tweetid", "status_id", "id_str", "id", "tweet_id_str", "status_id_str"),
    "url": ("url", "tweet_url", "status_url", "permalink", "permalink_url", "tweet_link", "link", "perma_link"),
    "text": (
        "note_tweet_text", "extended_tweet_full_text", "full_text", "text", "tweet_text", "raw_content", "content",
        "rendered_content", "tweet", "body", "message",
    ),
    "created_at": (
        "created_at", "created_at_utc", "tweet_created", "tweet_created_at", "datetime", "date", "timestamp", "time",
        "posted_at", "published_at", "created", "tweet_date", "date_utc",
    ),
    "author": (
        "author_username", "username", "user_username", "screen_name", "user_screen_name", "author", "user", "handle",
        "author_screen_name", "user_login", "author_login", "user_handle", "author_handle", "author_user_name",
        "author_nickname", "user_nickname", "from_user", "from_name", "user_info_display_name",
        "core_user_results_result_legacy_screen_name", "user_name", "author_name", "author_display_name",
        "user_display_name", "name",
    ),
    "author_id": ("author_id", "author_id_str", "user_id", "user_id_str", "from_user_id"),
    "lang": ("lang", "language", "tweet_lang"),
    "is_retweet": ("is_retweet",),
    "retweeted_tweet_id": (
        "retweeted_tweet_id", "referenced_tweets_retweeted_id", "retweeted_status_id_str", "retweeted_status_id",
        "retweet_id", "retweeted_id",
    ),
    "quoted_tweet_id": (
        "quoted_tweet_id", "referenced_tweets_quoted_id", "quoted_status_id_str", "quoted_status_id", "quoted_id",
    ),
    "in_reply_to": (
        "in_reply_to_tweet_id", "referenced_tweets_replied_to_id", "in_reply_to_status_id_str",
        "in_reply_to_status_id", "in_reply_to_id", "replied_to_id", "in_reply_to",
    ),
    "conversation_id": ("conversation_id", "conversation_id_str"),
    "like_count": (
        "public_metrics_like_count", "like_count", "likes", "likes_count", "nlikes", "favorite_count", "favorites",
        "favorites_count", "favourite_count", "favourites", "favs",
    ),
    "retweet_count": (
        "public_metrics_retweet_count", "retweet_count", "retweets", "retweets_count", "nretweets", "rts",
    ),
    "reply_count": ("public_metrics_reply_count", "reply_count", "replies", "replies_count", "nreplies"),
    "quote_count": ("public_metrics_quote_count", "quote_count", "quotes", "quotes_count"),
    "impression_count": (
        "public_metrics_impression_count", "impression_count", "impressions", "view_count", "views", "views_count",
    ),
    "observed_at": (
        "twarc_retrieved_at", "retrieved_at", "observed_at", "collected_at", "scraped_at", "crawled_at", "fetched_at",
    ),
}  # fmt: skip


#: Columns of authors that hold user names; others may hold the name shown, which belongs to anyone.
_USER_NAMES = frozenset(
    {
        "author_username", "username", "user_username", "screen_name", "user_screen_name", "handle",
        "author_screen_name", "user_login", "author_login", "user_handle", "author_handle", "author_user_name",
        "from_user", "core_user_results_result_legacy_screen_name",
    }
)  # fmt: skip

#: Columns that hold either. They are believed to hold user names where a value has the form of one: so does `author`
#: in what Klip itself writes.
_EITHER = frozenset({"author", "user"})
_USER_NAME = re.compile(r"[A-Za-z0-9_]{1,15}", re.ASCII)


def may_be_shown_name(column: str, value: object) -> bool:
    """Return whether an author may be the name shown rather than a user name.

    Args:
        column: The name of the column.
        value: What it holds.
    """
    name, text = snake_case(column), str(value).strip()
    if name in _USER_NAMES or text.startswith(("@", "＠")):
        return False
    return name not in _EITHER or _USER_NAME.fullmatch(text) is None


def snake_case(name: str) -> str:
    """Return a column's name in snake_case: 'Tweet ID', 'likeCount' and '__twarc.retrieved_at' alike."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip().lstrip("\ufeff"))
    return re.sub(r"[^0-9a-z]+", "_", parted.casefold()).strip("_")


@lru_cache(maxsize=4096)
def columns_of(names: tuple[str, ...], mapped: frozenset[tuple[str, str]] = frozenset()) -> Mapping[str, str]:
    """Return the name in the file of each known column. Unknown names are ignored.

    Args:
        names: The names in the file.
        mapped: Pairs of a column and its name as given by the user; they take precedence.
    """
    by_snake: dict[str, str] = {}
    for name in names:
        by_snake.setdefault(snake_case(name), name)
    found = {
        column: next((by_snake[synonym] for synonym in synonyms if synonym in by_snake), None)
        for column, synonyms in SYNONYMS.items()
    }
    for column, name in mapped:
        found[column] = name if name in names else by_snake.get(snake_case(name))
    return {column: name for column, name in found.items() if name is not None}


def checked_map(given: object) -> dict[str, str]:
    """Return a user's column map if it is valid.

    Args:
        given: Column of Klip -> name in the file, or `#3` for the third column of a file without a header.

    Raises:
        ValueError: It has an unknown column, or a name that is not text; says which.
    """
    if not isinstance(given, dict) or not given:
        raise ValueError('it must be an object such as {"text": "body", "tweet_id": "ident"}')
    for column, name in given.items():
        if column not in SYNONYMS:
            raise ValueError(f"unknown column {column!r}; the columns are {', '.join(SYNONYMS)}")
        if not isinstance(name, str) or not name.strip():
            raise ValueError(f"the name for {column} is not text")
    numbered = [bool(NUMBERED.fullmatch(name)) for name in given.values()]
    if any(numbered) and not all(numbered):
        raise ValueError("either all columns must be given by number (a file without a header) or none")
    return dict(given)


def read_map(path: Path) -> dict[str, str] | None:
    """Return the column map in a file, None if there is no such file.

    Raises:
        ValueError: It is not a valid column map; says why.
    """
    if not path.is_file():
        return None
    try:
        return checked_map(json.loads(path.read_text(encoding="utf-8-sig")))
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not JSON: {type(error).__name__}") from error


def holds_tweets(columns: Mapping[str, str]) -> bool:
    """Return whether these columns are enough for a tweet: its text, and its id or URL."""
    return "text" in columns and ("tweet_id" in columns or "url" in columns)
