"""What a reader of one file format declares about itself, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.spoken import Heard

#: No real caption is longer; with longer ones, later patterns would also take minutes.
MAX_CUE_CHARS = 5_000


@dataclass
class Cue:
    """One caption: when it is shown, its raw lines of text, its line in the file (as text: `place`).

    `is_apart` says that an empty line follows its times.
    """

    start_s: float
    end_s: float
    line: int
    lines: list[str] = field(default_factory=list)
    chars: int = 0
    place: str = ""
    is_apart: bool = False

    def __post_init__(self) -> None:
        self.place = self.place or f"line {self.line}"


#: The cues of a file in file order, and what could not be used.
Cues = tuple[list[Cue], list[Refused]]


@dataclass
class Reading:
    """The content of a file.

    Attributes:
        heard: Its words and sounds.
        language: As stated in the file, None if it is not.
        refused: What could not be used, with its position in the file.
        per_second: The time units per second that were assumed: 1000 where the format has milliseconds.
        unlimited: The same file with times beyond any recording; None if it has few of them. Its unit may be another.
    """

    heard: Heard = field(default_factory=Heard)
    language: str | None = None
    refused: list[Refused] = field(default_factory=list)
    per_second: float = 1.0
    unlimited: Reading | None = None


@dataclass(frozen=True)
class CaptionFormat:
    """A caption file format.

    Attributes:
        name: As in the README.
        suffixes: File name suffixes of its own, in lower case.
        sniff: Returns whether a file is of this format, given its whole text and its suffix in lower case.
        read: Returns the content of a file of this format, given its whole text and its name for messages: cues, which
            the reader turns into words the same way for all formats, or the words themselves.
        word_times: Patterns, at least one of which matches if a file gives word times; empty if the format never does.
        order: Formats are tried by this, then by name; smaller comes first.
        is_read: False if such files are only recognized, so that the refusal can name them.
    """

    name: str
    suffixes: tuple[str, ...]
    sniff: Callable[[str, str], bool]
    read: Callable[[str, str], Cues | Reading]
    word_times: tuple[str, ...] = ()
    order: int = 50
    is_read: bool = True


@dataclass(frozen=True)
class JsonFormat:
    """A JSON document format.

    Attributes:
        name: As in the README.
        sniff: Returns whether a document is of this format.
        read: Returns the content of a document of this format.
        word_times: As in `CaptionFormat`.
        order: As in `CaptionFormat`.
        is_read: As in `CaptionFormat`.
    """

    name: str
    sniff: Callable[[Any], bool]
    read: Callable[[Any], Reading]
    word_times: tuple[str, ...] = ()
    order: int = 50
    is_read: bool = True


def refusing(what: str, remedy: str) -> Callable[[str, str], Cues | Reading]:
    """Return the `read` of a format that is recognized but not read.

    Args:
        what: What such a file is and why it can't be read, to follow "this is".
        remedy: What to do.
    """

    def refuse(_: str, name: str) -> Cues | Reading:
        raise UnreadableSidecarError(f"{name}: this is {what}; {remedy}")

    return refuse
