"""Retweets: the platform cuts their own text, and gives the whole one only with the tweet they repeat."""

from __future__ import annotations

import re
from collections.abc import Mapping

from klip_assets.signals.tweets.cut_texts import ends_cut, is_cut_between, without_ending
from klip_assets.signals.tweets.notices import is_notice

#: How the text of a retweet begins.
RETWEET = r"^RT @[A-Za-z0-9_]{1,20}: "
_RETWEET_TEXT = re.compile(r"RT @([A-Za-z0-9_]{1,20}): ")

Tweet = Mapping[str, object]


def says_retweet(text: str) -> bool:
    """Return whether a text begins like a retweet: "RT @name: "."""
    return text.startswith("RT @") and _RETWEET_TEXT.match(text) is not None


def repeated_by(tweet: Tweet, included: Mapping[str, Tweet]) -> Tweet | None:
    """Return the tweet that a retweet repeats, if it is given as a whole.

    Args:
        tweet: The retweet: of API version 1.1 or 2, flattened by twarc or not, or of snscrape.
        included: Tweets by id, from `includes.tweets`.
    """
    for name in ("retweeted_status", "retweetedTweet", "retweeted_tweet", "retweetedStatus"):
        if isinstance(repeated := tweet.get(name), dict):
            return repeated
    references = tweet.get("referenced_tweets")
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict) and reference.get("type") == "retweeted":
            return reference if whole_text(reference) else included.get(str(reference.get("id")))
    return None


def whole_text(tweet: Tweet) -> str | None:
    """Return the full text of a tweet, not the one cut for old programs."""
    longer, note = tweet.get("extended_tweet"), tweet.get("note_tweet")
    texts = (
        note.get("text") if isinstance(note, dict) else None,
        longer.get("full_text") if isinstance(longer, dict) else None,
        *(tweet.get(name) for name in ("full_text", "fullText", "rawContent", "content", "text")),
    )
    return next((text for text in texts if isinstance(text, str) and text.strip()), None)


def whole_retweet(text: str, repeated: Tweet, user_names: Mapping[str, str]) -> tuple[str, str | None] | None:
    """Return the whole text of a retweet, and the name of whom it repeats.

    Args:
        text: Its own text.
        repeated: The tweet it repeats.
        user_names: User names by user id.

    Returns:
        None if its own text lacks nothing.
    """
    whole = whole_text(repeated)
    own = _RETWEET_TEXT.match(text)
    body = text[own.end() :] if own else text
    if whole is None or len(whole) <= len(body) or not _was_cut(text, body, whole):
        return None
    if is_notice(whole) and not whole.startswith(body.rstrip(". …")):
        return None  # What was repeated is gone, but this is not.
    name = _author_of(repeated, user_names) or (own[1] if own else None)
    return (f"RT @{name}: {whole}" if name else whole), name


def completed_retweet(text: str, whole: str) -> tuple[str, str] | None:
    """Return the whole text of a retweet and the name of whom it repeats, None if the other does not continue it.

    Args:
        text: Its own text.
        whole: The text of the tweet it repeats.
    """
    own = _RETWEET_TEXT.match(text)
    if own is None or ends_cut(whole) or is_notice(whole):
        return None
    begins = without_ending(text[own.end() :]).rstrip()
    if not begins or not whole.startswith(begins) or len(whole) <= len(begins):
        return None
    return own[0] + whole, own[1]


def _was_cut(text: str, body: str, whole: str) -> bool:
    """Return whether a text was cut, rather than the other edited later."""
    return not body.strip() or ends_cut(body) or (whole.startswith(body) and is_cut_between(text, whole[len(body) :]))


def _author_of(tweet: Tweet, user_names: Mapping[str, str]) -> str | None:
    for field, inner in (
        ("user", "screen_name"), ("author", "username"), ("user", "username"), ("user", "screenName")
    ):  # fmt: skip
        user = tweet.get(field)
        name = user.get(inner) if isinstance(user, dict) else None
        if isinstance(name, str) and name:
            return name
    return user_names.get(str(tweet.get("author_id")))
