"""What a reader of one kind of file declares of itself, and what it hands over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.spoken import Heard

#: No caption shows more; longer ones would also cost the patterns behind minutes.
MAX_CUE_CHARS = 5_000


@dataclass
class Cue:
    """One caption: when it is shown, its lines of text as they stand, its place in the file (in words: `place`)."""

    start_s: float
    end_s: float
    line: int
    lines: list[str] = field(default_factory=list)
    chars: int = 0
    place: str = ""

    def __post_init__(self) -> None:
        self.place = self.place or f"line {self.line}"


#: The cues of a file in its order, and what could not be used.
Cues = tuple[list[Cue], list[Refused]]


@dataclass
class Reading:
    """What a file says.

    Attributes:
        heard: Its words and sounds.
        language: As the file states it, None if it does not.
        refused: What could not be used, with its place in the file.
    """

    heard: Heard = field(default_factory=Heard)
    language: str | None = None
    refused: list[Refused] = field(default_factory=list)


@dataclass(frozen=True)
class CaptionFormat:
    """A kind of caption file.

    Attributes:
        name: As the README calls it.
        suffixes: What names of such files end with, in small letters.
        sniff: Says whether a file is of this kind, given its whole text and its suffix in small letters.
        read: Returns what a file of this kind holds, given its whole text and its name for messages: cues, which the
            reader makes words of in one way for all kinds, or the words themselves.
        word_times: Patterns of which such a file holds one if it gives times to single words; none if none ever does.
    """

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[str, str], bool]
    read: Callable[[str, str], Cues | Reading]
    word_times: tuple[str, ...] = ()


@dataclass(frozen=True)
class JsonFormat:
    """A kind of JSON document.

    Attributes:
        name: As the README calls it.
        sniff: Says whether a document is of this kind.
        read: Returns what a document of this kind says.
        word_times: As that of `CaptionFormat`.
    """

    name: str
    sniff: Callable[[Any], bool]
    read: Callable[[Any], Reading]
    word_times: tuple[str, ...] = ()
