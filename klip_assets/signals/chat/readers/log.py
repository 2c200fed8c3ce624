"""Collects the messages of one log; where they lie in the video is found once all of them are known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable
from datetime import datetime
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from klip_assets.contracts import CHAT_MESSAGES
from klip_assets.formats.refused import MAX_LISTED, Refused, listed
from klip_assets.signals.chat.sentiment import message_scores
from klip_assets.signals.chat.times import LONGEST_S, Kind, Time, seconds_at

#: Even chats that run for days have only some hundred thousand messages.
MAX_MESSAGES = 1_000_000
#: Refusals that are listed individually.
MAX_REFUSED = MAX_LISTED
#: Kinds of non-messages that are counted by name.
MAX_KINDS = 100

#: Refusal reason that hints at a file of another kind.
NO_MESSAGE = "not a message"

#: Kind of entry that repeats a message: programs that connect again get the last ones once more.
DELIVERED_AGAIN = "delivered again"

_MESSAGES_PER_PIECE = 20_000
_READ = ("offset_s", "author", "text", "emotes", "is_bot", "sentiment")
#: Besides what is stored: of what kind a time is, and when a message was sent, from the start of the video by the day.
_PIECE = pa.schema(
    [
        *(CHAT_MESSAGES.schema.field(name) for name in _READ),
        pa.field("kind", pa.int8()),
        pa.field("sent_s", pa.float64()),
    ]
)
KINDS = tuple(Kind)


class Message(NamedTuple):
    """A message as in the log.

    Attributes:
        identity: What only this message has: where a log has it again with the same author and text, it is the same
            message, delivered again. None if the log gives nothing of the kind.
        sent_s: When it was sent, in seconds since 1970, if the log says so besides its place in the video.
    """

    position: str
    time: Time
    author: str | None
    author_id: str | None
    text: str
    emotes: list[str]
    is_bot: bool
    identity: Hashable | None = None
    sent_s: float | None = None


class PassedOver(NamedTuple):
    """An entry that is not a message: a deletion, a banner, a ticker."""

    kind: str


class End(NamedTuple):
    """Why a log was not read to its end."""

    reason: str
    detail: str


Found = Message | Refused | PassedOver | End


class Times(NamedTuple):
    """When the messages of a log were sent, in file order.

    Attributes:
        value: The times as in the log, those by the day in seconds from the start of the video.
        kind: Index of their kind in `KINDS`.
        sent_s: Seconds from the start of the video by the time of day; NaN where it is unknown.
    """

    value: np.ndarray
    kind: np.ndarray
    sent_s: np.ndarray

    def are(self, kind: Kind) -> np.ndarray:
        """Return which times are of a kind."""
        return np.asarray(self.kind == KINDS.index(kind))


class Log:
    """Messages in compact pieces: as Python objects, a long chat would fill the memory.

    Args:
        started_at: When the video began, None if unknown.
        author_key: Maps an author, "id:..." or "name:...", to what is stored; None to store names.
    """

    def __init__(self, started_at: datetime | None, author_key: Callable[[str], str] | None) -> None:
        self.count = 0
        self.by_day = 0
        self.refused_in_all = 0
        self.strangers = 0
        self.without_day: list[Refused] = []
        self.without_day_in_all = 0
        self.passed_over: Counter[str] = Counter()
        self._start = None if started_at is None else seconds_at(started_at)
        self._author_key = author_key
        self._authors: dict[str, str] = {}
        self._identities: set[int] = set()
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

    def rows(self) -> tuple[pa.Table, Times]:
        """Return all messages in file order, with the columns of CHAT_MESSAGES that the log has, and their times."""
        self._pack()
        rows = pa.concat_tables(self._pieces).combine_chunks()
        times = Times(*(rows[name].to_numpy() for name in ("offset_s", "kind", "sent_s")))
        return rows.select(_READ), times

    def chat(self, rows: pa.Table, offset_s: np.ndarray, video_id: str) -> pa.Table:
        """Return CHAT_MESSAGES by time, those with equal times in file order.

        Messages whose time is no position in any video are refused.

        Args:
            rows: What `rows` returned.
            offset_s: Their places in the video in seconds.
            video_id: The recording.
        """
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
        return CHAT_MESSAGES.from_columns(columns)

    def all_refused(self, *outside: Refused) -> list[Refused]:
        """Return what is to be listed as refused, with entries for what lies outside the recording."""
        return listed(self._refused, self.refused_in_all, end=[*self._end, *outside], most=MAX_REFUSED)

    def _add(self, message: Message) -> None:
        if self._is_known(message):
            self.passed_over[DELIVERED_AGAIN] += 1
            return
        seconds, kind = message.time
        if kind in (Kind.DAY, Kind.OF_DAY) and self._start is None:
            self.without_day_in_all += 1
            if len(self.without_day) < MAX_REFUSED:
                reason = "has only a time of day, and the start time of the video is unknown"
                self.without_day.append(Refused(message.position, reason, ""))
            return
        if kind is Kind.DAY:
            seconds = self._since_start(seconds)
            if abs(seconds) > LONGEST_S:
                detail = f"{abs(seconds) / 86_400:,.1f} days {'before' if seconds < 0 else 'after'} it began"
                self._refuse(Refused(message.position, "not sent at the time of the video", detail))
                return
        elif abs(seconds) > LONGEST_S and len(self._large) < MAX_REFUSED:
            # Refused if the numbers of this log turn out to be seconds.
            self._large.append(Refused(message.position, "the time is not a position in a video", f"{seconds:g}"))
        self.by_day += kind in (Kind.DAY, Kind.OF_DAY)
        self.count += 1
        _, _, author, author_id, text, emotes, is_bot, _, sent_s = message
        sent_s = math.nan if sent_s is None or self._start is None else self._since_start(sent_s)
        sender = self._stored(author, author_id)
        self._waiting.append((seconds, sender, text, emotes, is_bot, KINDS.index(kind), sent_s))
        if len(self._waiting) == _MESSAGES_PER_PIECE:
            self._pack()

    def _is_known(self, message: Message) -> bool:
        # By hash: a million tuples would fill the memory, and two of them share one in ten million logs.
        if message.identity is None:
            return False
        key = hash((message.identity, message.author_id or message.author, message.text))
        is_known = key in self._identities
        self._identities.add(key)
        return is_known

    def _since_start(self, moment_s: float) -> float:
        # As a double, seconds since 1970 are accurate to a quarter of a microsecond.
        return round(moment_s - (self._start or 0.0), 6)

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
        offset_s, author, text, emotes, is_bot, kind, sent_s = (
            zip(*self._waiting, strict=True) if self._waiting else [()] * 7
        )
        sentiment = message_scores(None if bot else said for said, bot in zip(text, is_bot, strict=True))
        columns = [offset_s, author, text, emotes, is_bot, sentiment, kind, sent_s]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, _PIECE, strict=True)]
        self._pieces.append(pa.Table.from_arrays(arrays, schema=_PIECE))
        self._waiting = []
