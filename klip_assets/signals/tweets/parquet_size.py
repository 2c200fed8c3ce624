"""How much the content of a Parquet file takes, before it is taken: a file of a kilobyte may ask for ten gigabytes.

Texts that repeat are stored once, in a dictionary, and long runs of numbers as their length. So sizes are counted as if
each value were written out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from klip_assets.formats.globs import literally
from klip_assets.formats.text import expansion_limit

#: What a row counts at least: reading one takes time even if it is empty.
ROW_BYTES = 100

#: A file that is large itself may expand beyond the limit for archives, but only a few times.
_LARGE_RATIO = 10

#: Bytes that are made Python objects at once.
_PIECE_BYTES = 16 << 20

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8}
_TEXTS = frozenset({"UTF8", "NONE", "JSON", "ENUM", "BSON"})


def most_bytes(path: Path) -> int:
    """Return how many bytes the content of a Parquet file may take."""
    size = path.stat().st_size
    return max(expansion_limit(size), _LARGE_RATIO * size)


def text_columns(metadata: pq.FileMetaData) -> list[str]:
    """Return the columns of text or bytes: those that can be read without writing out what repeats."""
    schema = metadata.schema
    columns = (schema.column(index) for index in range(metadata.num_columns))
    return [
        column.path for column in columns if column.physical_type == "BYTE_ARRAY" and column.converted_type in _TEXTS
    ]


def declared_bytes(path: Path, metadata: pq.FileMetaData) -> int:
    """Return what a file takes according to its own metadata, with texts that repeat counted once.

    Raises:
        duckdb.Error: What the file says of its columns is damaged. (Of some damage, pyarrow 26 ends the process when
            it is asked for the sizes of a column; DuckDB raises.)
    """
    schema = metadata.schema
    widths = [
        schema.column(index).length or _WIDTHS.get(schema.column(index).physical_type, 0)
        for index in range(metadata.num_columns)
    ]
    if not widths:
        return ROW_BYTES * metadata.num_rows
    chunk = "greatest(total_uncompressed_size, num_values * $widths[column_id + 1])"
    query = f"SELECT sum({chunk}) FROM parquet_metadata($path)"  # noqa: S608
    with duckdb.connect(config={"threads": 1}) as connection:
        (found,) = connection.execute(query, {"widths": widths, "path": literally(path)}).fetchone() or (None,)
    return ROW_BYTES * metadata.num_rows + int(found or 0)


def batch_bytes(batch: pa.RecordBatch) -> int:
    """Return what a batch takes with each value written out."""
    return max(ROW_BYTES * batch.num_rows, sum(_bytes_of(column) for column in batch.columns))


def pieces_of(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yield a batch in pieces that may be written out in memory, each of at least one row."""
    if batch.num_rows < 2 or batch_bytes(batch) <= _PIECE_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from pieces_of(batch.slice(0, half))
    yield from pieces_of(batch.slice(half))


def _bytes_of(column: pa.Array) -> int:
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _bytes_of(column.storage)
    if pa.types.is_dictionary(kind):
        values = column.dictionary
        if not (pa.types.is_string(values.type) or pa.types.is_binary(values.type) or _is_large(values.type)):
            return int(column.nbytes) + 8 * len(column)
        return int(pc.sum(pc.binary_length(values).cast(pa.int64()).take(column.indices)).as_py() or 0)
    if pa.types.is_map(kind):
        return _bytes_of(column.keys) + _bytes_of(column.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return int(column.nbytes) + _bytes_of(column.flatten())
    if pa.types.is_struct(kind):
        return sum(_bytes_of(field) for field in column.flatten())
    return int(column.nbytes)


def _is_large(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_string(kind) or pa.types.is_large_binary(kind))
