"""Readers of chat logs beside a recording: every format to one table of messages.

Put here: a reader for each format, with its line in `formats`.
Keep out: what messages mean (`signals.chat`).
"""

from klip_assets.signals.chat.readers.formats import ITEM_FORMATS
from klip_assets.signals.chat.readers.log import Chat
from klip_assets.signals.chat.readers.reader import read_chat

__all__ = ["ITEM_FORMATS", "Chat", "read_chat"]
