"""Texts that were cut: of a retweet of API version 1.1, of a long post in a file for old programs, by a table.

X ends a text that it cuts with "…", often followed by a link to the whole tweet; tables cut without any sign.
"""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.signals.tweets.notices import notices_in

#: How a cut text ends.
ENDING = r"(?:…|\.\.\.)\s*(?:https?://\S+\s*)?$"
_ENDS = re.compile(ENDING)
#: Lengths at which programs and tables cut texts: up to four characters before a limit, since some cut at a space.
_LIMITS = (50, 64, 80, 100, 120, 128, 140, 150, 160, 200, 240, 250, 255, 256, 280, 300, 400, 500, 512, 1000, 1024)
_BEFORE_LIMIT = 4
#: A shorter text is not taken for the beginning of another: "no" is not a cut "not bad".
_SHORTEST = 20
#: More than the characters of any text.
_MOST = 1 << 40


def missing_of(ids: pa.ChunkedArray, texts: pa.ChunkedArray) -> np.ndarray:
    """Return for copies of some tweets a number that is the larger, the more of the text is missing; 0 for whole ones.

    A text is cut if it ends in an ellipsis (of copies that all do, none is more whole for it), or if it is the
    beginning of another text of the same tweet, and ends within a word or at a length to which programs cut. A text to
    which another only adds something is whole: the other was edited.

    Args:
        ids: Ids of the tweets, each any number of times.
        texts: Their texts.
    """
    cut = pc.match_substring_regex(texts, ENDING).to_numpy().astype(np.int64)
    # Copies mostly have the same text: only those of other tweets are compared.
    counts = pa.table({"id": ids, "text": texts}).group_by("id").aggregate([("text", "count_distinct")])
    several = counts["id"].filter(pc.greater(counts["text_count_distinct"], 1)).combine_chunks()
    of_id: dict[str, dict[str, list[int]]] = {}
    rows = np.flatnonzero(pc.is_in(ids, several).to_numpy())
    for row, tweet_id, text in zip(rows, ids.take(rows).to_pylist(), texts.take(rows).to_pylist(), strict=True):
        of_id.setdefault(tweet_id, {}).setdefault(text, []).append(int(row))
    for copies in of_id.values():
        for text in _beginnings(sorted(copies)):
            cut[copies[text]] = 1
    lengths = pc.utf8_length(pc.replace_substring_regex(texts, ENDING, "")).to_numpy().astype(np.int64)
    # A notice has nothing of the text. (Earlier versions of Klip took some for texts.)
    return np.where(notices_in(texts), 2 * _MOST, cut * (_MOST - lengths))


def ends_cut(text: str) -> bool:
    """Return whether a text ends like one that X has cut."""
    return _ENDS.search(text) is not None


def without_ending(text: str) -> str:
    """Return a text without the ellipsis, and what follows it, at its end."""
    return _ENDS.sub("", text)


def is_cut_between(text: str, rest: str) -> bool:
    """Return whether a text was cut, rather than the rest added to it later."""
    is_within_word = text[-1:].isalnum() and rest[:1].isalnum()
    return (
        is_within_word
        or _ENDS.match(rest) is not None
        or any(limit - _BEFORE_LIMIT <= len(text) <= limit for limit in _LIMITS)
    )


def _beginnings(texts: list[str]) -> list[str]:
    """Return those of some sorted texts with which another begins."""
    # What begins with a text follows it in this order.
    return [
        text
        for text, after in pairwise(texts)
        if len(text) >= _SHORTEST and after.startswith(text) and is_cut_between(text, after[len(text) :])
    ]
