"""Twitch comments, as returned by its API v5 and written by TwitchDownloader."""

from __future__ import annotations

from collections.abc import Iterator

from klip_assets.formats.refused import Refused, RowRefused
from klip_assets.formats.text import valid_unicode
from klip_assets.signals.chat.lexicon import emotes_of_words, is_bot_message
from klip_assets.signals.chat.readers.item_format import Item, ItemFormat
from klip_assets.signals.chat.readers.log import Message
from klip_assets.signals.chat.times import Time, time_of, time_of_day, unix_s
from klip_assets.signals.chat.values import id_of, name_of, text_of


def is_comment(item: Item) -> bool:
    """Return whether a JSON object is a comment: its message is a nested object."""
    return isinstance(item.get("message"), dict)


def read_comment(position: str, item: Item) -> Iterator[Message | Refused]:
    """Read a comment; a deleted account has no name.

    Args:
        position: Its position in the file.
        item: The comment, an object for which `is_comment` holds.
    """
    message = item.get("message")
    says = message if isinstance(message, dict) else {}
    commenter = item.get("commenter")
    author, login, author_id = name_of(commenter), None, None
    if isinstance(commenter, dict):
        login = id_of(commenter.get("name"))
        author_id = id_of(commenter.get("_id"))
    try:
        when = _time(item)
        text = text_of(says.get("body"))
    except RowRefused as refusal:
        yield Refused(position, refusal.reason, refusal.detail)
        return
    emotes = _emotes(says.get("fragments"), text)
    is_bot = is_bot_message(text, author, login)
    sent_s = unix_s(item.get("created_at"))
    comment_id = id_of(item.get("_id"))
    identity = comment_id and (comment_id, when.value)
    yield Message(position, when, author, author_id, text, emotes, is_bot, identity, sent_s)


def _time(item: Item) -> Time:
    offset = item.get("content_offset_seconds")
    if offset is None and item.get("created_at"):
        return time_of_day(item["created_at"])
    return time_of(offset, 1.0)


def _emotes(fragments: object, text: str) -> list[str]:
    """Return the emotes in order: fragments marked as emotes, and known ones among the words between."""
    if not isinstance(fragments, list) or not fragments:
        return emotes_of_words(text)
    found: list[str] = []
    for fragment in fragments:
        piece = fragment.get("text") if isinstance(fragment, dict) else None
        if not isinstance(piece, str):
            continue
        if fragment.get("emoticon") and piece.strip():
            found.append(valid_unicode(piece.strip()))
        else:
            found.extend(emotes_of_words(piece))
    return found


FORMAT = ItemFormat("TwitchDownloader", is_comment, read_comment, of_stream=True, container="comments", order=2)
