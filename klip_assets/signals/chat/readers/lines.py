"""Logs of lines of text, as TwitchDownloader, Chatterino, tcd and IRC clients write: a time, an author, a text.

[0:01:05] Ann: hello            [18:00:05] ann: hello          [2026-06-13 18:00:05 UTC] Ann: hello
[0:01:05] <Ann> hello           18:00:05 <ann> hello           0:05 | (Moderator) Ann: hello
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from klip_assets.formats.refused import Refused, RowRefused
from klip_assets.formats.text import BrokenRecord, valid_unicode
from klip_assets.signals.chat.lexicon import emotes_of_words, is_bot_message
from klip_assets.signals.chat.readers.log import NO_MESSAGE, Message, PassedOver
from klip_assets.signals.chat.times import Time, time_of
from klip_assets.signals.chat.values import spelled_out, text_of

#: No line has a longer time in front, and no platform longer names.
_LONGEST_TIME, _LONGEST_NAME = 40, 80

_BADGES = re.compile(r"\((?:[^()]{1,60})\)\s{1,9}")
#: A name ends at a tab or at a colon with a blank behind it: "12:30 is lunch" has none.
_NAME_ENDS = re.compile(r"\t|:(?=\s|$)")
_COMMENT = ("#", "//", ";", "---", "***")


class _Line(NamedTuple):
    time: Time
    author: str | None
    text: str


def is_log(lines: Iterable[str | BrokenRecord]) -> bool:
    """Return whether the first line that is no comment has a time, an author and a text."""
    for line in lines:
        if isinstance(line, BrokenRecord):
            return False
        if not _is_comment(line):
            parsed = _parsed(line)
            return parsed is not None and parsed.author is not None
    return False


def read_lines(lines: Iterable[str | BrokenRecord]) -> Iterator[Message | Refused | PassedOver]:
    """Read the lines of a log, as `bounded_lines` yields them.

    Lines with a time but no author (joins, bans) and comments are passed over.
    """
    for number, line in enumerate(lines, start=1):
        position = f"line {number}"
        if isinstance(line, BrokenRecord):
            yield Refused(position, line.reason, "")
        elif not _is_comment(line):
            yield _read(position, line)


def _read(position: str, line: str) -> Message | Refused | PassedOver:
    parsed = _parsed(line)
    if parsed is None:
        return Refused(position, NO_MESSAGE, "no time in front")
    if parsed.author is None:
        return PassedOver("notice")
    try:
        text, spelled = spelled_out(text_of(parsed.text))
    except RowRefused as refusal:
        return Refused(position, refusal.reason, refusal.detail)
    author = valid_unicode(parsed.author)
    emotes = spelled or emotes_of_words(text)
    return Message(position, parsed.time, author, None, text, emotes, is_bot_message(text, author.removeprefix("@")))


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip("\ufeff ").startswith(_COMMENT)


def _parsed(line: str) -> _Line | None:
    line = line.strip("\r\n\ufeff ")
    time, rest = _time_in_front(line)
    if time is None:
        return None
    rest = rest.lstrip("|\t ")
    if badges := _BADGES.match(rest[:_LONGEST_NAME]):
        rest = rest[badges.end() :]
    if rest.startswith("<"):
        author, closing, _ = rest[1 : _LONGEST_NAME + 2].partition(">")
        return _Line(time, author.strip(" @+%~&") or None, rest[len(author) + 2 :].strip()) if closing else None
    head = rest[:_LONGEST_NAME]
    named = _NAME_ENDS.search(head)
    at = named.start() if named and not rest.startswith("*") else -1
    author = head[:at].strip() if at > 0 else ""
    return _Line(time, author or None, rest[at + 1 :].strip())


def _time_in_front(line: str) -> tuple[Time | None, str]:
    head = line[:_LONGEST_TIME]
    if line[:1] in ("[", "("):
        end = head.find("]" if line[0] == "[" else ")")
        return (_time(head[1:end]), line[end + 1 :]) if end > 0 else (None, line)
    bar = min((at for at in (head.find("|"), head.find("\t")) if at > 0), default=-1)
    if bar > 0 and (time := _time(head[:bar])) is not None:
        return time, line[bar:]
    # "18:00:05 <ann>", "6:00:05 PM <ann>" and "2026-06-13 18:00:05 <ann>": as many words as make a time.
    words = head.split(" ", 3)
    for count in range(min(3, len(words) - 1), 0, -1):
        front = " ".join(words[:count])
        if ":" in front and (time := _time(front)) is not None:
            return time, line[len(front) :]
    return None, line


def _time(text: str) -> Time | None:
    try:
        return time_of(text.strip())
    except RowRefused:
        return None
