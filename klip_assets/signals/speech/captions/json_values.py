"""Transcripts in JSON: read as far as the JSON is intact, its values checked one by one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.formats.text import valid_unicode
from klip_assets.signals.speech.captions.cue_times import seconds_of_clock
from klip_assets.signals.speech.captions.spoken import LONGEST_S

#: A time up to this much before the start is an aligner's rounding error and is clamped to the start.
SLACK_S = 1.0

#: Why a time beyond any recording is refused.
NO_POSITION = "the time is not a position in a video"

_LIMIT_S: ContextVar[float] = ContextVar("limit_s", default=LONGEST_S)
_LONGEST_CLOCK = 40
_MAX_DETAIL = 200
_BLANKS = re.compile(r"[\s,]*")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{},]', re.DOTALL)


class ValueRefused(Exception):  # noqa: N818
    """A value can't be used; holds the reason and what was found."""

    def __init__(self, reason: str, found: object = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = shown(found)


@contextmanager
def any_time() -> Iterator[None]:
    """While this is open, times beyond any recording are read: their unit may be another."""
    token = _LIMIT_S.set(math.inf)
    try:
        yield
    finally:
        _LIMIT_S.reset(token)


def read_json(text: str, name: str) -> tuple[Any, list[Refused]]:
    """Read a JSON document. If it is damaged, the elements before the damage are kept.

    Args:
        text: The whole file.
        name: Its name, for messages.

    Returns:
        The document, and the damage.

    Raises:
        UnreadableSidecarError: It is not JSON at all, or nested too deeply.
    """
    try:
        return _loads(text), []
    except json.JSONDecodeError as error:
        damage = error
    except RecursionError:
        raise UnreadableSidecarError(f"{name}: JSON nested too deeply for a transcript") from None
    if damage.msg == "Extra data" and (documents := _one_after_another(text)):
        return documents, []
    whole = _up_to(text, damage.pos)
    if whole is None:
        raise UnreadableSidecarError(f"{name}: not JSON: {damage.msg} in line {damage.lineno}")
    try:
        document = _loads(whole)
    except (json.JSONDecodeError, RecursionError):
        raise UnreadableSidecarError(f"{name}: not JSON: {damage.msg} in line {damage.lineno}") from None
    where = f"line {damage.lineno}, column {damage.colno}"
    return document, [Refused(where, "damaged JSON; everything before was read", damage.msg)]


def seconds_of(value: object, *, per_second: float = 1.0) -> float:
    """Return a time in seconds from the start.

    Args:
        value: A number, or one as text, or a clock time.
        per_second: Units per second.

    Raises:
        ValueRefused: It is not a position in a video.
    """
    number = _number(value)
    if number is None and isinstance(value, str) and ":" in value and len(value) <= _LONGEST_CLOCK:
        number, per_second = seconds_of_clock(value), 1.0
    if number is None:
        raise ValueRefused("no time" if value is None else "unreadable time", value)
    seconds = number / per_second
    if not -SLACK_S <= seconds <= _LIMIT_S.get():
        raise ValueRefused(NO_POSITION, value)
    return max(0.0, seconds)


def times_of(entry: Mapping[str, Any], *, per_second: float = 1.0) -> tuple[float, float]:
    """Return `start` and `end` of an entry in seconds.

    Raises:
        ValueRefused: One is missing or not a time, or the end comes first.
    """
    start_s = seconds_of(entry.get("start"), per_second=per_second)
    end_s = seconds_of(entry.get("end"), per_second=per_second)
    if end_s < start_s:
        raise ValueRefused("ends before it starts", f"{start_s} to {end_s} s")
    return start_s, end_s


def confidence_of(entry: Mapping[str, Any], *names: str, highest: float = 1.0) -> float | None:
    """Return the first of these entries that is a number, scaled from 0..highest to 0..1; None if none is."""
    for name in names:
        number = _number(entry.get(name))
        if number is not None:
            return min(1.0, max(0.0, number / highest))
    return None


def text_of(entry: Mapping[str, Any], *names: str) -> str:
    """Return the first of these entries that is text.

    Raises:
        ValueRefused: None of them is.
    """
    for name in names:
        value = entry.get(name)
        if isinstance(value, str):
            return valid_unicode(value)
    raise ValueRefused("no text", entry)


def entries_of(value: object, path: str, refused: list[Refused]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the objects of a list, each with its path, such as 'segments[3]'; anything else in it is refused."""
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        where = f"{path}[{index}]"
        if isinstance(entry, dict):
            yield where, entry
        else:
            refused.append(Refused(where, "not an object", shown(entry)))


def shown(value: object) -> str:
    """Return a value as shown in a message."""
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)[: 2 * _MAX_DETAIL]
    return valid_unicode(text)[:_MAX_DETAIL]


def _number(value: object) -> float | None:
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def _loads(text: str) -> Any:
    # Python rejects integers with thousands of digits with a different error.
    return json.loads(text, strict=False, parse_int=lambda digits: int(digits) if len(digits) < 20 else float(digits))


def _one_after_another(text: str) -> list[Any]:
    """Return the objects of a file that has several, as JSON lines or without anything between; [] if it has not."""
    decoder, found, place = json.JSONDecoder(strict=False), [], 0
    try:
        while place < len(text):
            document, place = decoder.raw_decode(text, place)
            if not isinstance(document, dict):
                return []
            found.append(document)
            place = _BLANKS.match(text, place).end()  # type: ignore[union-attr]  # It matches nothing, too.
    except (json.JSONDecodeError, RecursionError, ValueError):
        return []
    return found


def _up_to(text: str, damaged_at: int) -> str | None:
    """Return the document cut after the last list element before the damage, and closed; None if there is none."""
    # The open brackets as a linked list, so that saving them costs nothing.
    open_brackets: tuple[Any, str] | None = None
    best: tuple[int, tuple[Any, str] | None] | None = None
    for token in _TOKEN.finditer(text, 0, damaged_at):
        sign = token[0]
        if sign in "[{":
            open_brackets = (open_brackets, "]" if sign == "[" else "}")
        elif sign in "]}":
            if open_brackets is None or open_brackets[1] != sign:
                break
            open_brackets = open_brackets[0]
        if (sign in ",]}") and open_brackets is not None and open_brackets[1] == "]":
            best = (token.start() if sign == "," else token.end(), open_brackets)
        if sign in "]}" and open_brackets is not None and open_brackets[1] == "}":
            best = (token.end(), open_brackets)
    if best is None:
        return None
    end, opened = best
    closing = []
    while opened is not None:
        closing.append(opened[1])
        opened = opened[0]
    return text[:end] + "".join(closing)
