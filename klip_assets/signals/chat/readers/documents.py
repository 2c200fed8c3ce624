"""JSON as in chat logs: one value per line, or one document of any size, read in constant memory."""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterator
from typing import TextIO

from klip_assets.formats.json_stream import BrokenJsonError, Window, array_items
from klip_assets.formats.text import MAX_LINE_CHARS, BrokenRecord, bounded_lines

#: Entries of an object that are kept until it is known whether it is a message or a container of messages.
_MAX_ENTRIES = 1_000


def document_items(
    stream: TextIO, beside: dict[str, object] | None = None, containers: Collection[str] = ("comments",)
) -> Iterator[object]:
    """Yield the items of one JSON document: of an array, of an array under a known key, or the object itself.

    Nothing after that array is read, except `video` right behind it.

    Args:
        stream: The text.
        beside: Receives the entries before the array, and `video`.
        containers: Keys of arrays that hold the items, in the object or in its object `data`.

    Raises:
        BrokenJsonError: It is not valid JSON from some point on; the items before it have been yielded.
    """
    window = Window(stream)
    if window.next() == "[":
        yield from array_items(window)
        if window.next():
            raise BrokenJsonError("more text after the end of the document")
    elif window.next() == "{":
        entries: dict[str, object] = {}
        if (yield from _items_in(window, entries, containers)):
            if beside is not None:
                beside |= entries
                _add_video(window, beside)
            return
        if window.next():
            raise BrokenJsonError("more text after the end of the document")
        yield entries
    else:
        raise BrokenJsonError("neither an array nor an object")


def _items_in(
    window: Window, entries: dict[str, object], containers: Collection[str], *, is_inner: bool = False
) -> Generator[object, None, bool]:
    # Returns whether there was an array of items; else the object was read to its end.
    window.take("{")
    while window.next() != "}":
        key = window.value()
        window.take(":")
        if key in containers and window.next() == "[":
            yield from array_items(window)
            return True
        if key == "data" and not is_inner and window.next() == "{":
            inner: dict[str, object] = {}
            if (yield from _items_in(window, inner, containers, is_inner=True)):
                return True
            value: object = inner
        else:
            value = window.value()
        if isinstance(key, str) and len(entries) < _MAX_ENTRIES:
            entries[key] = value
        if window.next() != "}":
            window.take(",")
    window.take("}")
    return False


def _add_video(window: Window, beside: dict[str, object]) -> None:
    # TwitchDownloader wrote it there until 2022. What else may follow is large, and may be cut off.
    try:
        if window.next() == ",":
            window.take(",")
            if window.next() == '"' and window.value() == "video":
                window.take(":")
                beside["video"] = window.value()
    except BrokenJsonError:
        return


def line_values(stream: TextIO) -> Iterator[tuple[int, object]]:
    """Yield the number and the value of each line that is not blank.

    The value is None for invalid JSON, as for JSON's null, and a `BrokenRecord` for a line that is too long.
    """
    for number, line in enumerate(bounded_lines(stream, MAX_LINE_CHARS), start=1):
        if isinstance(line, BrokenRecord):
            yield number, line
        elif line.strip():
            yield number, parsed(line)


def is_lines(stream: TextIO) -> bool:
    """Return whether the first line of a text is a whole JSON object, and more lines follow."""
    lines = line_values(stream)
    _, first = next(lines, (0, None))
    return isinstance(first, dict) and next(lines, None) is not None


def parsed(text: str) -> object:
    """Return the value of a JSON text, None if it is invalid; a chat log has no use for JSON's null."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
