"""Compare two published warehouses, table by table: does B still contain everything in A?

    python scripts/compare_warehouses.py A B [--skip TABLE[.COLUMN]]... [--show 3]

A and B are published files (or data folders with one). Every table of A is compared in the columns of A, row by row and
with multiplicity, except for comments, times and ids of runs, and anything skipped. Tables and columns that only B has
are named and do not count as a difference. Exits with 1 if anything in A is missing or changed, with 2 if a file does
not exist.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from klip_assets.contracts import TABLES

#: Columns about a publish itself, besides the columns that the contracts call volatile.
OF_A_RUN = frozenset({"provenance.run_id", "provenance.written_at"})


@dataclass
class Difference:
    """Result for one table of A.

    Attributes:
        table: Its name.
        rows: Rows in A and in B.
        columns: Columns compared.
        gone: Columns (or, if `rows` is None, the table) that B lacks.
        added: Columns that only B has.
        lost: Number of rows only in A, and only in B.
        examples: Some of them, as text.
    """

    table: str
    rows: tuple[int, int] | None = None
    columns: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    lost: tuple[int, int] = (0, 0)
    examples: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether both have the same rows."""
        return self.rows is not None and not self.gone and self.lost == (0, 0)


def compare(
    a: Path, b: Path, *, skip: frozenset[str] = frozenset(), show: int = 3
) -> tuple[list[Difference], list[str]]:
    """Compare two published files.

    Args:
        a: The older file.
        b: The newer file.
        skip: Tables and columns (`provenance.run_id`) that are not compared.
        show: Rows to keep as examples for each table and direction.

    Returns:
        One entry for each table of A that is not skipped, by name; and the names of tables that only B has.
    """
    with closing(duckdb.connect(config={"autoinstall_known_extensions": "false"})) as connection:
        for name, path in (("a", a), ("b", b)):
            quoted = str(path).replace("'", "''")
            connection.execute(f"ATTACH '{quoted}' AS {name} (READ_ONLY)")
        mine, other = _columns(connection, "a"), _columns(connection, "b")
        found = [_compare(connection, name, mine, other, skip, show) for name in sorted(mine.keys() - skip)]
    return found, sorted(other.keys() - mine.keys())


def published_file(path: Path) -> Path:
    """Return the published file for a path: itself, or the one in a data folder.

    Raises:
        FileNotFoundError: It does not exist.
    """
    return (path / "warehouse" / "klip.duckdb" if path.is_dir() else path).resolve(strict=True)


def _compare(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    mine: dict[str, list[str]],
    other: dict[str, list[str]],
    skip: frozenset[str],
    show: int,
) -> Difference:
    if table not in other:
        return Difference(table)
    volatile = TABLES[table].volatile if table in TABLES else frozenset()
    compared = [name for name in mine[table] if name not in volatile and f"{table}.{name}" not in skip | OF_A_RUN]
    columns = [name for name in compared if name in other[table]]
    chosen = ", ".join(f'"{name}"' for name in columns)
    of = {name: f'(SELECT {chosen} FROM {name}."{table}")' for name in ("a", "b")}  # noqa: S608
    lost = [f"{of['a']} EXCEPT ALL {of['b']}", f"{of['b']} EXCEPT ALL {of['a']}"]
    found = Difference(
        table,
        (_count(connection, of["a"]), _count(connection, of["b"])),
        columns,
        gone=[name for name in compared if name not in other[table]],
        added=[name for name in other[table] if name not in mine[table]],
        lost=(_count(connection, f"({lost[0]})"), _count(connection, f"({lost[1]})")),
    )
    for sign, rows, query in zip("-+", found.lost, lost, strict=True):
        if rows:
            several = connection.execute(f"SELECT * FROM ({query}) ORDER BY ALL LIMIT {show}").fetchall()  # noqa: S608
            found.examples += [f"{sign} {dict(zip(columns, row, strict=True))}" for row in several]
    return found


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, list[str]]:
    rows = connection.execute(
        "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
        "WHERE database_name = ? AND NOT internal GROUP BY ALL",
        [database],
    ).fetchall()
    return {str(name): list(columns) for name, columns in rows}


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    found = connection.execute(f"SELECT count(*) FROM {relation}").fetchone()  # noqa: S608
    return int(found[0]) if found else 0


def main() -> int:
    """Print a line for each table, and examples of the differences."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", type=Path, help="the older file, or a data folder")
    parser.add_argument("b", type=Path, help="the newer one")
    parser.add_argument(
        "--skip", action="append", default=[], metavar="TABLE", help="skip a table, or a column as TABLE.COLUMN"
    )
    parser.add_argument("--show", type=int, default=3, help="rows to show per difference")
    args = parser.parse_args()
    try:
        a, b = published_file(args.a), published_file(args.b)
    except FileNotFoundError as error:
        parser.error(f"{error.filename}: no such file")
    found, new = compare(a, b, skip=frozenset(args.skip), show=args.show)
    for entry in found:
        if entry.rows is None:
            print(f"{entry.table:24} MISSING in B")
            continue
        verdict = "same" if entry.same else f"DIFFERENT: {entry.lost[0]} rows only in A, {entry.lost[1]} only in B"
        print(f"{entry.table:24} {entry.rows[0]:8} {entry.rows[1]:8} rows, {len(entry.columns):2} columns: {verdict}")
        for name, columns in (("columns that B lacks", entry.gone), ("columns that only B has", entry.added)):
            if columns:
                print(f"    {name}: {', '.join(columns)}")
        for example in entry.examples:
            print(f"    {example}")
    if new:
        print(f"tables that only B has: {', '.join(new)}")
    different = [entry.table for entry in found if not entry.same]
    print(
        f"{len(found)} tables compared, {len(different)} different" + (f": {', '.join(different)}" if different else "")
    )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
