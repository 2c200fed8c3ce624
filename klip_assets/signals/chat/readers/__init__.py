"""Chat logs as they lie beside a recording: every kind to one table of messages.

Put here: a reader for each kind of log.
Keep out: what messages mean (`signals.chat`).
"""

from klip_assets.signals.chat.readers.log import Chat
from klip_assets.signals.chat.readers.reader import read_chat

__all__ = ["Chat", "read_chat"]
