"""One file of tweets, read once and parted by day.

Put here: from a file to tables by day, with what was refused and how often an id came twice. Keep out: formats
(`tweets.readers`) and the order of copies (`tweets.merge`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from klip_assets.contracts import TWEETS_RAW
from klip_assets.refused import Refused
from klip_assets.tweets.merge import winning_rows
from klip_assets.tweets.readers import read_tweets

#: Refusals that are kept by name; a file that is broken throughout would otherwise fill the memory with them.
MAX_REFUSED = 10_000

#: Tweets, or refusals, after which a file is not read on: what was read is held in memory, some 350 bytes a tweet.
MAX_RECORDS = 1_000_000

_ROWS_PER_CHUNK = 20_000
_CHARS_PER_CHUNK = 20_000_000


@dataclass(frozen=True)
class Staged:
    """What one file holds: rows_in = the rows of all parts + duplicates + what was refused.

    Attributes:
        parts: Its tweets by UTC day, each id once, sorted by id, as TWEETS_RAW.
        refused: What could not be used; the last entry says how many more there are beyond 10,000.
        rows_in: Records seen.
        duplicates: Copies of a tweet that another copy in the same file beat.
    """

    parts: Mapping[date, pa.Table]
    refused: list[Refused]
    rows_in: int
    duplicates: int


def stage(path: Path, *, now: datetime | None = None) -> Staged:
    """Read a file of tweets and part it by day. Of equal copies of a tweet the last one wins.

    Args:
        path: The file.
        now: As for `read_tweets`.
    """
    refused = _Refusals()
    taken = waiting_chars = 0
    waiting: list[dict[str, object]] = []
    chunks: list[pa.Table] = []
    for found in read_tweets(path, now=now):
        if max(taken, refused.count) >= MAX_RECORDS:
            what = "tweets" if taken >= MAX_RECORDS else "refused records"
            refused.end(f"more than {MAX_RECORDS:,} {what} in one file; the rest was not read")
            break
        if isinstance(found, Refused):
            refused.add(found)
            continue
        taken += 1
        waiting.append(found)
        waiting_chars += len(str(found["text"]))
        if len(waiting) == _ROWS_PER_CHUNK or waiting_chars > _CHARS_PER_CHUNK:
            chunks.append(TWEETS_RAW.from_rows(waiting))
            waiting, waiting_chars = [], 0
    chunks.append(TWEETS_RAW.from_rows(waiting))
    rows = pa.concat_tables(chunks)
    kept = rows.take(winning_rows(rows, preference=-np.arange(rows.num_rows)))
    return Staged(
        parts=_by_day(kept),
        refused=refused.listed(),
        rows_in=rows.num_rows + refused.count,
        duplicates=rows.num_rows - kept.num_rows,
    )


class _Refusals:
    """What was refused: all of it counted, the first of it kept, and always what ended the reading."""

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

    def end(self, reason: str) -> None:
        self.add(Refused("end of file", reason, "split it into several files"))

    def listed(self) -> list[Refused]:
        end = [self._end] if self._end else []
        if self.count <= MAX_REFUSED:
            return [*self._kept, *end]
        kept = self._kept[: MAX_REFUSED - 1 - len(end)]
        return [*kept, *end, Refused("rest", "too many to list", f"{self.count - len(kept) - len(end):,} more")]


def _by_day(rows: pa.Table) -> dict[date, pa.Table]:
    """Part a table by day, keeping the order of the rows within each."""
    days = rows["day"].cast(pa.int32()).to_numpy()
    order = np.argsort(days, kind="stable")
    sorted_rows = rows.take(pa.array(order)).combine_chunks()
    distinct, starts, lengths = np.unique(days[order], return_index=True, return_counts=True)
    return {
        date(1970, 1, 1) + timedelta(days=int(day)): sorted_rows.slice(int(start), int(length))
        for day, start, length in zip(distinct, starts, lengths, strict=True)
    }
