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

_ROWS_PER_CHUNK = 20_000


@dataclass(frozen=True)
class Staged:
    """What one file holds: rows_in = the rows of all parts + duplicates + the number of refused.

    Attributes:
        parts: Its tweets by UTC day, each id once, sorted by id, as TWEETS_RAW.
        refused: What could not be used.
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
    refused: list[Refused] = []
    waiting: list[dict[str, object]] = []
    chunks: list[pa.Table] = []
    for found in read_tweets(path, now=now):
        if isinstance(found, Refused):
            refused.append(found)
            continue
        waiting.append(found)
        if len(waiting) == _ROWS_PER_CHUNK:
            chunks.append(TWEETS_RAW.from_rows(waiting))
            waiting = []
    chunks.append(TWEETS_RAW.from_rows(waiting))
    rows = pa.concat_tables(chunks)
    kept = rows.take(winning_rows(rows, preference=-np.arange(rows.num_rows)))
    return Staged(
        parts=_by_day(kept),
        refused=refused,
        rows_in=rows.num_rows + len(refused),
        duplicates=rows.num_rows - kept.num_rows,
    )


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
