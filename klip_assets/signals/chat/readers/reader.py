"""Reader of any chat log; the format is detected from its content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from klip_assets.errors import OtherClockError, UnreadableSidecarError
from klip_assets.formats.json_stream import BrokenJsonError
from klip_assets.formats.refused import Refused
from klip_assets.formats.text import BrokenRecord, damage_of, open_text, shown_name
from klip_assets.media.sidecar_clock import ANYWHERE, Place
from klip_assets.signals.chat.readers import log as limits
from klip_assets.signals.chat.readers.documents import document_items, is_lines, line_values
from klip_assets.signals.chat.readers.flat import delimiter_of, read_rows
from klip_assets.signals.chat.readers.formats import ITEM_FORMATS, SUPPORTED
from klip_assets.signals.chat.readers.log import NO_MESSAGE, Chat, End, Found, Log
from klip_assets.signals.chat.readers.placing import crop_of, place_messages

_NEEDS_A_START = (
    "put an .info.json with release_timestamp or timestamp, the Unix time at which the video begins, next to the "
    "recording, or add a column offset_s to the log"
)
_READ_CHARS = 1 << 16


def read_chat(
    path: Path,
    video_id: str,
    started_at: datetime | None = None,
    *,
    place: Place = ANYWHERE,
    author_key: Callable[[str], str] | None = None,
) -> Chat:
    """Read a chat log. Its format is detected from the content, not the name.

    A message is placed by its offset or, where the log has only the time of day, relative to when the video began. Of
    the chat of a whole stream beside a section of it, the section is moved to the start and kept (`readers.placing`).
    Bots are flagged by name before names are replaced. Names mentioned in message texts are kept.

    Args:
        path: The file.
        video_id: The recording it belongs to.
        started_at: When the video began, None if unknown; without a zone, in UTC.
        place: Where the recording lies on the log's clock; its length helps to tell seconds from milliseconds, too.
        author_key: Maps "id:<the platform's id>" or, where the log has none, "name:<the name in lower case>" to what
            is stored for an author; None to store the names as they are.

    Returns:
        Its messages by offset, those with equal offsets in file order; where the length of the
        recording is unknown, offsets before its start stay negative.

    Raises:
        OtherClockError: Its messages lie outside the recording.
        UnreadableSidecarError: The file is not a chat log in a supported format, or none of its messages can be used.
    """
    name = shown_name(path.name)
    log = Log(started_at, place.end_s and place.section_s + place.end_s, author_key)
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
    chat = log.chat(video_id)
    first = log.first_refused
    if first and not log.count:
        raise UnreadableSidecarError(
            f"{name}: none of its {log.refused_in_all:,} messages can be used; the first ({first.position}): "
            f"{first.reason} {first.detail}".rstrip(),
            hint=SUPPORTED,
        )
    if log.is_elsewhere(chat):
        offset_s = chat.messages["offset_s"]
        raise OtherClockError(
            f"{name}: its {log.count:,} messages were sent {offset_s[0].as_py():,.0f} s to {offset_s[-1].as_py():,.0f} "
            "s after the video began, none during it",
            hint=f"is it the chat of another video, or is the start time in .info.json wrong? {_NEEDS_A_START}",
        )
    of_stream = source.of_stream or chat.by_day > 0
    placed = place_messages(chat.messages, place, name, of_stream=of_stream, crop=crop_of(source.beside))
    return replace(
        chat,
        messages=placed.messages,
        refused=log.all_refused(*placed.refused),
        shift_s=placed.shift_s,
        after_end=placed.after_end,
        goes_on_s=placed.goes_on_s,
    )


def _is_chat(log: Log) -> bool:
    """Return whether anything was found that only a chat log has."""
    known = log.count + log.without_day_in_all + log.passed_over.total() + log.refused_in_all - log.strangers
    return known > 0


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
        return self._of_json() if head[0] in "{[" else self._of_rows()

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
                    for number, item in enumerate(document_items(stream, self.beside), start=1):
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
                comments = value.get("comments") if isinstance(value, dict) else value
                if not isinstance(comments, list):
                    yield from self._read(position, value)
                    continue
                for n, item in enumerate(comments, start=1):
                    yield from self._read(f"{position}, item {n}", item)

    def _read(self, position: str, item: object) -> Iterable[Found]:
        if not isinstance(item, dict):
            return (Refused(position, NO_MESSAGE, "not a JSON object"),)
        kind = next(kind for kind in ITEM_FORMATS if kind.sniff(item))
        self.of_stream |= kind.of_stream
        return kind.read(position, item)
