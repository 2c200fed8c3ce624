"""Text files as people drop them: plain or gzipped, UTF-8 or not.

Put here: opening and decoding, and cutting delimited text into records. Keep out: what the records mean.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

_DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error)
_LINES_PER_RECORD = 500


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Decode what is no UTF-8 as Windows-1252, whose undefined bytes become U+FFFD."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("klip_cp1252", _as_cp1252)


def open_text(path: Path, *, newline: str = "") -> TextIO:
    r"""Open a text file, gzipped or not, so that it decodes whatever its bytes are.

    Bytes that are no UTF-8 are read as Windows-1252, each on its own, so that one of them does not spoil the rest. A
    UTF-16 file is known by its byte order mark. A damaged gzip file ends where the damage begins; `damage_of` tells.

    Args:
        path: The file. Whether it is gzipped shows in its content, not in its name.
        newline: As for `open`: '' keeps line ends and splits at each kind, '\n' splits at line feeds only.
    """
    stream = io.BufferedReader(_UntilDamage(gzip.open(path))) if _is_gzip(path) else path.open("rb")  # noqa: SIM115
    if stream.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return io.TextIOWrapper(stream, encoding="utf-16", errors="replace", newline=newline)
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="klip_cp1252", newline=newline)


def sound(text: str) -> str:
    """Return the text with halves of surrogate pairs, which no UTF-8 file can hold, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def damage_of(path: Path) -> str | None:
    """Return why a gzip file can't be read to its end, None if it can or is no gzip file."""
    if not _is_gzip(path):
        return None
    try:
        with gzip.open(path) as stream:
            while stream.read(1 << 20):
                continue
    except _DAMAGED as error:
        return str(error)
    return None


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


class _UntilDamage(io.RawIOBase):
    """A gzip stream that ends where the file is damaged, so that what comes before can be read."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        try:
            data = self._stream.read1(len(view))
        except _DAMAGED:
            return 0
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


@dataclass(frozen=True)
class BrokenRecord:
    """A line of delimited text that is no record."""

    reason: str


def delimited_records(stream: TextIO, delimiter: str) -> Iterator[list[str] | BrokenRecord]:
    """Cut delimited text into records, streaming. Quoted fields may hold line ends; a blank line is an empty record.

    A quote that is never closed would take all lines after it into one field. Here it costs its own line: reading
    goes on at the next one.

    Args:
        stream: Text opened with newline=''.
        delimiter: The character between fields.
    """
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield _resume(lines, delimiter, error)
            continue
        yield fields


def _resume(lines: _Lines, delimiter: str, error: csv.Error) -> list[str] | BrokenRecord:
    """Give up the first line of a broken record, or read it leniently if a quote is merely misplaced."""
    first, *others = lines.taken
    lines.put_back(others)
    unclosed = bool(others) or "unexpected end" in str(error)
    if not unclosed:
        try:
            return next(csv.reader([first], delimiter=delimiter))
        except csv.Error as worse:
            return BrokenRecord(str(worse))
    return BrokenRecord("a quote that is never closed")


class _Lines:
    """Physical lines, of which one record gets a bounded number, and which can be put back."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self.taken: list[str] = []

    def begin(self) -> None:
        """Start a record."""
        self.taken = []

    def put_back(self, lines: list[str]) -> None:
        """Have these lines come again next."""
        self._waiting.extend(reversed(lines))

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _LINES_PER_RECORD:
            raise StopIteration
        line = self._waiting.pop() if self._waiting else self._stream.readline()
        if not line:
            raise StopIteration
        self.taken.append(line)
        return line
