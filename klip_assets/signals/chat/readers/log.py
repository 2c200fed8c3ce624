"""Collects the messages of one log, and places them in the video once all of them are known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import CHAT_MESSAGES
from klip_assets.formats.refused import MAX_LISTED, Refused, listed
from klip_assets.signals.chat.sentiment import message_scores
from klip_assets.signals.chat.times import BEFORE_AND_AFTER_S, LONGEST_S, Kind, Time, are_milliseconds, seconds_at

#: Even chats that run for days have only some hundred thousand messages.
MAX_MESSAGES = 1_000_000
#: Refusals that are listed individually.
MAX_REFUSED = MAX_LISTED
#: Kinds of non-messages that are counted by name.
MAX_KINDS = 100

#: Refusal reason that hints at a file of another kind.
NO_MESSAGE = "not a message"

_MESSAGES_PER_PIECE = 20_000
_READ = ("offset_s", "author", "text", "emotes", "is_bot", "sentiment")
_PIECE = pa.schema([*(CHAT_MESSAGES.schema.field(name) for name in _READ), pa.field("is_number", pa.bool_())])


class Message(NamedTuple):
    """A message as in the log."""

    position: str
    time: Time
    author: str | None
    author_id: str | None
    text: str
    emotes: list[str]
    is_bot: bool


class PassedOver(NamedTuple):
    """An entry that is not a message: a deletion, a banner, a ticker."""

    kind: str


class End(NamedTuple):
    """Why a log was not read to its end."""

    reason: str
    detail: str


Found = Message | Refused | PassedOver | End


@dataclass(frozen=True)
class Chat:
    """A chat log.

    Attributes:
        messages: Its messages by time, as CHAT_MESSAGES.
        refused: Entries that could not be used.
        passed_over: Kind of entry that is not a message -> count.
        by_day: Number of messages placed by the time of day they were sent.
        shift_s: Where the recording begins in the stream whose clock the log has; it was subtracted from all times.
        after_end: Number of messages that were refused since they were sent after the end of the recording.
        goes_on_s: How long after the end the last of them was sent.
    """

    messages: pa.Table
    refused: list[Refused]
    passed_over: Mapping[str, int] = field(default_factory=dict)
    by_day: int = 0
    shift_s: float = 0.0
    after_end: int = 0
    goes_on_s: float = 0.0


class Log:
    """Messages in compact pieces: as Python objects, a long chat would fill the memory.

    Args:
        started_at: When the video began, None if unknown.
        until_s: When the recording ends on the clock of the stream it is a part of, None if unknown.
        author_key: Maps an author, "id:..." or "name:...", to what is stored; None to store names.
    """

    def __init__(
        self, started_at: datetime | None, until_s: float | None, author_key: Callable[[str], str] | None
    ) -> None:
        self.count = 0
        self.by_day = 0
        self.refused_in_all = 0
        self.strangers = 0
        self.without_day: list[Refused] = []
        self.without_day_in_all = 0
        self.passed_over: Counter[str] = Counter()
        self._start = None if started_at is None else seconds_at(started_at)
        self._until_s = until_s
        self._author_key = author_key
        self._authors: dict[str, str] = {}
        self._refused: list[Refused] = []
        self._large: list[Refused] = []
        self._end: list[Refused] = []
        self._waiting: list[tuple[object, ...]] = []
        self._pieces: list[pa.Table] = []

    @property
    def is_full(self) -> bool:
        """Whether the limit of messages is reached."""
        return max(self.count, self.refused_in_all, self.without_day_in_all) >= MAX_MESSAGES

    @property
    def first_refused(self) -> Refused | None:
        """The first refusal, None if there is none."""
        return next(iter(self._refused), None)

    def add(self, found: Found) -> None:
        """Add what a reader found."""
        if isinstance(found, Message):
            self._add(found)
        elif isinstance(found, Refused):
            self.strangers += found.reason == NO_MESSAGE
            self._refuse(found)
        elif isinstance(found, PassedOver):
            known = found.kind in self.passed_over or len(self.passed_over) < MAX_KINDS
            self.passed_over[found.kind if known else "other"] += 1
        else:
            self.end(found.reason, found.detail)

    def end(self, reason: str, detail: str) -> None:
        """Record why the log was not read to its end."""
        self._end = [Refused("end of file", reason, detail)]

    def chat(self, video_id: str) -> Chat:
        """Return all messages by time; those with equal times in file order."""
        self._pack()
        rows = pa.concat_tables(self._pieces)
        offset_s = rows["offset_s"].to_numpy()
        is_number = rows["is_number"].to_numpy()
        if are_milliseconds(offset_s[is_number], self._until_s):
            offset_s = np.where(is_number, offset_s / 1000, offset_s)
        usable = np.abs(offset_s) <= LONGEST_S
        if not usable.all():
            for refused in self._large:
                self._refuse(refused)
            self.refused_in_all += int(np.count_nonzero(~usable)) - len(self._large)
        order = np.argsort(offset_s, kind="stable")
        order = order[usable[order]]
        self.count = len(order)
        for refused in self.without_day:
            self._refuse(refused)
        self.refused_in_all += self.without_day_in_all - len(self.without_day)
        rows = rows.set_column(0, "offset_s", pa.array(offset_s)).take(pa.array(order))
        columns: dict[str, object] = {name: rows[name].combine_chunks() for name in _READ}
        columns["video_id"] = pa.repeat(pa.scalar(video_id), len(order))
        columns["message_index"] = pa.array(np.arange(len(order)), pa.int32())
        return Chat(CHAT_MESSAGES.from_columns(columns), self.all_refused(), dict(self.passed_over), self.by_day)

    def all_refused(self, *outside: Refused) -> list[Refused]:
        """Return what is to be listed as refused, with entries for what lies outside the recording."""
        return listed(self._refused, self.refused_in_all, end=[*self._end, *outside], most=MAX_REFUSED)

    def is_elsewhere(self, chat: Chat) -> bool:
        """Return whether all messages were placed by time of day, and none of them near the video."""
        if not self.by_day or self.by_day < self.count or not self._until_s:
            return False
        offset_s = chat.messages["offset_s"]
        near = pc.and_(
            pc.greater_equal(offset_s, -BEFORE_AND_AFTER_S),
            pc.less_equal(offset_s, self._until_s + BEFORE_AND_AFTER_S),
        )
        return not pc.any(near).as_py()

    def _add(self, message: Message) -> None:
        seconds, kind = message.time
        if kind is Kind.DAY:
            if self._start is None:
                self.without_day_in_all += 1
                if len(self.without_day) < MAX_REFUSED:
                    reason = "has only a time of day, and the start time of the video is unknown"
                    self.without_day.append(Refused(message.position, reason, ""))
                return
            # As a double, seconds since 1970 are accurate to a quarter of a microsecond.
            seconds = round(seconds - self._start, 6)
            if abs(seconds) > LONGEST_S:
                detail = f"{abs(seconds) / 86_400:,.1f} days {'before' if seconds < 0 else 'after'} it began"
                self._refuse(Refused(message.position, "not sent at the time of the video", detail))
                return
            self.by_day += 1
        elif abs(seconds) > LONGEST_S and len(self._large) < MAX_REFUSED:
            # Refused if the numbers of this log turn out to be seconds.
            self._large.append(Refused(message.position, "the time is not a position in a video", f"{seconds:g}"))
        self.count += 1
        _, _, author, author_id, text, emotes, is_bot = message
        self._waiting.append((seconds, self._stored(author, author_id), text, emotes, is_bot, kind is Kind.NUMBER))
        if len(self._waiting) == _MESSAGES_PER_PIECE:
            self._pack()

    def _stored(self, author: str | None, author_id: str | None) -> str | None:
        if self._author_key is None:
            return author
        if author_id:
            who = f"id:{author_id}"
        elif author:
            who = f"name:{author.casefold()}"
        else:
            return None
        if who not in self._authors:
            self._authors[who] = self._author_key(who)
        return self._authors[who]

    def _refuse(self, refused: Refused) -> None:
        self.refused_in_all += 1
        if len(self._refused) < MAX_REFUSED:
            self._refused.append(refused)

    def _pack(self) -> None:
        offset_s, author, text, emotes, is_bot, is_number = (
            zip(*self._waiting, strict=True) if self._waiting else [()] * 6
        )
        sentiment = message_scores(None if bot else said for said, bot in zip(text, is_bot, strict=True))
        columns = [offset_s, author, text, emotes, is_bot, sentiment, is_number]
        arrays = [pa.array(values, kind.type) for values, kind in zip(columns, _PIECE, strict=True)]
        self._pieces.append(pa.Table.from_arrays(arrays, schema=_PIECE))
        self._waiting = []
