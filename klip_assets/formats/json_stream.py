"""Streaming JSON: a text of any size is split into values in constant memory.

Python's own decoder is given a sliding window of the text. (ijson was not an option: it keeps the path to each value,
so opening brackets alone can fill the memory.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TextIO

from klip_assets.formats.text import MAX_DOCUMENT_CHARS

#: Characters read at a time.
READ_CHARS = 1 << 20
#: A line that is indented further counts as not indented.
LONGEST_INDENT = 1000
#: No JSON number or literal cut by the window's end is longer; an error further from the end is a real one.
_LONGEST_WORD = 32
#: Characters kept before a broken value.
_KEPT_CHARS = 1 << 13
_BLANKS = re.compile(r"[ \t\r\n]*")
_AFTER_A_VALUE = frozenset(" \t\r\n,:]}")
_DECODE = json.JSONDecoder().raw_decode


class BrokenJsonError(Exception):
    """A text that is not JSON from some position on, or has values too large to hold in memory."""


def array_items(window: Window) -> Iterator[object]:
    """Yield the elements of the array that begins here.

    Raises:
        BrokenJsonError: The rest is not JSON; the elements before it have been yielded.
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
    """A sliding window over a text.

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
        """Return the next character that is not whitespace, '' at the end of the text."""
        while True:
            self._at = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_last:
                return ""
            self._read_on()

    @property
    def place(self) -> str:
        """The current position, for messages: "line 3, column 14"."""
        before = self._text[: self._at]
        column = self._at - before.rfind("\n") if "\n" in before else self._dropped_since_line_end + self._at + 1
        return f"line {self._dropped_lines + before.count(chr(10)) + 1:,}, column {column:,}"

    @property
    def indent(self) -> str | None:
        """The whitespace before the current value on its line; None if anything else precedes it, or too much."""
        # No further back than an indentation reaches: a window may hold a million values on one line.
        before = self._text[max(0, self._at - LONGEST_INDENT - 1) : self._at]
        line = before[before.rfind("\n") + 1 :] if "\n" in before else None
        return line if line is not None and not line.strip(" \t") else None

    def skip_to(self, pattern: re.Pattern[str], longest: int) -> bool:
        """Advance to the next match of `pattern`; return whether there is one.

        Args:
            pattern: What to search for.
            longest: Maximum length of a match: one this close to the window's end waits until more is read.
        """
        while True:
            found = pattern.search(self._text, self._at)
            if found and (self._is_last or found.end() < len(self._text) - longest):
                self._at = found.start()
                return True
            if self._is_last:
                self._at = len(self._text)
                return False
            self._at = max(self._at, len(self._text) - 2 * longest)
            self._read_on()

    def take(self, expected: str) -> None:
        """Skip an expected character.

        Raises:
            BrokenJsonError: The next character is a different one.
        """
        if self.next() != expected:
            raise BrokenJsonError(f"'{expected}' expected at character {self._dropped + self._at:,}")
        self._at += 1

    def value(self) -> object:
        """Return the value that begins here.

        Raises:
            BrokenJsonError: It is not JSON, nested too deeply, or too long.
        """
        self.next()
        while True:
            try:
                value, end = _DECODE(self._text, self._at)
            except RecursionError:
                raise BrokenJsonError(f"nested too deeply at character {self._dropped + self._at:,}") from None
            except ValueError as error:
                if self._is_last or self._is_certain(error):
                    place = self._dropped + self._at
                    if self._at > _KEPT_CHARS:
                        # Python counts the lines before each error: in a file of broken values, again and again.
                        self._drop()
                    raise BrokenJsonError(f"no JSON value at character {place:,}") from None
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
        # A value cut by the window looks broken too: at the very end, or inside an unterminated string.
        if not isinstance(error, json.JSONDecodeError):
            return True
        return not error.msg.startswith("Unterminated") and error.pos < len(self._text) - _LONGEST_WORD

    def _drop(self) -> None:
        """Forget what has been read."""
        self._dropped += self._at
        gone = self._text[: self._at]
        if "\n" in gone:
            self._dropped_lines += gone.count("\n")
            self._dropped_since_line_end = len(gone) - gone.rfind("\n") - 1
        else:
            self._dropped_since_line_end += len(gone)
        self._text, self._at = self._text[self._at :], 0

    def _read_on(self) -> None:
        self._drop()
        held = self._text
        if len(held) > MAX_DOCUMENT_CHARS:
            raise BrokenJsonError(f"a value of more than {MAX_DOCUMENT_CHARS:,} characters")
        more = self._stream.read(max(READ_CHARS, len(held)))
        self._is_last = not more
        self._text = held + more
