"""Splits a JSON file into values, streaming: one per line, or documents of any size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice, pairwise
from pathlib import Path
from typing import TextIO

import orjson

from klip_assets.formats.json_stream import BrokenJsonError, Window
from klip_assets.formats.text import (
    MAX_DOCUMENT_CHARS,
    BrokenRecord,
    bounded_lines,
    decoded,
    open_bytes,
    open_text,
    utf_16_of,
)
from klip_assets.signals.tweets.values import shown

#: Start of an account archive: a script that assigns the tweets.
ARCHIVE = re.compile(r"\s{0,99}window\.YTD\.(\w{1,60})\.part\d{1,6}\s{0,99}=\s{0,99}")
_ARCHIVE_CHARS = 200
_PUNCTUATION = frozenset({"", "[", "]", ",", "[]"})
_PROBED_LINES = 20
#: A file with a longer first line is read as a document: a whole array may be on one line.
_LONGEST_PROBED = 4 << 20
_BLOCK_BYTES = 4 << 20
#: Elements of a page that wait for their authors' names, which come after them.
_MAX_WAITING = 20_000
_LONGEST_INDENT = 200
_TOP = re.compile(r"\n[{\[]")


@dataclass(frozen=True)
class Unparsed:
    """Text that is not valid JSON, or too long."""

    problem: str
    reason: str = "not valid JSON"


@dataclass(frozen=True)
class Value:
    """A value and its position.

    Attributes:
        position: As in `Refused`: a line or an item.
        value: The value.
        page: The page around it, a very long one without its `data`; None outside of pages that were split.
    """

    position: str
    value: object
    page: Mapping[str, object] | None = None


#: Takes a block of whole lines and their number. Returns None to have them split into values, otherwise its result and
#: the numbers (from 0) of the lines that must still be split.
TakeBlock = Callable[[bytes, int], tuple[object, Sequence[int]] | None]


def json_values(path: Path, take: TakeBlock | None = None) -> Iterator[Value]:
    """Yield each JSON value of a file with its position: of each line, or of each element of its documents.

    An array document is split into its elements, and so is the `data` of a page. Invalid JSON is yielded as
    `Unparsed`; reading resumes at the next value that begins on its own line.

    Args:
        path: The file.
        take: Called with blocks of lines if there is one value per line; its result is yielded as a value without a
            position.
    """
    with open_text(path, newline="\n") as stream:
        by_line = _is_by_line(stream)
    if not by_line:
        values = _documents(path)
        first = next(values, None)
        if first is None or not isinstance(first.value, Unparsed) or not _has_value_lines(path):
            if first is not None:
                yield first
                yield from values
            return
    with open_bytes(path) as raw:
        if not utf_16_of(raw.peek(64)[:64]):
            yield from _lines(raw, take)
            return
    with open_text(path, newline="\n") as stream:
        for number, line in enumerate(bounded_lines(stream), start=1):
            if isinstance(line, BrokenRecord):
                yield Value(f"line {number}", Unparsed("it was skipped", line.reason))
            elif line.strip() not in _PUNCTUATION:
                yield Value(f"line {number}", _parsed_line(line))


def _lines(raw: BufferedReader, take: TakeBlock | None) -> Iterator[Value]:
    """Yield the value of each line of a text in UTF-8, possibly with invalid bytes."""
    load = orjson.loads
    number, rest, skipping = 0, b"\xef\xbb\xbf", False
    if raw.peek(3)[:3] == rest:
        raw.read(3)
    rest = b""
    while True:
        block = raw.read(_BLOCK_BYTES)
        block_and_rest = rest + block if rest else block
        end = block_and_rest.rfind(b"\n") + 1 if block else len(block_and_rest)
        whole, rest = block_and_rest[:end], block_and_rest[end:]
        count = whole.count(b"\n") + (not whole.endswith(b"\n"))
        lines: Iterable[tuple[int, bytes]] = enumerate(whole.split(b"\n"), start=number + 1) if whole else ()
        if take and whole and not skipping and (taken := take(whole, count)):
            made, others = taken
            yield Value("", made)
            split = whole.split(b"\n") if len(others) else []
            lines = [(number + 1 + other, split[other]) for other in others]
        number += count if whole else 0
        for at, line in lines:
            if skipping:
                skipping = False
                yield Value(f"line {at}", _too_long())
                continue
            try:
                yield Value(f"line {at}", load(line))
                continue
            except orjson.JSONDecodeError:
                text = decoded(line)
            if text.strip() not in _PUNCTUATION:
                yield Value(f"line {at}", _too_long() if len(text) > MAX_DOCUMENT_CHARS else _parsed_line(text))
        if not block:
            return
        if len(rest) > 4 * MAX_DOCUMENT_CHARS or skipping:
            rest, skipping = b"", True


def _too_long() -> Unparsed:
    return Unparsed("it was skipped", f"a line of more than {MAX_DOCUMENT_CHARS:,} characters")


def _is_by_line(stream: TextIO) -> bool:
    """Return whether the file has one JSON value per line, judging by its first lines.

    This is the case if the first line is a value; if it is broken, but two consecutive lines without a comma between
    them are values; or if it is an array with one element per line.
    """
    lines: list[str] = []
    for number, line in enumerate(islice(bounded_lines(stream, _LONGEST_PROBED), _PROBED_LINES)):
        if isinstance(line, BrokenRecord) or len(line) >= _LONGEST_PROBED:
            if number == 0:
                return False
            continue
        if line.strip():
            lines.append(line.strip())
        if sum(map(len, lines)) > 4 * _LONGEST_PROBED:
            break
    if not lines:
        return False
    if lines[0] == "[":
        return len(lines) > 1 and isinstance(_parsed_line(lines[1]), dict)
    values = [line.startswith(("{", "[")) and not isinstance(_parsed(line), Unparsed) for line in lines]
    return values[0] or any(first and second for first, second in pairwise(values))


def _has_value_lines(path: Path) -> bool:
    with open_text(path, newline="\n") as stream:
        lines = (line for line in bounded_lines(stream) if isinstance(line, str) and line.startswith(("{", "[")))
        return any(line.strip() not in _PUNCTUATION and not isinstance(_parsed_line(line), Unparsed) for line in lines)


def _parsed_line(line: str) -> object:
    text = line.strip()
    parsed = _parsed(text)
    if isinstance(parsed, Unparsed) and text.endswith((",", "]")):
        # An element of an array with one element per line: `{...},`, or with the array's own brackets.
        inner = _parsed(text.rstrip(",").removeprefix("[").removesuffix("]").rstrip(","))
        return parsed if isinstance(inner, Unparsed) else inner
    return parsed


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        return Unparsed(f"{error.msg} at {place}")
    except (ValueError, RecursionError) as error:
        return Unparsed(shown(str(error)))


def _documents(path: Path) -> Iterator[Value]:
    """Yield the content of the documents of a file; there may be several in sequence, as written by `jq .`."""
    with open_text(path, newline="\n") as stream:
        head = stream.read(_ARCHIVE_CHARS)
    found = ARCHIVE.match(head)
    with open_text(path, newline="\n") as stream:
        if found:
            stream.read(found.end())
        window, number = Window(stream), 0
        while start := window.next():
            if found and start == ";":
                window.take(";")
                continue
            number += 1
            prefix, items = f"document {number}, " if number > 1 else "", 0
            try:
                for value in _document(window, path, number, prefix):
                    items += 1
                    yield value
            except BrokenJsonError as error:
                position = f"{prefix}item {items + 1}" if prefix or items else ""
                yield Value(position, Unparsed(f"{error} ({window.place})"))
                if not window.skip_to(_TOP, 2):
                    return


def _document(window: Window, path: Path, number: int, prefix: str) -> Iterator[Value]:
    start = window.next()
    if start == "[":
        yield from _elements(window, prefix)
    elif start == "{":
        yield from _object(window, path, number, prefix)
    else:
        yield Value(f"{prefix}item 1", window.value())


def _elements(window: Window, prefix: str) -> Iterator[Value]:
    """Yield the elements of an array; after a broken one, skip to the next that starts a line with its indentation."""
    window.take("[")
    number, indent = 0, None
    while (start := window.next()) != "]":
        if not start:
            raise BrokenJsonError("the text ends within an array")
        indent = window.indent if window.indent is not None else indent
        try:
            value = window.value()
            number += 1
            yield Value(f"{prefix}item {number}", value)
            if window.next() != "]":
                window.take(",")
        except BrokenJsonError as error:
            if not window.next() or indent is None or len(indent) > _LONGEST_INDENT:
                raise
            number += 1
            yield Value(f"{prefix}item {number}", Unparsed(f"{error} ({window.place})"))
            if not window.skip_to(re.compile(rf"\n{re.escape(indent)}[{{\[]"), len(indent) + 2):
                return
    window.take("]")


def _object(window: Window, path: Path, number: int, prefix: str) -> Iterator[Value]:
    """Yield the elements of a page's `data` with the rest of the page, or the object itself if it is not a page."""
    entries: dict[str, object] = {}
    waiting: list[Value] = []
    ahead: Mapping[str, object] | None = None
    try:
        for element in _entries(window, entries, prefix):
            if ahead is not None:
                yield Value(element.position, element.value, ahead)
                continue
            waiting.append(element)
            if len(waiting) >= _MAX_WAITING:
                # More than any response has: the authors' names, which come after them, are read first.
                ahead = _entries_of(path, number)
                yield from (Value(one.position, one.value, ahead) for one in waiting)
                waiting = []
    except BrokenJsonError:
        yield from (Value(one.position, one.value, entries) for one in waiting)
        raise
    if waiting:
        entries["data"] = [one.value for one in waiting]
    yield from (Value(one.position, one.value, entries) for one in waiting)
    if ahead is None and not waiting:
        yield Value(f"{prefix}item 1", entries)


def _entries(window: Window, entries: dict[str, object], prefix: str) -> Iterator[Value]:
    """Fill in the entries of an object; the elements of an array `data` are yielded instead, and `data` left empty."""
    window.take("{")
    while window.next() != "}":
        key = window.value()
        window.take(":")
        if key == "data" and window.next() == "[":
            entries["data"] = []
            yield from _elements(window, prefix)
        else:
            entries[str(key)] = window.value()
        if window.next() != "}":
            window.take(",")
    window.take("}")


def _entries_of(path: Path, number: int) -> dict[str, object]:
    """Read the `number`th document of a file without its `data`; {} if it is broken."""
    with open_text(path, newline="\n") as stream:
        window = Window(stream)
        try:
            for _ in range(number - 1):
                window.value()
            entries: dict[str, object] = {}
            for _ in _entries(window, entries, ""):
                pass
        except BrokenJsonError:
            return {}
    return entries
