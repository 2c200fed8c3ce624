"""Contracts as DuckDB statements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from klip_assets.contracts import Table, sql_type, text_of
from klip_assets.formats.globs import literally


def literal(text: str) -> str:
    """Quote text as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def create_table(table: Table) -> str:
    """Return the statement that creates a table, its key columns NOT NULL."""
    columns = ", ".join(
        f"{identifier(f.name)} {sql_type(f.type)}{' NOT NULL' if f.name in table.key else ''}" for f in table.schema
    )
    return f"CREATE TABLE {identifier(table.name)} ({columns})"


def create_view(table: Table, folder: Path) -> str:
    """Return the statement that creates a view over the Parquet files of one published version.

    Types are cast explicitly, so that a file written before a column existed still fits.
    """
    pattern = literal(f"{literally(folder)}/*/*.parquet")
    columns = ", ".join(f"{identifier(f.name)}::{sql_type(f.type)} AS {identifier(f.name)}" for f in table.schema)
    source = f"read_parquet({pattern}, union_by_name = true, hive_partitioning = true, hive_types = {_hive(table)})"
    return f"CREATE OR REPLACE VIEW {identifier(table.name)} AS SELECT {columns} FROM {source}"  # noqa: S608


def comments(table: Table) -> Iterator[str]:
    """Yield the statements that comment a table and each of its columns."""
    kind = "VIEW" if table.published_as == "view" else "TABLE"
    yield f"COMMENT ON {kind} {identifier(table.name)} IS {literal(table.description)}"
    for column in table.schema:
        unit = text_of(column.metadata, "unit")
        text = text_of(column.metadata, "description") + (f" [{unit}]" if unit else "")
        yield f"COMMENT ON COLUMN {identifier(table.name)}.{identifier(column.name)} IS {literal(text)}"


def _hive(table: Table) -> str:
    kind = sql_type(table.schema.field(str(table.partition)).type)
    return "{" + f"{literal(str(table.partition))}: {kind}" + "}"
