"""Single values of a chat log, and the names of its columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from klip_assets.formats.refused import RowRefused
from klip_assets.formats.text import valid_unicode
from klip_assets.signals.chat.lexicon import emotes_of_words
from klip_assets.signals.chat.times import Kind, Time, time_of, time_of_day

#: Platforms allow 200 to 500 characters.
MAX_TEXT_CHARS = 2_000

#: Fields of a message besides its time, and their synonyms, the most certain first.
SYNONYMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "author": (
            "author", "user_name", "username", "user", "name", "display_name", "commenter", "author_name", "nick",
            "author_display_name", "login", "user_login", "sender", "chatter", "nickname", "handle", "screen_name",
            "user_info", "from", "from_user", "sender_name", "chatter_name", "member", "account", "profile", "identity",
            "author_details", "writer", "viewer",
        ),
        "author_id": (
            "author_id", "user_id", "author_channel_id", "author_external_channel_id", "commenter_id", "sender_id",
            "chatter_id",
        ),
        "message_id": ("message_id", "msg_id", "comment_id", "uuid"),
        "text": ("text", "message", "body", "content", "comment", "msg", "message_text"),
        "emotes": ("emotes", "emoticons", "emote"),
        "type": ("message_type",),
    }
)  # fmt: skip

# "offset_s", "content_offset_seconds", "videoOffsetTimeMsec", "time_in_seconds", "timestamp (ms)", "time", ...
_PLACE = re.compile(
    r"(?:(?:content|video|vod|stream|chat|message)_)?(?P<what>offset|time|timestamp)(?:_time)?(?:_in)?(?:_(?P<unit>\w+))?"
)
_UNITS: Mapping[str, float] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "usec", "usecs", "micros", "microsecond", "microseconds"), 1e-6),
}
_DAYS = (
    "created_at", "published_at", "sent_at", "posted_at", "datetime", "date_time", "date", "timestamp_utc", "time_utc",
    "utc_time", "utc", "unix_time", "unix", "epoch",
)  # fmt: skip

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class TimeColumn:
    """A column that says when a message was sent.

    Attributes:
        name: Its name.
        unit: Unit of its numbers in seconds, None if the name does not say.
        of_day: Whether it holds times of day only.
        rank: Order of preference: an offset with a unit, an offset without one, a time of day.
    """

    name: str
    unit: float | None
    of_day: bool
    rank: int


@dataclass(frozen=True)
class Columns:
    """The known columns of a log, or keys of a JSON object.

    Attributes:
        times: Columns that hold a time, in order of preference.
        others: Other field of a message (as in `SYNONYMS`) -> name of its column.
        date: Column with the date of a time that lacks one, None if there is none.
    """

    times: tuple[TimeColumn, ...]
    others: Mapping[str, str]
    date: str | None = None

    @property
    def make_a_message(self) -> bool:
        """Whether there is a time and a text."""
        return bool(self.times) and "text" in self.others

    def time(self, fields: Mapping[str, object]) -> Time:
        """Return the time of a message.

        Raises:
            RowRefused: No column holds one, or the first that is filled holds something else.
        """
        for column in self.times:
            value = fields.get(column.name)
            if value is None or value == "":
                continue
            if column.of_day:
                return time_of_day(value)
            if self.date and isinstance(value, str) and _DAY.fullmatch(day := str(fields.get(self.date)).strip()):
                return time_of_day(f"{day}T{value.strip()}")
            return time_of(value, column.unit)
        raise RowRefused("no time")

    def sent_s(self, fields: Mapping[str, object]) -> float | None:
        """Return when a message was sent, in seconds since 1970, if a column says so besides an offset."""
        for column in self.times:
            value = fields.get(column.name)
            if value is None or value == "":
                continue
            try:
                found = time_of_day(value) if column.of_day else time_of(value, column.unit)
            except RowRefused:
                continue
            if found.kind is Kind.DAY:
                return found.value
        return None


def columns_of(names: Iterable[str]) -> Columns:
    """Return the known columns among these names."""
    return _columns_of(tuple(names))


@lru_cache(maxsize=1024)
def _columns_of(names: tuple[str, ...]) -> Columns:
    by_plain: dict[str, str] = {}
    for name in names:
        by_plain.setdefault(_plain(name), name)
    times = [found for plain, name in by_plain.items() if (found := _time_column(plain, name))]
    others = {
        field: next((by_plain[synonym] for synonym in synonyms if synonym in by_plain), None)
        for field, synonyms in SYNONYMS.items()
    }
    return Columns(
        times=tuple(sorted(times, key=lambda column: column.rank)),
        others={field: name for field, name in others.items() if name is not None},
        date=by_plain.get("date") if "time" in by_plain else None,
    )


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    # "videoOffsetTimeMsec" -> "video_offset_time_msec", "Author Name" and "author.name" -> "author_name"
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip().lstrip("\ufeff"))
    return re.sub(r"[^a-z0-9]+", "_", spaced.casefold()).strip("_")


def _time_column(plain: str, name: str) -> TimeColumn | None:
    if plain in _DAYS:
        return TimeColumn(name, None, True, 6)
    if plain == "seconds":
        return TimeColumn(name, 1.0, False, 0)
    if plain == "time_text":
        return TimeColumn(name, None, False, 4)
    found = _PLACE.fullmatch(plain)
    if found is None or (found["unit"] and found["unit"] not in _UNITS):
        return None
    unit = _UNITS[found["unit"]] if found["unit"] else None
    if found["what"] == "timestamp":
        return TimeColumn(name, unit, False, 5)
    return TimeColumn(name, unit, False, 0 if unit == 1.0 else 1 if unit else 2 if found["what"] == "offset" else 3)


def emotes_of_value(value: object, text: str) -> list[str] | None:
    """Return the emotes of a text in order, from a field of the log; None where it gives none.

    Args:
        value: A list of names, the same as text, or a list of objects that each describe one kind of emote.
        text: The message.
    """
    if isinstance(value, str):
        given = value.strip()
        if given.startswith("["):
            try:
                value = json.loads(given)
            except (ValueError, RecursionError):
                value = [part.strip(" '\"") for part in given.strip("[]").split(",")]
        else:
            value = [part for part in re.split(r"[\s,;|]+", given) if part]
    if not isinstance(value, list):
        return None
    kinds = [item for item in value if isinstance(item, dict)]
    if not kinds:
        return [valid_unicode(name) for name in value if isinstance(name, str) and name]
    # Chat-downloader lists emoji such as a heart among YouTube's emotes, with a flag to tell them apart.
    names = {_name_of_kind(kind) for kind in kinds if kind.get("is_custom_emoji") is not False}
    return _emotes_named(frozenset(name for name in names if name), text)


def _name_of_kind(kind: Mapping[str, object]) -> str | None:
    name = kind.get("name") or kind.get("text")
    return valid_unicode(name) if isinstance(name, str) else None


def _emotes_named(names: frozenset[str], text: str) -> list[str]:
    """Return these names where they occur in a text, and the known emotes among the words between."""
    if not names:
        return emotes_of_words(text)
    found: list[str] = []
    for n, piece in enumerate(_splitter(names).split(text)):
        found += [piece] if n % 2 else emotes_of_words(piece)
    return found


@lru_cache(maxsize=4096)
def _splitter(names: frozenset[str]) -> re.Pattern[str]:
    # ":_hi:" ends at its colon, "LUL" only at a space: it is not part of "LULW".
    forms = [
        re.escape(name) if len(name) > 2 and name[0] == name[-1] == ":" else rf"(?<!\S){re.escape(name)}(?!\S)"
        for name in sorted(names, key=lambda name: (-len(name), name))
    ]
    return re.compile(f"({'|'.join(forms)})")


#: Keys of the name in an object that describes an author, the one shown in the chat first; and of objects in it.
_NAMES = (
    "display_name", "nickname", "name", "simple_text", "username", "user_name", "login", "nick", "screen_name",
    "handle", "slug",
)  # fmt: skip
_NESTED = ("identity", "user", "author", "sender", "profile", "info", "data")


def name_of(value: object, *, depth: int = 3) -> str | None:
    """Return an author's name: text, or an object with a name in it or in an object inside; None where it is absent.

    Args:
        value: The text or object.
        depth: How many objects may lie inside each other.
    """
    if not isinstance(value, dict):
        return id_of(value)
    if not depth:
        return None
    fields = {_plain(key): found for key, found in value.items() if isinstance(key, str)}
    for key in _NAMES:
        if name := id_of(fields.get(key)):
            return name
    inside = (holder for key in _NESTED if isinstance(holder := fields.get(key), dict))
    return next((name for holder in inside if (name := name_of(holder, depth=depth - 1))), None)


#: An emote as Kick writes it into the text: "[emote:37226:KEKW]".
_EMOTE = re.compile(r"\[emote:\d{1,20}:([^\s\[\]:]{1,100})\]")


def spelled_out(text: str) -> tuple[str, list[str]]:
    """Return a text with the names of emotes for their codes, "[emote:37226:KEKW]", and those names in order."""
    if "[emote:" not in text:
        return text, []
    # Codes may follow each other without a blank.
    spaced = _EMOTE.sub(lambda found: f" {found[1]} ", text)
    return " ".join(spaced.split()), _EMOTE.findall(text)


def id_of(value: object) -> str | None:
    """Return a number or text as text, None for anything else or empty text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        value = str(value)
    if not isinstance(value, str):
        return None
    return valid_unicode(value.strip()) or None


def text_of(value: object) -> str:
    """Return the text of a message, which may be empty.

    Raises:
        RowRefused: There is none, or it is longer than any platform allows.
    """
    if not isinstance(value, str):
        raise RowRefused("no text", "" if value is None else f"a {type(value).__name__}")
    if len(value) > MAX_TEXT_CHARS:
        raise RowRefused("too long for a chat message", f"{len(value):,} characters, at most {MAX_TEXT_CHARS:,}")
    return valid_unicode(value)
