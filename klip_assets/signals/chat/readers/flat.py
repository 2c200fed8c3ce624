"""Logs with one flat record per message: chat-downloader's JSON, YouTube, Kick and other chats as CSV, JSON lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import TextIO

from klip_assets.formats.refused import Refused, RowRefused
from klip_assets.formats.text import MAX_LINE_CHARS, BrokenRecord, bounded_lines, delimited_records, valid_unicode
from klip_assets.signals.chat.lexicon import emotes_of_words, is_bot_message
from klip_assets.signals.chat.readers.item_format import Item, ItemFormat
from klip_assets.signals.chat.readers.log import NO_MESSAGE, Message, PassedOver
from klip_assets.signals.chat.values import (
    Columns,
    columns_of,
    emotes_of_value,
    id_of,
    name_of,
    spelled_out,
    text_of,
)

_DELIMITERS = (",", ";", "\t", "|")
#: Spreadsheets write their delimiter in a line of its own before the header: "sep=;".
_STATED = re.compile(r'"?sep=(.)"?', re.I)

#: Keys under which DiscordChatExporter, Kick's API and others hold their messages.
CONTAINERS = ("messages", "chat", "items")

#: Types of chat-downloader that are sent by YouTube or Twitch, or that repeat a message.
_NOT_SPOKEN = frozenset(
    {
        "membership_item", "viewer_engagement_message", "donation_announcement", "mode_change_message", "banner",
        "banner_header", "purchased_product_message", "paid_sticker", "placeholder_item", "ban_user",
        "deleted_message", "delete_message", "clear_chat", "room_state", "user_state", "notice", "host_target",
        "successful_login", "reconnect", "poll", "tooltip",
    }
)  # fmt: skip
_NOT_SPOKEN_PREFIXES = ("ticker_", "sponsorships_gift")


def read_record(position: str, fields: Item) -> Iterator[Message | Refused | PassedOver]:
    """Read a JSON object of any kind.

    Args:
        position: Its position in the file.
        fields: The object.
    """
    columns = columns_of(fields)
    kind = fields.get(columns.others.get("type", ""))
    if columns.make_a_message:
        yield _read(position, fields, columns, message_id=fields.get("id"))
    elif columns.times and isinstance(kind, str) and _is_passed_over(kind, None):
        yield PassedOver(valid_unicode(kind[:60]))
    else:
        yield Refused(position, NO_MESSAGE, "no time or no text" if fields else "an empty object")


def read_rows(stream: TextIO, delimiter: str) -> Iterator[Message | Refused | PassedOver] | None:
    """Read delimited text with a header.

    Args:
        stream: The text, opened with newline=''.
        delimiter: The character between fields.

    Returns:
        Its messages; None if the header lacks a time or a text column.
    """
    records = (
        (number, record)
        for number, record in enumerate(delimited_records(stream, delimiter), start=1)
        if isinstance(record, BrokenRecord) or any(map(str.strip, record))
    )
    _, header = next(records, (1, []))
    if isinstance(header, list) and _states_delimiter(delimiter.join(header)):
        _, header = next(records, (2, []))
    if isinstance(header, BrokenRecord) or not columns_of(header).make_a_message:
        return None
    return _rows(records, header)


def delimiter_of(stream: TextIO) -> str:
    """Return the delimiter that a first line "sep=;" states, else the one with the most known columns in the header."""
    lines = (line for line in bounded_lines(stream, MAX_LINE_CHARS) if isinstance(line, str) and line.strip())
    first = next(lines, "")
    if stated := _states_delimiter(first):
        return stated
    return max(_DELIMITERS, key=lambda delimiter: _known_columns(first, delimiter))


def _states_delimiter(line: str) -> str | None:
    found = _STATED.fullmatch(line.strip("\r\n \ufeff")[:9])
    return found[1] if found else None


def _known_columns(line: str, delimiter: str) -> int:
    try:
        columns = columns_of(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0
    return len(columns.times) + len(columns.others)


def _rows(
    records: Iterator[tuple[int, list[str] | BrokenRecord]], header: list[str]
) -> Iterator[Message | Refused | PassedOver]:
    columns = columns_of(header)
    for number, record in records:
        position = f"row {number}"
        if isinstance(record, BrokenRecord):
            yield Refused(position, record.reason, "")
        elif len(record) > len(header) and any(map(str.strip, record[len(header) :])):
            yield Refused(position, "more fields than columns", f"{len(record)} fields, {len(header)} columns")
        else:
            yield _read(position, dict(zip(header, record, strict=False)), columns)


def _read(position: str, fields: Item, columns: Columns, message_id: object = None) -> Message | Refused | PassedOver:
    others = {field: fields.get(name) for field, name in columns.others.items()}
    kind = others.get("type")
    if isinstance(kind, str) and _is_passed_over(kind, others.get("text")):
        return PassedOver(valid_unicode(kind[:60]))
    try:
        when = columns.time(fields)
        text = text_of(others.get("text"))
    except RowRefused as refusal:
        return Refused(position, refusal.reason, refusal.detail)
    author, login, author_id = name_of(others.get("author")), None, id_of(others.get("author_id"))
    described = others.get("author")
    if isinstance(described, dict):
        login = id_of(described.get("name"))
        author_id = author_id or id_of(described.get("id"))
    text, spelled = spelled_out(text)
    emotes = spelled or emotes_of_value(others.get("emotes"), text) or emotes_of_words(text)
    is_bot = is_bot_message(text, author.removeprefix("@") if author else None, login)
    # In a table of unknown origin, a column `id` may be that of the person; in an object the author is described apart.
    known = id_of(others.get("message_id")) or id_of(message_id)
    identity = known and (known, when.value)
    return Message(position, when, author, author_id, text, emotes, is_bot, identity, columns.sent_s(fields))


def _is_passed_over(kind: str, text: object) -> bool:
    if kind in _NOT_SPOKEN or kind.startswith(_NOT_SPOKEN_PREFIXES):
        return True
    # A raid or a gift: announced by Twitch, without a message.
    return text in (None, "") and kind not in ("", "text_message", "paid_message")


#: Fallback for objects of no other format, whether from chat-downloader or plain.
FORMAT = ItemFormat("chat-downloader", lambda _: True, read_record)
