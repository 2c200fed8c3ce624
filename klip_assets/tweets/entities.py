"""Hashtags, mentions, cashtags and links of a tweet.

Put here: taking them from the API's `entities`, or from the text where a file has none. Keep out: everything else a
row needs (`tweets.rows`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_URL = re.compile(r"https?://[^\s<>\"“”„»…]+", re.IGNORECASE)
# A tag or name right before '…' was cut off: which one it was is not known. (?>...) keeps a shorter one from matching.
_HASHTAG = re.compile(r"(?<![\w&/])[#＃](?=\w*[^\W\d_])(?>(\w+))(?!…)")
_MENTION = re.compile(r"(?<![A-Za-z0-9_@!#$%&*])[@＠](?>([A-Za-z0-9_]{1,20}))(?![\w@＠…]|://)")
_CASHTAG = re.compile(r"(?<![\w$])\$([A-Za-z]{1,6}(?:[._][A-Za-z]{1,2})?)(?!\w)")
_CLOSING = ".,;:!?'’)]}"


@dataclass(frozen=True)
class Entities:
    """What a tweet refers to, in the order of the text."""

    hashtags: list[str] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    cashtags: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)


def entities_of_text(text: str) -> Entities:
    """Find hashtags, mentions, cashtags and links in a text. A '#' inside a link is no hashtag."""
    if "#" not in text and "@" not in text and "$" not in text and "://" not in text and text.isascii():
        return Entities()
    urls = [found.rstrip(_CLOSING) for found in _URL.findall(text)]
    rest = _URL.sub(" ", text)
    return Entities(
        hashtags=_HASHTAG.findall(rest),
        mentions=_MENTION.findall(rest),
        cashtags=_CASHTAG.findall(rest),
        urls=list(dict.fromkeys(urls)),
    )


def entities_of_api(given: Mapping[str, object]) -> Entities:
    """Read the `entities` object of the X API, version 2 or 1.1."""
    return Entities(
        hashtags=_texts(given.get("hashtags"), ("tag", "text")),
        mentions=_texts(given.get("mentions") or given.get("user_mentions"), ("username", "screen_name")),
        cashtags=_texts(given.get("cashtags") or given.get("symbols"), ("tag", "text")),
        urls=list(dict.fromkeys(_texts(given.get("urls"), ("expanded_url", "url")))),
    )


def _texts(items: object, names: Iterable[str]) -> list[str]:
    """Return the first of `names` that each item has, leaving out items that have none."""
    if not isinstance(items, list):
        return []
    found = (next((i[n] for n in names if isinstance(i.get(n), str)), None) for i in items if isinstance(i, dict))
    return [text for text in found if text]
