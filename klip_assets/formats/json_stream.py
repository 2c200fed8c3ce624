"""A JSON text of any size, cut into values at constant memory.

Python's own decoder is given a window of the text that moves on. (Of libraries that stream JSON, ijson keeps the path
to each value: opening brackets alone fill the memory.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TextIO

from klip_assets.formats.text import MAX_DOCUMENT_CHARS

#: Characters that are read at a time.
READ_CHARS = 1 << 20
#: Numbers and words of JSON that a window cuts in two are no longer; an error further from its end is one.
_LONGEST_WORD = 32
_BLANKS = re.compile(r"[ \t\r\n]*")
_AFTER_A_VALUE = frozenset(" \t\r\n,:]}")
_DECODE = json.JSONDecoder().raw_decode


class BrokenJsonError(Exception):
    """A text that is no JSON from some place on, or whose values are too large to be held."""


def array_items(window: Window) -> Iterator[object]:
    """Yield the elements of the array that begins here.

    Raises:
        BrokenJsonError: It is not JSON from here on; what came before has been yielded.
    """
    window.take("[")
    while window.next() != "]":
        yield window.value()
        if window.next() != "]":
            window.take(",")
            if window.next() == "]":
                raise BrokenJsonError("a comma before the end of an array")
    window.take("]")


class Window:
    """The part of a text that is being read.

    Args:
        stream: The text.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._is_last = False
        self._dropped = 0
        self._dropped_lines = 0
        self._dropped_since_line_end = 0

    def next(self) -> str:
        """Return the next character that is not blank, '' at the end of the text."""
        while True:
            self._at = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_last:
                return ""
            self._read_on()

    @property
    def place(self) -> str:
        """Where reading stands, for people: "line 3, column 14"."""
        before = self._text[: self._at]
        column = self._at - before.rfind("\n") if "\n" in before else self._dropped_since_line_end + self._at + 1
        return f"line {self._dropped_lines + before.count(chr(10)) + 1:,}, column {column:,}"

    @property
    def indent(self) -> str | None:
        """The blanks before the present value on its line; None if something else stands before it."""
        before = self._text[: self._at]
        line = before[before.rfind("\n") + 1 :] if "\n" in before else None
        return line if line is not None and not line.strip(" \t") else None

    def skip_to(self, wanted: re.Pattern[str], longest: int) -> bool:
        """Go on to the next place where `wanted` begins; say whether there is one.

        Args:
            wanted: What to look for.
            longest: Characters that a match may have: a window's end is not looked at before more is read.
        """
        while True:
            found = wanted.search(self._text, self._at)
            if found and (self._is_last or found.end() < len(self._text) - longest):
                self._at = found.start()
                return True
            if self._is_last:
                self._at = len(self._text)
                return False
            self._at = max(self._at, len(self._text) - 2 * longest)
            self._read_on()

    def take(self, wanted: str) -> None:
        """Go on behind a character.

        Raises:
            BrokenJsonError: Another one stands here.
        """
        if self.next() != wanted:
            raise BrokenJsonError(f"'{wanted}' expected at character {self._dropped + self._at:,}")
        self._at += 1

    def value(self) -> object:
        """Return the value that begins here.

        Raises:
            BrokenJsonError: It is no JSON, nested too deeply or too long.
        """
        self.next()
        while True:
            try:
                value, end = _DECODE(self._text, self._at)
            except RecursionError:
                raise BrokenJsonError(f"nested too deeply at character {self._dropped + self._at:,}") from None
            except ValueError as error:
                if self._is_last or self._is_certain(error):
                    raise BrokenJsonError(f"no JSON value at character {self._dropped + self._at:,}") from None
            else:
                # "12" may be the beginning of "12.5".
                if (
                    self._is_last
                    or len(self._text) - end > _LONGEST_WORD
                    or self._text[end : end + 1] in _AFTER_A_VALUE
                ):
                    self._at = end
                    return value
            self._read_on()

    def _is_certain(self, error: ValueError) -> bool:
        # A text that the window cuts looks broken, too: at its very end, or in a string that does not end.
        if not isinstance(error, json.JSONDecodeError):
            return True
        return not error.msg.startswith("Unterminated") and error.pos < len(self._text) - _LONGEST_WORD

    def _read_on(self) -> None:
        self._dropped += self._at
        gone = self._text[: self._at]
        if "\n" in gone:
            self._dropped_lines += gone.count("\n")
            self._dropped_since_line_end = len(gone) - gone.rfind("\n") - 1
        else:
            self._dropped_since_line_end += len(gone)
        held = self._text[self._at :]
        if len(held) > MAX_DOCUMENT_CHARS:
            raise BrokenJsonError(f"a value of more than {MAX_DOCUMENT_CHARS:,} characters")
        more = self._stream.read(max(READ_CHARS, len(held)))
        self._is_last = not more
        self._text, self._at = held + more, 0
