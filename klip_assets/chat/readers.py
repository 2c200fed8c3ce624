"""Chat logs as they lie beside a recording: TwitchDownloader's JSON, CSV, JSON lines.

Put here: the shapes of chat logs. Keep out: single values (`chat.values`), what words mean (`chat.lexicon`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import pyarrow as pa

from klip_assets.chat.lexicon import emotes_of_words, is_bot_message
from klip_assets.chat.sentiment import vader_scores
from klip_assets.chat.values import columns_of, emotes_of_value, name_of, offset_of, text_of
from klip_assets.contracts import CHAT_MESSAGES
from klip_assets.errors import UnreadableSidecarError
from klip_assets.refused import Refused, RowRefused
from klip_assets.textfile import BrokenRecord, delimited_records, open_text, sound

_SUPPORTED = (
    "supported are TwitchDownloader's JSON, and CSV or JSON lines with a time (offset_s, time, timestamp, "
    "content_offset_seconds: seconds or h:mm:ss), an author and a text"
)
_DELIMITERS = (",", ";", "\t", "|")

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
    messages: list[Message] = []
    refused: list[Refused] = []
    for found in _messages(path):
        if isinstance(found, Refused):
            refused.append(found)
        else:
            messages.append(found)
    if refused and not messages:
        first = refused[0]
        raise UnreadableSidecarError(
            f"{path.name}: none of its {len(refused)} messages can be used, the first ({first.position}) because: "
            f"{first.reason} {first.detail}".rstrip(),
            hint=_SUPPORTED,
        )
    messages.sort(key=itemgetter("offset_s"))
    columns: dict[str, object] = {
        "video_id": [video_id] * len(messages),
        "message_index": range(len(messages)),
        "sentiment": vader_scores(None if m["is_bot"] else str(m["text"]) for m in messages),
    }
    for name in ("offset_s", "author", "text", "emotes", "is_bot"):
        columns[name] = [message[name] for message in messages]
    return Chat(CHAT_MESSAGES.from_columns(columns), refused)


def _messages(path: Path) -> Iterator[Message | Refused]:
    with open_text(path) as stream:
        head = next((line for line in stream if line.strip()), "").lstrip()
    if not head:
        raise UnreadableSidecarError(f"{path.name}: the file is empty", hint=_SUPPORTED)
    yield from _of_json(path) if head[0] in "{[" else _of_csv(path)


def _of_csv(path: Path) -> Iterator[Message | Refused]:
    with open_text(path) as stream:
        first_line = next(line for line in stream if line.strip())
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
            raise UnreadableSidecarError(f"{path.name}: not a chat log", hint=_SUPPORTED)
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
    with open_text(path, newline="\n") as stream:
        first, second = _first_values(stream)
    is_lines = isinstance(first, dict) and "comments" not in first and second is not None
    problem = "not a chat log"
    if not is_lines:
        with open_text(path, newline="\n") as stream:
            document = _parsed(stream.read())
        problem = "not valid JSON, it may be cut short" if document is None else problem
        if isinstance(document, dict) and isinstance(document.get("comments"), list):
            document = document["comments"]
        elif isinstance(document, dict):
            document = [document]
        if isinstance(document, list):
            if any(_is_message(item) for item in document) or not document:
                yield from (_of_object(f"item {n}", item) for n, item in enumerate(document, start=1))
                return
            raise UnreadableSidecarError(f"{path.name}: not a chat log", hint=_SUPPORTED)
    seen = False
    refused: list[Refused] = []
    with open_text(path, newline="\n") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            found = _of_object(f"line {number}", _parsed(line))
            if not seen and isinstance(found, Refused):
                refused.append(found)
                continue
            if not seen:
                seen = True
                yield from refused
            yield found
    if not seen:
        raise UnreadableSidecarError(f"{path.name}: {problem}", hint=_SUPPORTED)


def _first_values(stream: Iterator[str]) -> tuple[object, object]:
    """Return what the first two lines that are not blank hold, None where a line is no JSON value."""
    lines = (line for line in stream if line.strip())
    return _parsed(next(lines, "")), _parsed(next(lines, ""))


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
        text = text_of(comment.get("body"))
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
        text = text_of(given.get("text"))
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
