"""Reading the published file, read-only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from klip_assets.contracts import PUBLISHED_TABLES, TABLES
from klip_assets.errors import InputError, NotFoundError
from klip_assets.formats.globs import literally
from klip_assets.store.files import write_atomically
from klip_assets.store.warehouse import ddl
from klip_assets.store.warehouse.paths import writable


@contextmanager
def open_warehouse(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file read-only; statements can read only its own folder.

    Raises:
        NotFoundError: Nothing has been published yet.
    """
    if not path.exists():
        raise NotFoundError(f"there is no warehouse at {path}", hint="run klip process, or klip demo for a first look")
    with closing(duckdb.connect(str(path.resolve()), read_only=True)) as connection:
        connection.execute("SET autoinstall_known_extensions = false")
        # The views read it by a pattern, which is compared as it is written.
        own = {f"{path.parent.resolve()}/", f"{literally(path.parent.resolve())}/"}
        connection.execute(f"SET allowed_directories = [{', '.join(map(ddl.literal, sorted(own)))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def run_sql(path: Path, statement: str, parameters: Sequence[object] = ()) -> pa.Table:
    """Run one read-only statement on the published file.

    Raises:
        NotFoundError: Nothing has been published yet.
        InputError: It is not valid SQL, is more than one statement, or would write.
    """
    with open_warehouse(path) as connection:
        try:
            statements = connection.extract_statements(statement)
        except duckdb.Error as error:
            raise InputError(f"not valid DuckDB SQL: {_first_line(error)}") from error
        if len(statements) != 1:
            raise InputError(f"expected one statement, found {len(statements)}")
        kind = statements[0].type.name
        if kind not in ("SELECT", "EXPLAIN", "RELATION", "LOGICAL_PLAN"):
            raise InputError(f"the warehouse is read-only: {kind} is not allowed", hint="use SELECT")
        try:
            relation = connection.sql(statement, params=list(parameters) or None)
            return relation.to_arrow_table()
        except duckdb.Error as error:
            raise InputError(_first_line(error)) from error


def export(path: Path, target: Path, *, storage_version: str) -> dict[str, int]:
    """Write one self-contained DuckDB file: every published table as a native table, with comments.

    Args:
        path: The published file.
        target: File to create; must not exist.
        storage_version: DuckDB storage version of the file.

    Returns:
        Rows by table.

    Raises:
        NotFoundError: Nothing has been published yet.
        InputError: The target exists, or can't be written.
    """
    if not path.exists():
        raise NotFoundError(f"there is no warehouse at {path}", hint="run klip process, or klip demo for a first look")
    if target.exists():
        raise InputError(f"{target} exists", hint="remove it, or choose another name")
    rows: dict[str, int] = {}

    def copy(temporary: Path) -> None:
        with (
            writable(temporary) as place,
            closing(duckdb.connect(config={"autoinstall_known_extensions": "false"})) as connection,
        ):
            source, to = ddl.literal(str(path.resolve())), ddl.literal(str(place))
            connection.execute(f"ATTACH {source} AS published (READ_ONLY)")
            connection.execute(f"ATTACH {to} AS copy (STORAGE_VERSION {ddl.literal(storage_version)})")
            connection.execute("USE copy")
            for name in PUBLISHED_TABLES:
                table = TABLES[name]
                connection.execute(ddl.create_table(table))
                quoted = ddl.identifier(name)
                connection.execute(f"INSERT INTO {quoted} BY NAME SELECT * FROM published.{quoted}")  # noqa: S608
                for statement in ddl.comments(table):
                    connection.execute(statement.replace("COMMENT ON VIEW", "COMMENT ON TABLE", 1))
                found = connection.execute(f"SELECT count(*) FROM {quoted}").fetchone()  # noqa: S608
                rows[name] = int(found[0]) if found else 0
            connection.execute("USE memory")
            connection.execute("DETACH copy")

    try:
        write_atomically(target, copy)
    except (OSError, duckdb.IOException) as error:
        raise InputError(f"{target} can't be written: {_first_line(error)}") from error
    return rows


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
