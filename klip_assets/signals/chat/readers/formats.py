"""Chat log formats whose entries are JSON objects: a new one is a module next to this, and a line here."""

from __future__ import annotations

from klip_assets.signals.chat.readers import flat, twitch, youtube
from klip_assets.signals.chat.readers.item_format import ItemFormat

#: In the order they are tried; the last one accepts any object. For delimited rows, see `flat.read_rows`.
ITEM_FORMATS: tuple[ItemFormat, ...] = (youtube.FORMAT, twitch.FORMAT, flat.FORMAT)

#: Hint for users; it names every format.
SUPPORTED = (
    "supported: JSON from TwitchDownloader, Twitch's API v5, yt-dlp (live_chat) and chat-downloader, and CSV or JSON "
    "lines with a time (offset_s, offset_ms, time, timestamp, created_at: seconds, milliseconds, h:mm:ss or a time of "
    "day), an author and a text"
)
