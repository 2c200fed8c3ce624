"""Which copy of a tweet wins.

A tweet may stand in several files, or several times in one. Of its copies the winner has the latest observed_at
(NULL loses), then the larger counts, then the smaller hash of its source.

Put here: picking winners, and the day's table made of them. Keep out: reading files (`tweets.staging`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import TWEETS, TWEETS_RAW

_ENGAGEMENT = ("like_count", "retweet_count", "reply_count", "quote_count")


@dataclass(frozen=True)
class RawSource:
    """What one file says about one day.

    Attributes:
        sha256: Hash of the file's content.
        name: The file, relative to the inbox.
        rows: Its tweets of the day, as TWEETS_RAW.
    """

    sha256: str
    name: str
    rows: pa.Table


def merge_day(sources: Sequence[RawSource], *, ingested_at: datetime) -> pa.Table:
    """Merge what all files say about a day: each tweet once, as TWEETS, sorted by id.

    Args:
        sources: The files, in any order: the result does not depend on it.
        ingested_at: UTC time to write into `ingested_at`.
    """
    ordered = sorted(sources, key=lambda source: (source.sha256, source.name))
    if not any(source.rows.num_rows for source in ordered):
        return TWEETS.empty()
    rows = pa.concat_tables([source.rows.select(TWEETS_RAW.schema.names) for source in ordered])
    source_of_row = np.repeat(np.arange(len(ordered)), [source.rows.num_rows for source in ordered])
    winners = winning_rows(rows, preference=source_of_row)
    merged = rows.take(winners)
    stamp = ingested_at if ingested_at.tzinfo is None else ingested_at.astimezone(UTC).replace(tzinfo=None)
    names = [source.name for source in ordered]
    return TWEETS.from_columns(
        {
            **{name: merged[name].combine_chunks() for name in TWEETS_RAW.schema.names},
            "source_files": _source_files(rows["tweet_id"], source_of_row, names, merged["tweet_id"]),
            "ingested_at": pa.repeat(pa.scalar(stamp, pa.timestamp("us")), merged.num_rows),
        }
    )


def winning_rows(rows: pa.Table, *, preference: np.ndarray) -> pa.Array:
    """Return the indices of the winning copy of each tweet, sorted by id, numerically.

    Args:
        rows: Tweets as TWEETS_RAW, an id any number of times.
        preference: A number a row that decides between copies that are equal otherwise; the smaller wins.
    """
    ids = rows["tweet_id"]
    # A NULL sorts as the earliest time there is. (null_placement is deprecated as one option for all keys.)
    observed_us = pc.fill_null(rows["observed_at"].cast(pa.int64()), np.iinfo(np.int64).min)
    keys = pa.table(
        {
            # Shorter ids are smaller numbers; of equal length, the text order is the order of the numbers.
            "digits": pc.utf8_length(ids),
            "id": ids,
            "observed_us": observed_us,
            "engagement": _engagement(rows),
            "preference": pa.array(preference),
        }
    )
    order = pc.sort_indices(
        keys,
        sort_keys=[
            ("digits", "ascending"),
            ("id", "ascending"),
            ("observed_us", "descending"),
            ("engagement", "descending"),
            ("preference", "ascending"),
        ],
    )
    if len(order) < 2:
        return order
    sorted_ids = ids.take(order).combine_chunks()
    is_new = pc.not_equal(sorted_ids.slice(1), sorted_ids.slice(0, len(order) - 1))
    return order.filter(pa.concat_arrays([pa.array([True]), is_new]))


def _engagement(rows: pa.Table) -> np.ndarray:
    """Return the sum of a tweet's counts, a missing one as -1. Sums are floats, as counts may be huge."""
    columns = [pc.fill_null(rows[name], -1).to_numpy().astype(np.float64) for name in _ENGAGEMENT]
    return np.vstack(columns).sum(axis=0)


def _source_files(
    ids: pa.ChunkedArray, source_of_row: np.ndarray, names: Sequence[str], winners: pa.ChunkedArray
) -> list[list[str]]:
    """Return the sorted names of the files that hold a copy, for each winning tweet."""
    copies = pa.table({"id": ids, "source": pa.array(source_of_row)})
    grouped = copies.group_by("id").aggregate([("source", "distinct")])
    of_id = dict(zip(grouped["id"].to_pylist(), grouped["source_distinct"].to_pylist(), strict=True))
    return [sorted({names[source] for source in of_id[tweet_id]}) for tweet_id in winners.to_pylist()]
