"""Reading text files of any kind: plain, gzip or zstd, in UTF-8 or not."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from klip_assets.formats.screen import shown

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

#: An archive is read up to this many bytes of text and, past the first 64 MB, up to this multiple of its own size.
#: Real text compresses 5 to 30 times; anything beyond that was made to fill a disk or memory.
MAX_EXPANDED_BYTES = 4 << 30
MAX_RATIO = 100
FREE_EXPANSION_BYTES = 64 << 20

#: A document (multi-line JSON, captions, one line of JSON) has to fit in memory several times over.
MAX_DOCUMENT_CHARS = 64_000_000
#: Maximum length of a line of delimited text.
MAX_LINE_CHARS = 1_000_000

_LINES_PER_RECORD = 500
_READ_BYTES = 1 << 20
_PEEKED = 64
#: Bytes unpacked at a time: a decoder that hits damage drops what it has read in the same call.
_UNPACKED_BYTES = 1 << 14


def _as_cp1252(error: UnicodeError) -> tuple[str, int]:
    """Decode invalid UTF-8 as Windows-1252, whose undefined bytes become U+FFFD."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("klip_cp1252", _as_cp1252)


def open_text(path: Path, *, newline: str = "") -> TextIO:
    r"""Open a text file, compressed or not; any bytes decode.

    Invalid UTF-8 is read as Windows-1252 byte by byte, so that one bad byte does not spoil the rest. UTF-16 is
    recognized by its byte order mark or its zero bytes. An archive ends where it is damaged, or at the limit it may
    expand to; `damage_of` reports which.

    Args:
        path: The file. Compression is detected from the content, not the name.
        newline: As for `open`: '' keeps line ends and splits at each kind, '\n' splits at line feeds only.
    """
    stream = open_bytes(path)
    if encoding := utf_16_of(stream.peek(_PEEKED)[:_PEEKED]):
        return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline=newline)
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="klip_cp1252", newline=newline)


def open_bytes(path: Path) -> io.BufferedReader:
    """Open a file, compressed or not, as the bytes that `open_text` decodes."""
    archive = _open_archive(path)
    return path.open("rb") if archive is None else io.BufferedReader(_UpToDamage(archive))


def utf_16_of(head: bytes) -> str | None:
    """Return the UTF-16 encoding of a text from its first bytes, None if it is not UTF-16.

    It is recognized by its byte order mark or, since some exports lack one, by every other byte being zero.
    """
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    half = len(head) // 2
    if half >= 4:
        even, odd = head[0 : 2 * half : 2].count(0), head[1 : 2 * half : 2].count(0)
        if odd > 0.9 * half and not even:
            return "utf-16-le"
        if even > 0.9 * half and not odd:
            return "utf-16-be"
    return None


def decoded(line: bytes) -> str:
    """Decode a piece of text as `open_text` does; it must not end inside a character."""
    return line.decode("utf-8", "klip_cp1252")


def valid_unicode(text: str) -> str:
    """Return the text with lone surrogates, which UTF-8 can't encode, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def stored_name(name: str | os.PathLike[str]) -> str:
    r"""Return a file's name or path as a table can hold it: invalid UTF-8 becomes escapes such as `\xe9`."""
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:  # Not a name of a file here, but text that was given as one.
        encoded = os.fsencode(valid_unicode(os.fspath(name)))
    return encoded.decode("utf-8", "backslashreplace")


def shown_name(name: str | os.PathLike[str]) -> str:
    r"""Return a file's name or path for a message, on one line.

    Like `stored_name`, with line ends and other control characters (including bidirectional ones) escaped too.
    """
    return shown(stored_name(name))


@dataclass(frozen=True)
class Damage:
    """Why an archive is not read to its end.

    Attributes:
        reason: A sentence for people.
        detail: What exactly was found.
    """

    reason: str
    detail: str


def damage_of(path: Path) -> Damage | None:
    """Return why an archive can't be read to its end, None if it can or the file is not an archive.

    Reads all of it, up to the limit an archive may expand to.
    """
    archive = _open_archive(path)
    if archive is None:
        return None
    with archive:
        while archive.damage is None and archive.read(_READ_BYTES):
            continue
    return archive.damage


def expansion_limit(compressed_bytes: int) -> int:
    """Return how many bytes an archive of this size may expand to."""
    return min(MAX_EXPANDED_BYTES, max(FREE_EXPANSION_BYTES, MAX_RATIO * compressed_bytes))


class _Archive:
    """The content of a compressed file up to its damage or its limit; `damage` is set once either is reached."""

    def __init__(self, kind: str, size: int, stream: Any, read: Callable[[int], bytes]) -> None:
        self.damage: Damage | None = None
        self._kind, self._stream, self._read = kind, stream, read
        self._limit = self._left = expansion_limit(size)

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`; none at the end, at damage and at the limit."""
        if self.damage is not None:
            return b""
        try:
            data = self._read(min(size, self._left + 1, _UNPACKED_BYTES))
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            self.damage = self._damaged(error)
            return b""
        except OSError as error:
            if error.errno is not None:
                raise  # A problem with the disk, not the archive.
            self.damage = self._damaged(error)
            return b""
        if len(data) > self._left:
            megabytes = f"{self._limit / 1e6:,.0f} MB"
            reason = f"the {self._kind} file expands to more than {megabytes}; reading was stopped there"
            self.damage = Damage(reason, "if it is meant to be that large, unpack or split it")
            data = data[: self._left]
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _damaged(self, error: BaseException) -> Damage:
        return Damage(f"the {self._kind} file is damaged or cut short; everything before that was read", str(error))


def _open_archive(path: Path) -> _Archive | None:
    """Open a file that its first bytes identify as compressed; return None for any other."""
    with path.open("rb") as file:
        magic = file.read(4)
    size = path.stat().st_size
    if magic[:2] == b"\x1f\x8b":
        unpacked = gzip.open(path)  # noqa: SIM115
        return _Archive("gzip", size, unpacked, unpacked.read1)
    if magic == b"\x28\xb5\x2f\xfd":
        import pyarrow as pa

        stream = pa.CompressedInputStream(pa.PythonFile(path.open("rb"), mode="r"), "zstd")
        return _Archive("zstd", size, stream, stream.read)
    return None


class _UpToDamage(io.RawIOBase):
    """An archive as a raw stream."""

    def __init__(self, archive: _Archive) -> None:
        self._archive = archive

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer) -> int:
        view = memoryview(buffer)
        data = self._archive.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._archive.close()
        super().close()


def read_document(stream: TextIO) -> str | None:
    """Read a text to its end; return None if it exceeds `MAX_DOCUMENT_CHARS`."""
    text = stream.read(MAX_DOCUMENT_CHARS + 1)
    return None if len(text) > MAX_DOCUMENT_CHARS else text


def bounded_lines(stream: TextIO, longest: int = MAX_DOCUMENT_CHARS) -> Iterator[str | BrokenRecord]:
    """Yield the lines of a text with their line ends; a line that is too long is replaced by a `BrokenRecord`.

    Args:
        stream: The text.
        longest: Maximum characters per line.
    """
    while line := stream.readline(longest):
        if len(line) < longest or line[-1] in "\r\n":
            yield line
            continue
        following = stream.readline(longest)
        if following:
            while following and following[-1] not in "\r\n":
                following = stream.readline(longest)
            yield BrokenRecord(f"a line of more than {longest:,} characters")
        else:
            yield line


@dataclass(frozen=True)
class BrokenRecord:
    """A line of delimited text that is not a record."""

    reason: str


def delimited_records(
    stream: TextIO, delimiter: str, *, bare_width: int | None = None
) -> Iterator[list[str] | BrokenRecord]:
    """Split delimited text into records, streaming. Quoted fields may span lines; a blank line is an empty record.

    An unclosed quote would swallow all lines after it into one field. Here it costs only its own line: reading resumes
    at the next one.

    Args:
        stream: Text opened with newline=''.
        delimiter: The character between fields.
        bare_width: For text where a quote may be an ordinary character, as is common in TSV: lines that have this many
            fields if quotes are ignored, but not otherwise, are taken literally.
    """
    lines = _Lines(stream)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            broken = lines.take_broken()
            if broken is None:
                return
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            yield broken
            continue
        except csv.Error as error:
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            if bare_width and lines.taken[0].count(delimiter) == bare_width - 1:
                yield lines.take_only_first().split(delimiter)
            else:
                yield _resume(lines, delimiter, error)
            continue
        spans = len(lines.taken) > 1 or (bare_width is not None and len(fields) != bare_width)
        fits = [line.count(delimiter) == bare_width - 1 for line in lines.taken] if bare_width and spans else [False]
        if all(fits):
            yield from (line.rstrip("\r\n").split(delimiter) for line in lines.taken)
        elif fits[0] and len(fields) != bare_width:
            # The quote of this line was closed by one of another line, which is broken.
            yield lines.take_only_first().split(delimiter)
        else:
            yield fields


def _resume(lines: _Lines, delimiter: str, error: csv.Error) -> list[str] | BrokenRecord:
    """Drop the first line of a broken record, or read it leniently if a quote is merely misplaced."""
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
    """Physical lines that can be put back; a record may take only a bounded number of them."""

    def __init__(self, stream: TextIO) -> None:
        self._fresh = bounded_lines(stream, MAX_LINE_CHARS)
        self._waiting: list[str | BrokenRecord] = []
        self.taken: list[str] = []

    def begin(self) -> None:
        """Start a record."""
        self.taken = []

    def take_only_first(self) -> str:
        """Return the first line of the record, without its end; the others are read again."""
        first, *others = self.taken
        self.put_back(others)
        return first.rstrip("\r\n")

    def put_back(self, lines: list[str]) -> None:
        """Return these lines to the front."""
        self._waiting.extend(reversed(lines))

    def take_broken(self) -> BrokenRecord | None:
        """Return the replacement for the next line if it is too long, None if it is not."""
        if self._waiting and isinstance(self._waiting[-1], BrokenRecord):
            return self._waiting.pop()  # type: ignore[return-value]
        return None

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _LINES_PER_RECORD:
            raise StopIteration
        line = self._waiting.pop() if self._waiting else next(self._fresh)
        if isinstance(line, BrokenRecord):
            # No record continues past a line that is too long: it ends here, and `take_broken` comes next.
            self._waiting.append(line)
            raise StopIteration
        self.taken.append(line)
        return line
