"""Write docs/data_dictionary.md from the contracts. A test checks that it is current."""

from __future__ import annotations

from pathlib import Path

from klip_assets.contracts import PUBLISHED_TABLES, TABLES, Table, bounds_of, sql_type, text_of

TARGET = Path(__file__).resolve().parents[1] / "docs" / "data_dictionary.md"

HEADER = """# Data dictionary

Every table of `klip.duckdb`. Written by `make docs` from `klip_assets/contracts/`; the same texts are the comments in
DuckDB (`SELECT * FROM duckdb_columns()`) and the column schemas in the Dagster UI.

Seconds (`_s`) count from the start of the video, `_at` is UTC, scores are 0..1, sentiment is -1..1, and unknown
values are NULL. **Bold** columns are the key. *Volatile* columns record when a row was made and are not part of its
data version.
"""


def dictionary() -> str:
    """Return the whole document."""
    parts = [HEADER]
    parts += [_section(TABLES[name]) for name in PUBLISHED_TABLES]
    return "\n".join(parts)


def _section(table: Table) -> str:
    where = {"table": "Native table", "view": "View over Parquet", "nothing": ""}[table.published_as]
    partition = f"; one partition per `{table.partition}`" if table.partition else ""
    lines = [f"## {table.name}", "", f"{table.description} {where}{partition}.", ""]
    lines += ["| column | type | unit | meaning |", "| --- | --- | --- | --- |"]
    for column in table.schema:
        name = f"**{column.name}**" if column.name in table.key else column.name
        volatile = " *Volatile.*" if column.name in table.volatile else ""
        meaning = text_of(column.metadata, "description").replace("|", "\\|") + volatile
        lines.append(f"| {name} | {sql_type(column.type)} | {_unit(column)} | {meaning} |")
    return "\n".join([*lines, ""])


def _unit(column: object) -> str:
    import pyarrow as pa

    assert isinstance(column, pa.Field)
    unit = text_of(column.metadata, "unit")
    low, high = bounds_of(column)
    return unit or (f"{low:g} or more" if low is not None and high is None else "")


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(dictionary())
    print(f"wrote {TARGET.name}")
