"""What a table contract is, and the builders of its columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

STRING, DOUBLE, INTEGER, BIGINT, BOOLEAN = pa.string(), pa.float64(), pa.int32(), pa.int64(), pa.bool_()
TIMESTAMP, DATE = pa.timestamp("us"), pa.date32()
STRINGS, DOUBLES = pa.list_(pa.string()), pa.list_(pa.float64())


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its columns, its key and where it is stored.

    Attributes:
        name: Name in the lake, in DuckDB and in the Dagster UI.
        schema: Columns in order; units, meanings and bounds are in each field's metadata.
        key: Columns that identify a row; never NULL, never duplicated.
        partition: Column whose value names the Parquet partition, None for an unpartitioned table.
        published_as: A native DuckDB table, a view over Parquet (long detail), or not published.
        reads: Published tables it is derived from at each publish; empty for a table stored in the lake.
    """

    name: str
    schema: pa.Schema
    key: tuple[str, ...]
    partition: str | None
    published_as: Literal["table", "view", "nothing"] = "table"
    reads: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """What one row of the table is."""
        return text_of(self.schema.metadata, "description")

    @property
    def volatile(self) -> frozenset[str]:
        """Columns left out of the data version: they say when a row was written, not what it contains."""
        return frozenset(field.name for field in self.schema if text_of(field.metadata, "volatile"))

    def empty(self) -> pa.Table:
        """Return a table with this schema and no rows."""
        return self.schema.empty_table()

    def from_rows(self, rows: Iterable[Mapping[str, object]]) -> pa.Table:
        """Build the table from dictionaries; a column missing from a row is NULL."""
        return pa.Table.from_pylist([dict(row) for row in rows], schema=self.schema)

    def from_columns(self, columns: Mapping[str, object]) -> pa.Table:
        """Build the table from whole columns (arrays or lists); a missing column is all NULL."""
        length = len(next(iter(columns.values())))  # type: ignore[arg-type]
        arrays = [
            pa.array(columns[f.name], type=f.type) if f.name in columns else pa.nulls(length, f.type)
            for f in self.schema
        ]
        unknown = set(columns) - set(self.schema.names)
        if unknown:
            raise KeyError(f"{self.name} has no column {sorted(unknown)}")
        return pa.Table.from_arrays(arrays, schema=self.schema)


def text_of(metadata: Mapping[bytes, bytes] | None, name: str) -> str:
    """Return one entry of Arrow metadata as text, '' if absent."""
    return (metadata or {}).get(name.encode(), b"").decode()


def bounds_of(field: pa.Field) -> tuple[float | None, float | None]:
    """Return the declared lower and upper bounds of a column, None where it has none."""
    low, high = text_of(field.metadata, "low"), text_of(field.metadata, "high")
    return (float(low) if low else None, float(high) if high else None)


def sql_type(kind: pa.DataType) -> str:
    """Return the DuckDB type of an Arrow type used in a contract."""
    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return "STRUCT(" + ", ".join(f"{f.name} {sql_type(f.type)}" for f in kind) + ")"
    names = {STRING: "VARCHAR", DOUBLE: "DOUBLE", INTEGER: "INTEGER", BIGINT: "BIGINT", BOOLEAN: "BOOLEAN"}
    return {**names, TIMESTAMP: "TIMESTAMP", DATE: "DATE"}[kind]


def column(
    name: str,
    kind: pa.DataType,
    description: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    volatile: bool = False,
) -> pa.Field:
    """Declare a column: its meaning, unit, bounds, and whether the data version ignores it (volatile)."""
    entries = {"description": description, "unit": unit, "volatile": "yes" if volatile else ""}
    entries |= {"low": "" if low is None else str(low), "high": "" if high is None else str(high)}
    return pa.field(name, kind, metadata={k: v for k, v in entries.items() if v})


def score_column(name: str, description: str) -> pa.Field:
    """Declare a score from 0 to 1."""
    return column(name, DOUBLE, description, unit="0..1", low=0, high=1)


def sentiment_column(description: str = "Sentiment of the text, negative to positive.") -> pa.Field:
    """Declare the column `sentiment`, -1 to 1."""
    return column("sentiment", DOUBLE, description, unit="-1..1", low=-1, high=1)


def seconds_column(name: str, description: str) -> pa.Field:
    """Declare seconds from the start of the video."""
    return column(name, DOUBLE, description, unit="s", low=0)


def count_column(name: str, description: str, kind: pa.DataType = INTEGER) -> pa.Field:
    """Declare a count."""
    return column(name, kind, description, low=0)


def text_column(name: str, description: str) -> pa.Field:
    """Declare text."""
    return column(name, STRING, description)


def flag_column(name: str, description: str) -> pa.Field:
    """Declare a boolean."""
    return column(name, BOOLEAN, description)


def time_column(name: str, description: str, *, volatile: bool = False) -> pa.Field:
    """Declare a moment in UTC."""
    return column(name, TIMESTAMP, description, unit="UTC", volatile=volatile)


def declare(
    name: str,
    description: str,
    fields: Iterable[pa.Field],
    *,
    key: tuple[str, ...],
    partition: str | None,
    published_as: Literal["table", "view", "nothing"] = "table",
    reads: tuple[str, ...] = (),
) -> Table:
    """Declare a table from its columns, in the order they are published."""
    return Table(name, pa.schema(fields, metadata={"description": description}), key, partition, published_as, reads)
