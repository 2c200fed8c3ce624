"""Reader of any chat log; the format is detected from its content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.json_stream import BrokenJsonError
from klip_assets.formats.refused import Refused
from klip_assets.formats.text import MAX_LINE_CHARS, BrokenRecord, bounded_lines, damage_of, open_text, shown_name
from klip_assets.media.sidecar_clock import ANYWHERE, Place
from klip_assets.signals.chat.readers import log as limits
from klip_assets.signals.chat.readers.documents import document_items, is_lines, line_values
from klip_assets.signals.chat.readers.flat import delimiter_of, read_rows
from klip_assets.signals.chat.readers.formats import CONTAINERS, ITEM_FORMATS, SUPPORTED
from klip_assets.signals.chat.readers.lines import is_log, read_lines
from klip_assets.signals.chat.readers.log import NO_MESSAGE, End, Found, Log
from klip_assets.signals.chat.readers.placing import Placed, crop_of, place_messages

_NEEDS_A_START = (
    "put an .info.json with release_timestamp or timestamp, the Unix time at which the video begins, next to the "
    "recording, or add a column offset_s to the log"
)
_READ_CHARS = 1 << 16


@dataclass(frozen=True)
class Chat:
    """A chat log.

    Attributes:
        messages: Its messages by time, as CHAT_MESSAGES, with those before and after the recording.
        refused: Entries that could not be used, and how many messages lie outside the recording.
        placed: Where the messages lie.
        passed_over: Kind of entry that is not a message -> count.
        by_day: Number of messages placed by the time of day they were sent.
    """

    messages: pa.Table
    refused: list[Refused]
    placed: Placed
    passed_over: Mapping[str, int] = field(default_factory=dict)
    by_day: int = 0


def read_chat(
    path: Path,
    video_id: str,
    started_at: datetime | None = None,
    *,
    place: Place = ANYWHERE,
    author_key: Callable[[str], str] | None = None,
) -> Chat:
    """Read a chat log. Its format is detected from the content, not the name.

    A message is placed by its offset or, where the log has only the time of day, relative to when the video began; a
    chat on another clock is moved where the files say how (`readers.placing`). Messages outside the recording are kept.
    Bots are flagged by name before names are replaced. Names mentioned in message texts are kept.

    Args:
        path: The file.
        video_id: The recording it belongs to.
        started_at: When the video began, None if unknown; without a zone, in UTC.
        place: Where the recording lies on the log's clock; its length helps to tell seconds from milliseconds, too.
        author_key: Maps "id:<the platform's id>" or, where the log has none, "name:<the name in lower case>" to what
            is stored for an author; None to store the names as they are.

    Returns:
        Its messages by offset, those with equal offsets in file order. If not one lies inside the recording,
        `placed.is_elsewhere`.

    Raises:
        OtherClockError: Nothing says which part of its stream the recording is.
        UnreadableSidecarError: The file is not a chat log in a supported format, or none of its messages can be used.
    """
    name = shown_name(path.name)
    log = Log(started_at, author_key)
    source = _Source(path)
    for found in source.read():
        if log.is_full:
            log.end(f"more than {limits.MAX_MESSAGES:,} messages; the rest was not read", "")
            break
        log.add(found)
        if log.strangers > limits.MAX_REFUSED and not _is_chat(log):
            break
    if log.strangers and not _is_chat(log):
        problem = source.broken or "not a chat log"
        raise UnreadableSidecarError(f"{name}: {problem}", hint=SUPPORTED)
    damage = damage_of(path)
    if damage:
        log.end(damage.reason, damage.detail)
    if log.without_day_in_all and not log.count:
        raise UnreadableSidecarError(
            f"{name}: its {log.without_day_in_all:,} messages have only a time of day, and the start time of the video "
            "is unknown",
            hint=_NEEDS_A_START,
        )
    rows, times = log.rows()
    of_stream = source.of_stream or log.by_day > 0
    placed = place_messages(times, place, name, started_at=started_at, of_stream=of_stream, crop=crop_of(source.beside))
    messages = log.chat(rows, placed.offset_s, video_id)
    first = log.first_refused
    if first and not log.count:
        raise UnreadableSidecarError(
            f"{name}: none of its {log.refused_in_all:,} messages can be used; the first ({first.position}): "
            f"{first.reason} {first.detail}".rstrip(),
            hint=SUPPORTED,
        )
    return Chat(messages, log.all_refused(*placed.refused), placed, dict(log.passed_over), log.by_day)


def _is_chat(log: Log) -> bool:
    """Return whether anything was found that only a chat log has."""
    known = log.count + log.without_day_in_all + log.passed_over.total() + log.refused_in_all - log.strangers
    return known > 0


def _items_of(value: object) -> list[object] | None:
    """Return the entries of a line that holds several, None if it is one itself."""
    if isinstance(value, dict):
        found = (value.get(key) for key in sorted(CONTAINERS))
        return next((items for items in found if isinstance(items, list)), None)
    return value if isinstance(value, list) else None


class _Source:
    """A log file, what is wrong with its JSON, and what it says about its clock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.broken = ""
        self.beside: dict[str, object] = {}
        self.of_stream = False

    def read(self) -> Iterator[Found]:
        with open_text(self._path) as stream:
            head = ""
            while not head and (read := stream.read(_READ_CHARS)):
                head = read.lstrip()
        if not head:
            damage = damage_of(self._path)
            problem = damage.reason if damage else "the file is empty"
            raise UnreadableSidecarError(f"{shown_name(self._path.name)}: {problem}", hint=SUPPORTED)
        # "[0:00:05] Ann: hi" begins like JSON.
        if is_log(head.splitlines()):
            return self._of_lines()
        return self._of_json() if head[0] in "{[" else self._of_rows()

    def _of_lines(self) -> Iterator[Found]:
        with open_text(self._path) as stream:
            yield from read_lines(bounded_lines(stream, MAX_LINE_CHARS))

    def _of_rows(self) -> Iterator[Found]:
        with open_text(self._path) as stream:
            delimiter = delimiter_of(stream)
        with open_text(self._path) as stream:
            rows = read_rows(stream, delimiter)
            if rows is None:
                yield Refused("row 1", NO_MESSAGE, "no time or no text in the header")
                return
            yield from rows

    def _of_json(self) -> Iterator[Found]:
        with open_text(self._path, newline="\n") as stream:
            in_lines = is_lines(stream)
        if not in_lines:
            number = 0
            try:
                with open_text(self._path, newline="\n") as stream:
                    for number, item in enumerate(document_items(stream, self.beside, CONTAINERS), start=1):
                        yield from self._read(f"item {number}", item)
                return
            except BrokenJsonError as error:
                self.broken = f"invalid JSON, possibly truncated: {error}"
                if number:
                    yield End("invalid JSON from here on, possibly truncated; everything before was read", str(error))
                    return
        # Not one document, so perhaps one value per line, of which the first is broken.
        with open_text(self._path, newline="\n") as stream:
            for number, value in line_values(stream):
                position = f"line {number}"
                if isinstance(value, BrokenRecord):
                    yield Refused(position, NO_MESSAGE, value.reason)
                    continue
                items = _items_of(value)
                if items is None:
                    yield from self._read(position, value)
                    continue
                for n, item in enumerate(items, start=1):
                    yield from self._read(f"{position}, item {n}", item)

    def _read(self, position: str, item: object) -> Iterable[Found]:
        if not isinstance(item, dict):
            return (Refused(position, NO_MESSAGE, "not a JSON object"),)
        kind = next(kind for kind in ITEM_FORMATS if kind.sniff(item))
        self.of_stream |= kind.of_stream
        return kind.read(position, item)
