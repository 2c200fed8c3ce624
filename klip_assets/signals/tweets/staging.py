"""One file of tweets of any size, read once and split by day."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import TWEETS_DELETED, TWEETS_RAW
from klip_assets.formats.refused import MAX_LISTED, Refused, listed
from klip_assets.signals.tweets.merge import merge_copies
from klip_assets.signals.tweets.readers import TweetReader
from klip_assets.signals.tweets.snowflake import FIRST_SNOWFLAKE
from klip_assets.signals.tweets.spill import Spill

#: Refusals listed individually; a file that is broken throughout would otherwise fill the memory with them.
MAX_REFUSED = MAX_LISTED

_ROWS_PER_CHUNK = 20_000
_CHARS_PER_CHUNK = 20_000_000
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Staged:
    """Content of one file: rows_in = rows of all parts + duplicates + refusals + deletions.

    Attributes:
        kind: Format of the file, in a few words; '' if unknown.
        parts: Its tweets by UTC day, each id once, sorted by id, as TWEETS_RAW; a part is built on access.
        deleted: Tweets it reports as deleted, by day, each once, as TWEETS_DELETED.
        refused: Entries that could not be used; the last one says how many more there are beyond 10,000.
        unread: Counts that were made NULL: one entry per column, none of them a record of its own.
        rows_in: Records seen.
        rows_out: Tweets in all parts.
        duplicates: Copies of a tweet that lost to another copy in the same file.
        deletions: Reports of deleted tweets, copies included.
        time_mismatches: Rows whose own time differs from the one in the id, which is used.
        typical_offset: The most frequent difference: own time - time in the id, such as "-8 h"; '' if none.
    """

    kind: str
    parts: Mapping[date, pa.Table]
    deleted: Mapping[date, pa.Table]
    refused: list[Refused]
    unread: list[Refused]
    rows_in: int
    rows_out: int
    duplicates: int
    deletions: int
    time_mismatches: int
    typical_offset: str


def stage(
    path: Path, *, now: datetime | None = None, scratch: Path | None = None, column_map: Path | None = None
) -> Staged:
    """Read a file of tweets and split it by day, in constant memory except for the largest day.

    Args:
        path: The file.
        now: As for `read_tweets`.
        scratch: Folder for rows that do not fit in memory; by default a temporary one, removed with the result.
        column_map: Path of its column map, which may not exist.

    Raises:
        OSError: The file can't be read, or the scratch folder written.
    """
    temporary = tempfile.TemporaryDirectory(prefix="klip-tweets-") if scratch is None else None
    spill = Spill(scratch or Path(temporary.name if temporary else ""))
    refused, old, gone = _Refusals(), _Numbers(), _Numbers()
    taken = waiting_chars = 0
    waiting: list[dict[str, object]] = []
    reader = TweetReader(path, now=now, column_map=column_map)
    for found in reader.read():
        if isinstance(found, dict):
            taken += 1
            waiting.append(found)
            waiting_chars += len(found["text"])  # type: ignore[arg-type]
            if (number := int(str(found["tweet_id"]))) < FIRST_SNOWFLAKE:
                old.add(number, found["day"])  # type: ignore[arg-type]
            if len(waiting) == _ROWS_PER_CHUNK or waiting_chars > _CHARS_PER_CHUNK:
                spill.add(table_of(waiting))
                waiting, waiting_chars = [], 0
        elif isinstance(found, pa.Table):
            taken += found.num_rows
            spill.add(found)
        elif isinstance(found, Refused):
            refused.add(found)
        else:
            gone.add(int(found.tweet_id), found.day)
    spill.add(table_of(waiting))
    spill.close()
    parts = _Parts(spill, _old_in_several_days(spill, old), temporary)
    rows_out = sum(parts.counts.values())
    return Staged(
        kind=reader.kind,
        parts=parts,
        deleted={day: _deleted(ids, day) for day, ids in gone.by_day().items()},
        refused=refused.listed(),
        unread=reader.unread.summary(),
        rows_in=taken + refused.count + gone.count,
        rows_out=rows_out,
        duplicates=taken - rows_out,
        deletions=gone.count,
        time_mismatches=reader.clock.mismatches,
        typical_offset=reader.clock.typical_offset,
    )


def table_of(rows: list[dict[str, object]]) -> pa.Table:
    """Build a table from rows; faster than the general way, as a file may have millions."""
    columns = []
    for column in TWEETS_RAW.schema:
        name = column.name
        columns.append(pa.array([row.get(name) for row in rows], column.type))
    return pa.Table.from_arrays(columns, schema=TWEETS_RAW.schema)


class _Parts(Mapping[date, pa.Table]):
    """The days of a file, each merged on access.

    Args:
        spill: The rows.
        moved: Day -> merged rows of tweets from before ids contained a time that the file puts on several days.
        temporary: The scratch folder, if it is to be removed with this.
    """

    def __init__(
        self, spill: Spill, moved: dict[date, pa.Table], temporary: tempfile.TemporaryDirectory[str] | None
    ) -> None:
        self._spill, self._moved, self._temporary = spill, moved, temporary
        self._elsewhere = {i: day for day, rows in moved.items() for i in rows["tweet_id"].to_pylist()}
        counts = {day: self._count(day) for day in spill.days()}
        #: Number of distinct tweets of each day.
        self.counts = {day: count for day, count in counts.items() if count}

    def __getitem__(self, day: date) -> pa.Table:
        if day not in self.counts:
            raise KeyError(day)
        rows = self._spill.rows(day)
        if self._elsewhere:
            rows = rows.filter(pc.invert(pc.is_in(rows["tweet_id"], pa.array(list(self._elsewhere), pa.string()))))
            if day in self._moved:
                rows = pa.concat_tables([rows, self._moved[day]])
        return merge_copies(rows).combine_chunks()

    def __iter__(self) -> Iterator[date]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    def _count(self, day: date) -> int:
        ids = self._spill.rows(day, ["tweet_id"])["tweet_id"]
        if not self._elsewhere:
            return int(pc.count_distinct(ids).as_py())
        kept = set(ids.to_pylist()) - self._elsewhere.keys()
        return len(kept) + (len(set(self._moved[day]["tweet_id"].to_pylist())) if day in self._moved else 0)


def _old_in_several_days(spill: Spill, old: _Numbers) -> dict[date, pa.Table]:
    """Find tweets without a time in their id that a file puts on several days; return one copy of each, by day.

    An id must never be on two days, and the day of these is known only from the file.
    """
    ids, days = old.arrays()
    order = np.lexsort((days, ids))
    ids, days = ids[order], days[order]
    same = ids[1:] == ids[:-1]
    moving = set(np.unique(ids[1:][same & (days[1:] != days[:-1])]).tolist())
    if not moving:
        return {}
    moved = pa.array([str(number) for number in sorted(moving)])
    touched = sorted({int(day) for number, day in zip(ids, days, strict=True) if int(number) in moving})
    found = [spill.rows(_EPOCH + timedelta(days=day)) for day in touched]
    copies = merge_copies(pa.concat_tables([rows.filter(pc.is_in(rows["tweet_id"], moved)) for rows in found]))
    by_day: dict[date, list[int]] = {}
    for index, day in enumerate(copies["day"].to_pylist()):
        by_day.setdefault(day, []).append(index)
    return {day: copies.take(pa.array(indices)) for day, indices in by_day.items()}


def _deleted(ids: list[int], day: date) -> pa.Table:
    return TWEETS_DELETED.from_columns({"tweet_id": [str(number) for number in ids], "day": [day] * len(ids)})


@dataclass
class _Numbers:
    """Ids and their days, at 12 bytes each."""

    count: int = 0
    _waiting: list[tuple[int, int]] = field(default_factory=list)
    _chunks: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def add(self, number: int, day: date) -> None:
        self.count += 1
        self._waiting.append((number, (day - _EPOCH).days))
        if len(self._waiting) >= _ROWS_PER_CHUNK:
            self._pack()

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        self._pack()
        return np.concatenate([ids for ids, _ in self._chunks]), np.concatenate([days for _, days in self._chunks])

    def by_day(self) -> dict[date, list[int]]:
        ids, days = self.arrays()
        return {_EPOCH + timedelta(days=int(day)): np.unique(ids[days == day]).tolist() for day in np.unique(days)}

    def _pack(self) -> None:
        ids = np.fromiter((number for number, _ in self._waiting), np.int64, len(self._waiting))
        days = np.fromiter((day for _, day in self._waiting), np.int32, len(self._waiting))
        self._chunks.append((ids, days))
        self._waiting = []


class _Refusals:
    """Refusals: all are counted, the first ones kept, and always the one that ended reading."""

    def __init__(self) -> None:
        self.count = 0
        self._kept: list[Refused] = []
        self._end: Refused | None = None

    def add(self, found: Refused) -> None:
        self.count += 1
        if found.position == "end of file":
            self._end = found
        elif len(self._kept) < MAX_REFUSED:
            self._kept.append(found)

    def listed(self) -> list[Refused]:
        end = [self._end] if self._end else []
        return listed(self._kept, self.count - len(end), end=end, most=MAX_REFUSED)
