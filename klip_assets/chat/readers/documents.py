"""JSON as logs have it: one value a line, or one document of any size, read at constant memory.

Put here: cutting a file into JSON values. Keep out: what the values mean.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TextIO

from klip_assets.textfile import MAX_DOCUMENT_CHARS, MAX_LINE_CHARS, BrokenRecord, bounded_lines

_READ_CHARS = 1 << 20
#: Entries of an object that are kept until it is known whether it is a message or holds some.
_MOST_ENTRIES = 1_000
#: Numbers and words of JSON that a window cuts in two are no longer; an error further from its end is one.
_LONGEST_WORD = 32
_BLANKS = re.compile(r"[ \t\r\n]*")
_AFTER_A_VALUE = frozenset(" \t\r\n,:]}")
_DECODE = json.JSONDecoder().raw_decode


class BrokenJsonError(Exception):
    """A text that is no JSON from some place on, or whose values are too large to be held."""


def document_items(stream: TextIO) -> Iterator[object]:
    """Yield the entries of one JSON document: of an array, of the array `comments` in an object, or the object itself.

    Python's own decoder is given a window of the text that moves on. What follows the comments is not read. (Of
    libraries that stream JSON, ijson keeps the path to each value: opening brackets alone fill the memory.)

    Args:
        stream: The text.

    Raises:
        BrokenJsonError: It is not JSON from here on; what came before has been yielded.
    """
    window = _Window(stream)
    if window.next() == "[":
        yield from _array(window)
        if window.next():
            raise BrokenJsonError("there is more behind its end")
    elif window.next() == "{":
        entries: dict[str, object] = {}
        window.take("{")
        while window.next() != "}":
            key = window.value()
            window.take(":")
            if key == "comments" and window.next() == "[":
                yield from _array(window)
                return
            value = window.value()
            if isinstance(key, str) and len(entries) < _MOST_ENTRIES:
                entries[key] = value
            if window.next() != "}":
                window.take(",")
        window.take("}")
        if window.next():
            raise BrokenJsonError("there is more behind its end")
        yield entries
    else:
        raise BrokenJsonError("neither an array nor an object")


def line_values(stream: TextIO) -> Iterator[tuple[int, object]]:
    """Yield the number and the value of each line that is not blank.

    The value is None for what is no JSON, as for JSON's null, and a `BrokenRecord` for a line that is too long.
    """
    for number, line in enumerate(bounded_lines(stream, MAX_LINE_CHARS), start=1):
        if isinstance(line, BrokenRecord):
            yield number, line
        elif line.strip():
            yield number, parsed(line)


def is_lines(stream: TextIO) -> bool:
    """Say whether a text has a whole JSON object in its first line, and goes on after it."""
    lines = line_values(stream)
    _, first = next(lines, (0, None))
    return isinstance(first, dict) and next(lines, None) is not None


def parsed(text: str) -> object:
    """Return the value of a JSON text, None for what is none; a chat log has no use for JSON's null."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _array(window: _Window) -> Iterator[object]:
    window.take("[")
    while window.next() != "]":
        yield window.value()
        if window.next() != "]":
            window.take(",")
            if window.next() == "]":
                raise BrokenJsonError("a comma before the end of an array")
    window.take("]")


class _Window:
    """The part of a text that is being read."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._text = ""
        self._at = 0
        self._is_last = False
        self._dropped = 0

    def next(self) -> str:
        """Return the next character that is not blank, '' at the end of the text."""
        while True:
            self._at = _BLANKS.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_last:
                return ""
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
        held = self._text[self._at :]
        if len(held) > MAX_DOCUMENT_CHARS:
            raise BrokenJsonError(f"a value of more than {MAX_DOCUMENT_CHARS:,} characters")
        more = self._stream.read(max(_READ_CHARS, len(held)))
        self._is_last = not more
        self._text, self._at = held + more, 0
