"""Every kind of chat log whose entries are JSON objects: a new one is a module beside this, and a line here."""

from __future__ import annotations

from klip_assets.signals.chat.readers import flat, twitch, youtube
from klip_assets.signals.chat.readers.item_format import ItemFormat

#: In the order in which they are tried; the last one takes any object. Delimited rows are no objects: `flat.read_rows`.
ITEM_FORMATS: tuple[ItemFormat, ...] = (youtube.FORMAT, twitch.FORMAT, flat.FORMAT)

#: What users are told; it names each of them.
SUPPORTED = (
    "supported are JSON of TwitchDownloader, of Twitch's API v5, of yt-dlp (live_chat) and of chat-downloader, and CSV "
    "or JSON lines with a time (offset_s, offset_ms, time, timestamp, created_at: seconds, milliseconds, h:mm:ss or a "
    "time of day), an author and a text"
)
