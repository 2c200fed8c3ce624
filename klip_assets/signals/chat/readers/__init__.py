"""Chat logs as they lie beside a recording: every kind to one table of messages."""

from klip_assets.signals.chat.readers.log import Chat
from klip_assets.signals.chat.readers.reader import read_chat

__all__ = ["Chat", "read_chat"]
