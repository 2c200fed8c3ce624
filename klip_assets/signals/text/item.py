"""A text to be read, with its context."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

_LINK_OR_MENTION = re.compile(r"https?://\S+|www\.\S+|(?<!\w)[@＠]\w+")


@dataclass(frozen=True)
class Item:
    """One text to be read. Unknown values are None; tiers ignore what they do not use.

    Attributes:
        text: What was said or written.
        before: The end of what was said before it.
        after: The beginning of what was said after it.
        speech_rate_wps: Words per second.
        absolute_loudness: Loudness on the video's range from quiet to loud, 0..1.
        relative_loudness: Loudness relative to its surroundings, 0..1 (0.5: the same).
        language: Language it is written in (`language`), None if it can't be determined.
    """

    text: str
    before: str | None = None
    after: str | None = None
    speech_rate_wps: float | None = None
    absolute_loudness: float | None = None
    relative_loudness: float | None = None
    language: str | None = field(default=None, compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read: no letter or pictograph besides links and mentions."""
        words = own_words(self.text)
        return not any(character.isalpha() or unicodedata.category(character) == "So" for character in words)


def own_words(text: str) -> str:
    """Return a text without links and mentions, which are names and addresses rather than words."""
    return _LINK_OR_MENTION.sub(" ", text) if _LINK_OR_MENTION.search(text) else text
