"""Messages as DiscordChatExporter writes them.

Source: https://github.com/Tyrrrz/DiscordChatExporter (JsonMessageWriter.cs)
"""

from __future__ import annotations

from collections.abc import Iterable

from klip_assets.formats.text import valid_unicode
from klip_assets.signals.chat.readers import flat
from klip_assets.signals.chat.readers.item_format import Item, ItemFormat
from klip_assets.signals.chat.readers.log import Found, PassedOver

#: What people write; others are joins, pins and calls, with a text of Discord's.
_SPOKEN = frozenset({"Default", "Reply"})


def is_exported(item: Item) -> bool:
    """Return whether a JSON object is a message of an export: it says whether it is pinned, and was edited."""
    return "timestampEdited" in item and "isPinned" in item and isinstance(item.get("type"), str)


def read_exported(position: str, item: Item) -> Iterable[Found]:
    """Read a message; they have only times of day.

    Args:
        position: Its position in the file.
        item: The message, an object for which `is_exported` holds.
    """
    kind = str(item.get("type"))
    return flat.read_record(position, item) if kind in _SPOKEN else (PassedOver(valid_unicode(kind[:60])),)


FORMAT = ItemFormat("DiscordChatExporter", is_exported, read_exported, container="messages", order=4)
