"""What is read: a text, and what a reader may know of the moment it was said in.

Put here: the text and its surroundings. Keep out: answers (`reading`) and tiers.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass


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
    """

    text: str
    before: str | None = None
    after: str | None = None
    speech_rate_wps: float | None = None
    absolute_loudness: float | None = None
    relative_loudness: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to read: no letter, and no pictograph."""
        return not any(character.isalpha() or unicodedata.category(character) == "So" for character in self.text)
