"""Readers of chat logs beside a recording: every format to one table of messages.

Put here: how logs are read and placed, whatever their format; formats are modules of `dialects`.
Keep out: what messages mean (`signals.chat`).
"""

from klip_assets.signals.chat.readers.formats import ITEM_FORMATS
from klip_assets.signals.chat.readers.reader import Chat, read_chat

__all__ = ["ITEM_FORMATS", "Chat", "read_chat"]
