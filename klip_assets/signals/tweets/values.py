"""Single values of a tweet as found in files: ids, times, text."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta

from klip_assets.formats.refused import RowRefused
from klip_assets.formats.text import valid_unicode
from klip_assets.signals.tweets.notices import is_notice
from klip_assets.signals.tweets.snowflake import is_tweet_id

#: The longest posts of X have 25,000 characters.
MAX_TEXT_CHARS = 25_000

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_ROUNDED = re.compile(r"[0-9]{1,40}(?:[.,][0-9]{1,40})?[eE]\+?[0-9]{1,9}|[0-9]{16,40}[.,]0{1,40}")
_STATUS_URL = re.compile(r"/status(?:es)?/([0-9]+)")
_ABSENT = frozenset({"", "na", "n/a", "nan", "none", "null", "nil", "-", "\\n"})
_AMERICAN = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?:,?\s{1,9}(\d{1,2}):(\d{2})(?::(\d{2}))?\s{0,9}([AaPp][Mm])?)?"
    r"(?:\s{0,9}(?:UTC|GMT|Z))?"
)
#: No time is written with more characters; a longer text is not one, whatever it begins with.
_LONGEST_TIME_CHARS = 99


def is_absent(value: object) -> bool:
    """Return whether a value means missing: NULL, blank, 'NA', 'NaN' and the like."""
    return value is None or (isinstance(value, str) and value.strip().casefold() in _ABSENT)


def tweet_id_of(value: object, url: object = None) -> str:
    """Return a tweet's id from the id column, or else from the tweet's URL.

    Raises:
        RowRefused: There is none, or a spreadsheet has rounded it.
    """
    problem = RowRefused("no tweet id")
    if not is_absent(value):
        text = _bare(value)
        if is_tweet_id(text):
            return text
        problem = RowRefused("not a tweet id", shown(value))
        if isinstance(value, float) or _ROUNDED.fullmatch(text):
            problem = RowRefused("tweet id rounded by a spreadsheet, the exact id is lost", shown(value))
    if isinstance(url, str) and (found := _STATUS_URL.search(url)) and is_tweet_id(found[1]):
        return found[1]
    raise problem


def other_id_of(value: object) -> str | None:
    """Return the id of something a tweet refers to; None where it is absent or not an id."""
    if is_absent(value) or isinstance(value, bool | float):
        return None
    text = _bare(value)
    if found := _STATUS_URL.search(text):
        text = found[1]
    return text if is_tweet_id(text) else None


def time_of(value: object) -> datetime | None:
    """Return a time as naive UTC; a time without a zone is taken as UTC. None if it can't be parsed.

    Understands ISO 8601, the format of API 1.1 ('Wed Aug 27 13:08:45 +0000 2008'), month/day/year as in American
    spreadsheets, and seconds or milliseconds since 1970.
    """
    if isinstance(value, bool) or is_absent(value):
        return None
    text = str(value).strip()
    if len(text) > _LONGEST_TIME_CHARS:
        return None
    try:
        if re.fullmatch(r"[0-9]{10}(?:[0-9]{3})?(?:\.[0-9]+)?", text) and text.isascii():
            seconds = float(text) / (1000 if len(text.partition(".")[0]) == 13 else 1)
            return datetime(1970, 1, 1) + timedelta(seconds=round(seconds, 3))
        if found := _AMERICAN.fullmatch(text):
            return _american(found)
        if text[:3].isalpha():
            return _as_utc(datetime.strptime(text, "%a %b %d %H:%M:%S %z %Y"))
        return _as_utc(datetime.fromisoformat(text.removesuffix(" UTC")))
    except (ValueError, OverflowError):
        return None


def text_of_tweet(value: object) -> str:
    """Return a tweet's text with HTML entities resolved, once.

    Only complete entities are resolved: '&region=' in a link is kept.

    Raises:
        RowRefused: There is no text, or one of X's notices in its place.
    """
    if not isinstance(value, str):
        raise RowRefused("no text", "" if value is None else f"the text is {shown(value)}")
    text = valid_unicode(value)
    text = valid_unicode(_ENTITY.sub(lambda found: html.unescape(found[0]), text)) if "&" in text else text
    if is_notice(text):
        raise RowRefused("a notice of X in the place of the text", shown(text))
    return text


def name_of(value: object) -> str | None:
    """Return a name or code, stripped; None where it is absent."""
    if is_absent(value) or not isinstance(value, str | int) or isinstance(value, bool):
        return None
    return valid_unicode(str(value).strip())


def user_name_of(value: object) -> str | None:
    """Return a user name without @; None where it is absent."""
    name = name_of(value)
    return (name.lstrip("@＠") or None) if name else None


def flag_of(value: object) -> bool | None:
    """Return a truth value; None where it is absent or can't be parsed."""
    if isinstance(value, bool):
        return value
    said = str(value).strip().casefold()
    return True if said in {"true", "t", "yes", "1"} else False if said in {"false", "f", "no", "0"} else None


def shown(value: object) -> str:
    """Return a value as shown in a message: short, on one line."""
    text = valid_unicode(
        value if isinstance(value, str) else type(value).__name__ if _is_nested(value) else repr(value)[:99]
    )
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def _is_nested(value: object) -> bool:
    return isinstance(value, dict | list)


def _bare(value: object) -> str:
    """Return an id as text, without what spreadsheets put around it: ="123", '123."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        return ""
    text = text.strip()
    if text.startswith("=") and text.endswith('"'):
        text = text[1:]
    return text.strip("\"'")


def _american(found: re.Match[str]) -> datetime:
    month, day, year, hour, minute, second, half = found.groups()
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            raise ValueError("hour of a 12-hour clock")
        hours = hours % 12 + (12 if half.casefold() == "pm" else 0)
    full_year = int(year) + (2000 if len(year) == 2 else 0)
    return datetime(full_year, int(month), int(day), hours, int(minute or 0), int(second or 0))


def _as_utc(time: datetime) -> datetime:
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
