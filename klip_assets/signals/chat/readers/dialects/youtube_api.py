"""Messages as YouTube's Data API lists them: `liveChatMessages` with a snippet and the details of their author.

Source: https://developers.google.com/youtube/v3/live/docs/liveChatMessages
"""

from __future__ import annotations

from collections.abc import Iterator

from klip_assets.formats.refused import Refused, RowRefused
from klip_assets.formats.text import valid_unicode
from klip_assets.signals.chat.lexicon import emotes_of_words, is_bot_message
from klip_assets.signals.chat.readers.item_format import Item, ItemFormat
from klip_assets.signals.chat.readers.log import Message, PassedOver
from klip_assets.signals.chat.times import time_of_day
from klip_assets.signals.chat.values import id_of, name_of, text_of

#: What people write; others are gifts, polls, deletions and bans.
_SPOKEN = frozenset({"textMessageEvent", "superChatEvent", "memberMilestoneChatEvent", "superStickerEvent"})


def is_resource(item: Item) -> bool:
    """Return whether a JSON object is a message of the API: its snippet says when it was published."""
    snippet = item.get("snippet")
    return isinstance(snippet, dict) and "publishedAt" in snippet


def read_resource(position: str, item: Item) -> Iterator[Message | Refused | PassedOver]:
    """Read a message; they have only times of day.

    Args:
        position: Its position in the file.
        item: The message, an object for which `is_resource` holds.
    """
    snippet, details = item.get("snippet"), item.get("authorDetails")
    says = snippet if isinstance(snippet, dict) else {}
    writer = details if isinstance(details, dict) else {}
    kind = says.get("type", "textMessageEvent")
    if kind not in _SPOKEN:
        yield PassedOver(valid_unicode(str(kind)[:60]))
        return
    try:
        when = time_of_day(says.get("publishedAt"))
        text = text_of(says.get("displayMessage"))
    except RowRefused as refusal:
        yield Refused(position, refusal.reason, refusal.detail)
        return
    author, author_id = name_of(writer), id_of(writer.get("channelId") or says.get("authorChannelId"))
    is_bot = is_bot_message(text, author.removeprefix("@") if author else None)
    yield Message(position, when, author, author_id, text, emotes_of_words(text), is_bot, id_of(item.get("id")))


FORMAT = ItemFormat("YouTube's Data API", is_resource, read_resource, container="items", order=3)
