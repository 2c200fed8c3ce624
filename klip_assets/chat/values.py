"""Single values of a chat log, and the names its columns go by.

Put here: offsets, emote lists, synonyms of columns. Keep out: the shapes of files (`chat.readers`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from klip_assets.refused import RowRefused
from klip_assets.textfile import sound

#: What a message needs, and the names it goes by, the surest first.
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "offset_s": (
        "offset_s", "content_offset_seconds", "time_in_seconds", "offset_seconds", "offset", "seconds", "time",
        "timestamp", "video_offset", "time_text",
    ),
    "author": ("author", "user_name", "username", "user", "name", "display_name", "commenter", "author_name", "nick"),
    "text": ("text", "message", "body", "content", "comment", "msg"),
    "emotes": ("emotes", "emoticons", "emote"),
}  # fmt: skip

#: No stream is longer; a larger number is a date, not a place in a video.
LONGEST_S = 1_000_000.0

_CLOCK = re.compile(r"([-+−]?)(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2}(?:[.,]\d+)?)")
_UNITS = re.compile(r"([-+−]?)(?:(\d{1,6})h)?\s*(?:(\d{1,6})m)?\s*(?:(\d{1,9}(?:\.\d+)?)s)?")


def columns_of(names: list[str]) -> dict[str, str]:
    """Return what each known column is called among these names."""
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(re.sub(r"[^a-z0-9]+", "_", name.strip().lstrip("\ufeff").casefold()).strip("_"), name)
    found = {
        wanted: next((by_plain[synonym] for synonym in synonyms if synonym in by_plain), None)
        for wanted, synonyms in SYNONYMS.items()
    }
    return {wanted: name for wanted, name in found.items() if name is not None}


def offset_of(value: object) -> float:
    """Return a place in the video in seconds: a number, h:mm:ss, m:ss or 1h2m3s; before the start it is negative.

    Raises:
        RowRefused: It is none of these.
    """
    seconds = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) if abs(value) < LONGEST_S else math.inf
    elif isinstance(value, str):
        seconds = _seconds_of_text(value.strip().strip("[]()").strip())
    if math.isnan(seconds):
        raise RowRefused("no time in the video" if value in (None, "") else "time not understood", _shown(value))
    if abs(seconds) > LONGEST_S:
        raise RowRefused("the time is no place in a video", _shown(value))
    return seconds


def emotes_of_value(value: object) -> list[str] | None:
    """Return a list of emotes from what a file gives: a list of names or objects, or text; None where it gives none."""
    if isinstance(value, str):
        text = value.strip()
        if text.startswith("["):
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                value = [part.strip(" '\"") for part in text.strip("[]").split(",")]
        else:
            value = [part for part in re.split(r"[\s,;|]+", text) if part]
    if not isinstance(value, list):
        return None
    names = [item.get("name") or item.get("text") if isinstance(item, dict) else item for item in value]
    return [sound(name) for name in names if isinstance(name, str) and name]


def name_of(value: object) -> str | None:
    """Return an author's name: text, or an object with a name; None where it is absent."""
    if isinstance(value, dict):
        value = value.get("display_name") or value.get("name")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        value = str(value)
    if not isinstance(value, str):
        return None
    return sound(value.strip()) or None


def text_of(value: object) -> str:
    """Return the text of a message, which may be empty.

    Raises:
        RowRefused: There is none.
    """
    if not isinstance(value, str):
        raise RowRefused("no text", "" if value is None else f"a {type(value).__name__}")
    return sound(value)


def _seconds_of_text(text: str) -> float:
    if re.fullmatch(r"[-+]?\d{1,18}(?:[.,]\d*)?(?:s|sec)?", text) and text.isascii():
        return float(text.rstrip("sec").replace(",", "."))
    found = _CLOCK.fullmatch(text) or _UNITS.fullmatch(text)
    if found is None or not any(found.groups()[1:]):
        return math.nan
    sign, hours, minutes, seconds = found.groups()
    total = int(hours or 0) * 3600 + int(minutes or 0) * 60 + float((seconds or "0").replace(",", "."))
    return -total if sign in ("-", "−") else total


def _shown(value: object) -> str:
    text = sound(value) if isinstance(value, str) else repr(value) if isinstance(value, float) else type(value).__name__
    return " ".join(text.split())[:60]
