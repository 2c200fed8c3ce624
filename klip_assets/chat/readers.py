"""Chat logs as they lie beside a recording: TwitchDownloader's JSON, CSV, JSON lines.

Put here: the shapes of chat logs. Keep out: single values (`chat.values`), what words mean (`chat.lexicon`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import pyarrow as pa

from klip_assets.chat.lexicon import emotes_of_words, is_bot_message
from klip_assets.chat.sentiment import vader_scores
from klip_assets.chat.values import columns_of, emotes_of_value, name_of, offset_of, text_of
from klip_assets.contracts import CHAT_MESSAGES
from klip_assets.errors import UnreadableSidecarError
from klip_assets.refused import Refused, RowRefused
from klip_assets.textfile import (
    MAX_DOCUMENT_CHARS,
    MAX_LINE_CHARS,
    BrokenRecord,
    bounded_lines,
    damage_of,
    delimited_records,
    open_text,
    read_document,
    shown_name,
    sound,
)

_SUPPORTED = (
    "supported are TwitchDownloader's JSON, and CSV or JSON lines with a time (offset_s, time, timestamp, "
    "content_offset_seconds: seconds or h:mm:ss), an author and a text"
)
_DELIMITERS = (",", ";", "\t", "|")

#: Chats of days have some hundred thousand messages.
MAX_MESSAGES = 1_000_000
#: Platforms allow 200 to 500 characters.
MAX_TEXT_CHARS = 2_000
#: Refusals that are kept by name.
MAX_REFUSED = 10_000

_MESSAGES_PER_PIECE = 20_000
_READ = ("offset_s", "author", "text", "emotes", "is_bot", "sentiment")

Message = dict[str, object]


@dataclass(frozen=True)
class Chat:
    """A chat log.

    Attributes:
        messages: Its messages by time, as CHAT_MESSAGES.
        refused: What could not be used.
    """

    messages: pa.Table
    refused: list[Refused]


def read_chat(path: Path, video_id: str) -> Chat:
    """Read a chat log. Its kind is taken from the content, not from the name.

    Args:
        path: The file.
        video_id: The recording it belongs to.

    Returns:
        Its messages by offset, those of one time in the order of the file; offsets before the start stay negative.

    Raises:
        UnreadableSidecarError: The file is no chat log of a supported kind, or not one message of it can be used.
    """
    log = _Log()
    for found in _messages(path):
        if max(log.count, log.refused_in_all) >= MAX_MESSAGES:
            log.end(f"more than {MAX_MESSAGES:,} messages; the rest was not read", "")
            break
        log.add(found)
    damage = damage_of(path)
    if damage:
        log.end(damage.reason, damage.detail)
    if log.refused and not log.count:
        first = log.refused[0]
        raise UnreadableSidecarError(
            f"{shown_name(path.name)}: none of its {log.refused_in_all} messages can be used, "
            f"the first ({first.position}) because: {first.reason} {first.detail}".rstrip(),
            hint=_SUPPORTED,
        )
    return Chat(log.table(video_id), log.all_refused())


class _Log:
    """Gathers messages in compact pieces: a long chat as Python objects would fill the memory."""

    def __init__(self) -> None:
        self.count = 0
        self.refused: list[Refused] = []
        self.refused_in_all = 0
        self._end: list[Refused] = []
        self._waiting: list[Message] = []
        self._pieces: list[pa.Table] = []

    def add(self, found: Message | Refused) -> None:
        if isinstance(found, Refused):
            self.refused_in_all += 1
            if len(self.refused) < MAX_REFUSED:
                self.refused.append(found)
            return
        self.count += 1
        self._waiting.append(found)
        if len(self._waiting) == _MESSAGES_PER_PIECE:
            self._pack()

    def end(self, reason: str, detail: str) -> None:
        """Note why the log was not read to its end."""
        self._end = [Refused("end of file", reason, detail)]

    def all_refused(self) -> list[Refused]:
        if self.refused_in_all + len(self._end) <= MAX_REFUSED:
            return [*self.refused, *self._end]
        kept = self.refused[: MAX_REFUSED - 2]
        return [*kept, *self._end, Refused("rest", "too many to list", f"{self.refused_in_all - len(kept):,} more")]

    def table(self, video_id: str) -> pa.Table:
        """Return all messages by time; those of one time in the order of the file."""
        self._pack()
        rows = pa.concat_tables(self._pieces)
        rows = rows.take(pa.array(np.argsort(rows["offset_s"].to_numpy(), kind="stable")))
        columns: dict[str, object] = {name: rows[name].combine_chunks() for name in _READ}
        columns["video_id"] = pa.array([video_id] * rows.num_rows, pa.string())
        columns["message_index"] = pa.array(np.arange(rows.num_rows), pa.int32())
        return CHAT_MESSAGES.from_columns(columns)

    def _pack(self) -> None:
        columns = {name: [message[name] for message in self._waiting] for name in _READ if name != "sentiment"}
        columns["sentiment"] = list(vader_scores(None if m["is_bot"] else str(m["text"]) for m in self._waiting))
        fields = [CHAT_MESSAGES.schema.field(name) for name in _READ]
        self._pieces.append(pa.table({name: columns[name] for name in _READ}, schema=pa.schema(fields)))
        self._waiting = []


def _messages(path: Path) -> Iterator[Message | Refused]:
    with open_text(path) as stream:
        head = next(_filled(stream), "").lstrip()
    if not head:
        damage = damage_of(path)
        problem = damage.reason if damage else "the file is empty"
        raise UnreadableSidecarError(f"{shown_name(path.name)}: {problem}", hint=_SUPPORTED)
    yield from _of_json(path) if head[0] in "{[" else _of_csv(path)


def _of_csv(path: Path) -> Iterator[Message | Refused]:
    with open_text(path) as stream:
        first_line = next(_filled(stream, MAX_LINE_CHARS), "")
    delimiter = max(_DELIMITERS, key=lambda d: len(columns_of(_fields(first_line, d))))
    with open_text(path) as stream:
        records = (
            (number, record)
            for number, record in enumerate(delimited_records(stream, delimiter), start=1)
            if isinstance(record, BrokenRecord) or any(field.strip() for field in record)
        )
        _, header = next(records, (1, []))
        columns = {} if isinstance(header, BrokenRecord) else columns_of(header)
        if isinstance(header, BrokenRecord) or not {"offset_s", "text"} <= columns.keys():
            raise UnreadableSidecarError(f"{shown_name(path.name)}: not a chat log", hint=_SUPPORTED)
        for number, record in records:
            if isinstance(record, BrokenRecord):
                yield Refused(f"row {number}", record.reason, "")
            elif any(field.strip() for field in record[len(header) :]):
                detail = f"{len(record)} fields, {len(header)} columns"
                yield Refused(f"row {number}", "more fields than columns", detail)
            else:
                yield _message(f"row {number}", dict(zip(header, record, strict=False)), columns)


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _of_json(path: Path) -> Iterator[Message | Refused]:
    """Read a document or, where the file is none, its lines."""
    name = shown_name(path.name)
    with open_text(path, newline="\n") as stream:
        first, second = _first_values(stream)
    is_lines = isinstance(first, dict) and "comments" not in first and second is not None
    problem = "not a chat log"
    if not is_lines:
        with open_text(path, newline="\n") as stream:
            text = read_document(stream)
        if text is None:
            problem = f"a document of more than {MAX_DOCUMENT_CHARS:,} characters; write one message a line"
            raise UnreadableSidecarError(f"{name}: {problem}", hint=_SUPPORTED)
        document = _parsed(text)
        del text
        problem = "not valid JSON, it may be cut short" if document is None else problem
        if isinstance(document, dict) and isinstance(document.get("comments"), list):
            document = document["comments"]
        elif isinstance(document, dict):
            document = [document]
        if isinstance(document, list):
            if any(_is_message(item) for item in document) or not document:
                yield from (_of_object(f"item {n}", item) for n, item in enumerate(document, start=1))
                return
            raise UnreadableSidecarError(f"{shown_name(path.name)}: not a chat log", hint=_SUPPORTED)
    seen = False
    refused: list[Refused] = []
    with open_text(path, newline="\n") as stream:
        for number, line in enumerate(bounded_lines(stream), start=1):
            if isinstance(line, str) and not line.strip():
                continue
            where = f"line {number}"
            found = _of_object(where, _parsed(line)) if isinstance(line, str) else Refused(where, line.reason, "")
            if not seen and isinstance(found, Refused):
                refused.append(found)
                if len(refused) > MAX_REFUSED:
                    break  # So many lines, and not one message.
                continue
            if not seen:
                seen = True
                yield from refused
            yield found
    if not seen:
        raise UnreadableSidecarError(f"{name}: {problem}", hint=_SUPPORTED)


def _first_values(stream: TextIO) -> tuple[object, object]:
    """Return what the first two lines that are not blank hold, None where a line is no JSON value."""
    lines = _filled(stream)
    return _parsed(next(lines, "")), _parsed(next(lines, ""))


def _filled(stream: TextIO, longest: int = MAX_DOCUMENT_CHARS) -> Iterator[str]:
    """Yield the lines that are not blank, nor too long to be held."""
    return (line for line in bounded_lines(stream, longest) if isinstance(line, str) and line.strip())


def _parsed(text: str) -> object:
    """Return the value of a JSON text, None for what is none; a chat log has no use for JSON's null."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_message(item: object) -> bool:
    return isinstance(item, dict) and {"offset_s", "text"} <= columns_of(list(item)).keys()


def _of_object(position: str, item: object) -> Message | Refused:
    if not isinstance(item, dict):
        return Refused(position, "not a message", "no JSON object")
    comment = item.get("message")
    if isinstance(comment, dict):
        return _of_comment(position, item, comment)
    return _message(position, item, columns_of(list(item)))


def _of_comment(position: str, item: Mapping[str, object], comment: Mapping[str, object]) -> Message | Refused:
    """Read a comment as TwitchDownloader and Twitch's old API have it."""
    commenter = item.get("commenter")
    login = commenter.get("name") if isinstance(commenter, dict) else None
    try:
        text = _text_of(comment.get("body"))
        return {
            "offset_s": offset_of(item.get("content_offset_seconds")),
            "author": name_of(commenter),
            "text": text,
            "emotes": _emotes_of_fragments(comment.get("fragments"), text),
            "is_bot": is_bot_message(text, name_of(commenter), login if isinstance(login, str) else None),
        }
    except RowRefused as refusal:
        return Refused(position, refusal.reason, refusal.detail)


def _emotes_of_fragments(fragments: object, text: str) -> list[str]:
    """Return the emotes in order: fragments marked as one, and known ones among the words between them."""
    if not isinstance(fragments, list) or not fragments:
        return emotes_of_words(text)
    found: list[str] = []
    for fragment in fragments:
        piece = fragment.get("text") if isinstance(fragment, dict) else None
        if not isinstance(piece, str):
            continue
        if fragment.get("emoticon") and piece.strip():
            found.append(sound(piece.strip()))
        else:
            found.extend(emotes_of_words(piece))
    return found


def _message(position: str, fields: Mapping[str, object], columns: Mapping[str, str]) -> Message | Refused:
    given = {wanted: fields.get(name) for wanted, name in columns.items()}
    try:
        offset_s = offset_of(given.get("offset_s"))
        text = _text_of(given.get("text"))
    except RowRefused as refusal:
        return Refused(position, refusal.reason, refusal.detail)
    author = name_of(given.get("author"))
    return {
        "offset_s": offset_s,
        "author": author,
        "text": text,
        "emotes": emotes_of_value(given.get("emotes")) or emotes_of_words(text),
        "is_bot": is_bot_message(text, author),
    }


def _text_of(value: object) -> str:
    text = text_of(value)
    if len(text) > MAX_TEXT_CHARS:
        raise RowRefused("too long for a chat message", f"{len(text):,} characters, at most {MAX_TEXT_CHARS:,}")
    return text
