"""Preprocessing for encoders without emoji or handles in their vocabulary.

It is the same in training and inference of the compact model, so it is part of the model: changing it requires a new
model.
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

_URL = re.compile(r"https?://\S+|www\.\S+")
_HANDLE = re.compile(r"(?<!\w)@\w+")
_HASHTAG = re.compile(r"#(\w+)")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_")
_LONG = re.compile(r"(.)\1{3,}")

#: An emoji repeated more often says no more than three times.
_MAX_EMOJI = 3


def plain(text: str) -> str:
    """Return a text without handles, links and markup; hashtags split into words, emoji spelled out.

    Handles become `@user` and links `http`, as in TweetEval (Barbieri et al., 2020). An emoji becomes its Unicode name:
    a WordPiece vocabulary built from books has no emoji, so all would be the same unknown token.
    """
    text = html.unescape(text)
    text = _URL.sub("http", text)
    text = _HANDLE.sub("@user", text)
    text = _HASHTAG.sub(lambda found: " ".join(["", *_HUMPS.split(found[1])]), text)
    text = _LONG.sub(lambda found: found[1] * _MAX_EMOJI, text)
    text = "".join(_spelled(character) for character in text)
    return " ".join(text.split())


@cache
def _spelled(character: str) -> str:
    if character.isascii() or unicodedata.category(character) not in ("So", "Sk", "Cf", "Mn"):
        return character
    if unicodedata.category(character) != "So":
        # Skin tones, joiners and variation selectors change how an emoji looks; accents stay.
        return character if unicodedata.category(character) == "Mn" and character != "\ufe0f" else ""
    return f" {unicodedata.name(character, '').lower()} "
