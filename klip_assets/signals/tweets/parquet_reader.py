"""Tweets from Parquet files, written by pandas, Spark, DuckDB or Klip itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from klip_assets.formats.refused import Refused, RowRefused
from klip_assets.signals.tweets.clock import Clock
from klip_assets.signals.tweets.columns import columns_of, holds_tweets
from klip_assets.signals.tweets.counts import Unread
from klip_assets.signals.tweets.parquet_size import batch_bytes, declared_bytes, most_bytes, pieces_of, text_columns
from klip_assets.signals.tweets.rows import Row, row_of_object
from klip_assets.signals.tweets.values import shown

#: First and last bytes of a Parquet file.
MAGIC = b"PAR1"
_ROWS_AT_A_TIME = 2_000
_FEW_ROWS = 16
_NO_NAMES: Mapping[str, str] = {}


def read_parquet(
    path: Path, *, clock: Clock, mapped: Mapping[str, str] | None = None, unread: Unread | None = None
) -> Iterator[Row | Refused]:
    """Read tweets from Parquet, in batches, up to a limit of what it may expand to. Rows are counted from 1.

    Args:
        path: The file.
        clock: Determines each tweet's time.
        mapped: Column names given by the user, see `columns_of`.
        unread: Notes the counts that are there, but can't be read.
    """
    number = 0
    try:
        limit, taken = most_bytes(path), 0
        too_large = Refused(
            "file",
            f"the Parquet file expands to more than {limit / 1e6:,.0f} MB",
            "if it is meant to be that large, split it",
        )
        metadata = pq.read_metadata(path)
        if declared_bytes(path, metadata) > limit:
            yield too_large
            return
        with pq.ParquetFile(path, read_dictionary=text_columns(metadata)) as file:
            names = file.schema_arrow.names
            pairs = frozenset(mapped.items()) if mapped else frozenset()
            nested = tuple(f"{field.name}_{inner.name}" for field in file.schema_arrow for inner in _inner(field.type))
            if not holds_tweets(columns_of((*names, *nested), pairs)):
                found = "columns: " + shown(", ".join(names))
                yield Refused("file", "no column for the tweet's id (or url), or none for its text", found)
                return
            for batch in _batches(file, path):
                taken += batch_bytes(batch)
                if taken > limit:
                    reason = f"{too_large.reason}; reading was stopped there" if number else too_large.reason
                    yield replace(too_large, position="end of file" if number else "file", reason=reason)
                    return
                for fields in (fields for piece in pieces_of(batch) for fields in _rows(piece)):
                    number += 1
                    try:
                        yield row_of_object(
                            fields, user_names=_NO_NAMES, observed_at=None, clock=clock, mapped=mapped, unread=unread
                        )
                    except RowRefused as refusal:
                        yield Refused(f"row {number}", refusal.reason, refusal.detail)
    except (pa.ArrowException, duckdb.Error, OSError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # A problem with the disk, not the file.
        position = "end of file" if number else "file"
        yield Refused(position, "the Parquet file is damaged or truncated", shown(str(error)))


def _batches(file: pq.ParquetFile, path: Path) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in batches, with texts that repeat kept as dictionaries."""
    for group in range(file.num_row_groups):
        done = 0
        try:
            # Each row group by itself: nested texts of two dictionaries don't fit into one batch.
            for batch in file.iter_batches(_ROWS_AT_A_TIME, row_groups=[group]):
                yield batch
                done += batch.num_rows
        except pa.ArrowNotImplementedError:
            yield from _few_at_a_time(path, file.metadata, group, done)


def _few_at_a_time(path: Path, metadata: pq.FileMetaData, group: int, done: int) -> Iterator[pa.RecordBatch]:
    """Yield the rest of a row group whose nested texts are only in part in a dictionary: Arrow can't keep that."""
    flat = [name for name in text_columns(metadata) if "." not in name]
    with pq.ParquetFile(path, read_dictionary=flat) as file:
        for batch in file.iter_batches(_FEW_ROWS, row_groups=[group]):
            if done < batch.num_rows:
                yield batch.slice(done)
            done = max(0, done - batch.num_rows)


def _rows(batch: pa.RecordBatch) -> list[dict[str, object]]:
    columns = {name: _plain(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(column: pa.Array) -> list[object]:
    """Return the values of a column as Python objects; times as text, in UTC where they have a zone."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_timestamp(kind):
        in_us = column.cast(pa.timestamp("us", kind.tz), safe=False)
        return in_us.cast(pa.timestamp("us")).cast(pa.string()).to_pylist()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [None if value is None else value.decode("utf-8", "klip_cp1252") for value in column.to_pylist()]
    return column.to_pylist()


def _inner(kind: pa.DataType) -> list[pa.Field]:
    return list(kind) if pa.types.is_struct(kind) else []
