"""Hashtags, mentions, cashtags and links of a tweet.

Where a file has no entities, they are extracted from the text as the platform does it, by the rules of twitter-text 3,
with one exception: a tag or name followed by '…' was truncated, so it is left out.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from klip_assets.formats.text import valid_unicode
from klip_assets.signals.tweets.links import LATIN, PUNCTUATION, SPACES, links_of

# (?>...) prevents a shorter tag or name from matching where the whole one does not.
_MENTION = re.compile(
    r"(?:(?<![A-Za-z0-9_!#$%&*@＠])|(?<![A-Za-z0-9_+~.\-])[rR][tT]:?)[@＠]"
    rf"(?>([A-Za-z0-9_]{{1,20}})(/[A-Za-z][A-Za-z0-9_\-]{{0,24}})?)(?![@＠{LATIN}…]|://)"
)
_CASHTAG = re.compile(
    rf"(?:^|(?<=[{SPACES}]))\$([A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?)(?=$|[{SPACES}]|[{PUNCTUATION}])"
)
_SPECIAL = "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\u00b7"
#: All letters beyond these planes are ideographs.
_LAST_MIXED = 0x1FFFF
_IDEOGRAPHS = "\U00020000-\U0003ffff"


@dataclass(frozen=True)
class Entities:
    """Entities of a tweet, in text order."""

    hashtags: list[str] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    cashtags: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def lists(self) -> dict[str, list[str]]:
        """Return them by column name."""
        return vars(self).copy()


def entities_of_text(text: str) -> Entities:
    """Find hashtags, mentions, cashtags and links in a text. A '#' or '@' inside a link does not count."""
    links = links_of(text) if "." in text else []
    starts, ends = [link.start for link in links], [-1, *(link.end for link in links)]

    def outside(at: int) -> bool:
        # Links are in order and do not overlap: only the last that begins before it can contain it.
        return at >= ends[bisect_right(starts, at)]

    hashtags = mentions = cashtags = ()  # type: Iterable[str]
    if "#" in text or "＃" in text:
        hashtags = (found[1] for found in hashtag_pattern().finditer(text) if outside(found.start()))
    if "@" in text or "＠" in text:
        mentions = (found[1] for found in _MENTION.finditer(text) if not found[2] and outside(found.start()))
    if "$" in text:
        cashtags = (found[1] for found in _CASHTAG.finditer(text) if outside(found.start()))
    urls = dict.fromkeys(link.url for link in links if text[link.end : link.end + 1] != "…")
    return Entities(list(hashtags), list(mentions), list(cashtags), list(urls))


@cache
def hashtag_pattern() -> re.Pattern[str]:
    """Return the pattern of a hashtag: letters, marks and digits of any script, not all of them digits."""
    letters, digits = _ranges("L", "M"), _ranges("Nd")
    word = f"{letters}{_IDEOGRAPHS}{digits}{_SPECIAL}"
    # '#' before a variation selector or a keycap is part of an emoji.
    return re.compile(
        rf"(?:(?<![{word}&])|(?<=[\ufe0e\ufe0f]))[#＃](?![\ufe0f\u20e3])(?>([{word}]*?[{letters}{_IDEOGRAPHS}][{word}]*))(?![#＃…]|://)"
    )


def _ranges(*categories: str) -> str:
    """Return the characters of some Unicode categories as ranges of a regular expression."""
    parts: list[str] = []
    start = -1
    for code in range(_LAST_MIXED + 2):
        is_one = code <= _LAST_MIXED and unicodedata.category(chr(code)).startswith(categories)
        if is_one and start < 0:
            start = code
        elif not is_one and start >= 0:
            parts.append(f"\\U{start:08x}-\\U{code - 1:08x}")
            start = -1
    return "".join(parts)


def entities_of_api(given: Mapping[str, object]) -> Entities:
    """Read the `entities` object of the X API, version 2 or 1.1."""
    get = given.get
    tags, names, symbols, urls = get("hashtags"), get("mentions"), get("cashtags"), get("urls")
    return Entities(
        hashtags=_texts(tags, ("tag", "text")) if tags else [],
        mentions=_texts(names or get("user_mentions"), ("username", "screen_name")),
        cashtags=_texts(symbols or get("symbols"), ("tag", "text")),
        urls=list(dict.fromkeys(_texts(urls, ("expanded_url", "url")))) if urls else [],
    )


def entities_of_lists(tweet: Mapping[str, object]) -> dict[str, list[str]] | None:
    """Read hashtags and the like from fields next to the text, as in snscrape and Klip's own tables, by column.

    Returns:
        The lists that the tweet has, None if it has none of them.
    """
    found = {}
    for column, names in _LISTS.items():
        items = next((tweet[name] for name in names if isinstance(tweet.get(name), list)), None)
        if items is not None:
            texts = _texts(items, ("tag", "text", "username", "screen_name", "expanded_url", "url"))
            bare = [text.lstrip("#＃@＠$") if column != "urls" else text for text in texts]
            found[column] = list(dict.fromkeys(bare)) if column == "urls" else bare
    return found or None


_LISTS = {
    "hashtags": ("hashtags",),
    "mentions": ("mentions", "mentionedUsers", "user_mentions"),
    "cashtags": ("cashtags", "symbols"),
    "urls": ("links", "urls", "outlinks"),
}


def _texts(items: object, names: Iterable[str]) -> list[str]:
    """Return the texts, or the first of `names` that each item has; items without one are skipped."""
    if not isinstance(items, list):
        return []
    found = []
    for item in items:
        if isinstance(item, dict):
            item = next((item[name] for name in names if isinstance(item.get(name), str)), None)
        if isinstance(item, str) and item:
            found.append(valid_unicode(item))
    return found
