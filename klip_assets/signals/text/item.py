"""What is read: a text, and what a reader may know of the moment it was said in."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

_LINK_OR_MENTION = re.compile(r"https?://\S+|www\.\S+|(?<!\w)[@＠]\w+")


@dataclass(frozen=True)
class Item:
    """One text to be read. What is not known is None; a tier that has no use for it passes it over.

    Attributes:
        text: What was said or written.
        before: The end of what was said before it.
        after: The beginning of what was said after it.
        speech_rate_wps: Words a second.
        absolute_loudness: Place between the video's quiet and loud, 0..1.
        relative_loudness: How loud it is for its surroundings, 0..1 (0.5: as they are).
        language: Language it is written in (`language`), None where nobody can tell.
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
        """Whether there is nothing to read: no letter and no pictograph beside links and mentions."""
        words = own_words(self.text)
        return not any(character.isalpha() or unicodedata.category(character) == "So" for character in words)


def own_words(text: str) -> str:
    """Return a text without links and mentions: their letters are names and addresses, not something that is said."""
    return _LINK_OR_MENTION.sub(" ", text) if _LINK_OR_MENTION.search(text) else text
