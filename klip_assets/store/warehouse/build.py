"""Filling the DuckDB file of one version: from scratch, or from the previous version and what changed since."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from klip_assets.contracts import (
    DERIVED_TABLES,
    PROVENANCE,
    PUBLISHED_TABLES,
    TABLES,
    TABLES_OF,
    VIDEOS,
    Kind,
    Table,
    key_of,
    sql_type,
)
from klip_assets.failpoints import fail_point
from klip_assets.formats.globs import literally
from klip_assets.store.lake.generations import Generation
from klip_assets.store.lake.lake import Lake, provenance_of
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.warehouse import ddl
from klip_assets.store.warehouse.marts.statements import derive
from klip_assets.store.warehouse.paths import writable
from klip_assets.store.warehouse.seen import STAGES

#: Given a generation of a video, returns the columns of `videos` that are composed from the findings of its stages.
Compose = Callable[[Lake, Generation], Mapping[str, object]]


@dataclass(frozen=True)
class Change:
    """What to replace in the file.

    Attributes:
        keys: Kind -> videos or days whose rows are replaced, or removed if they have no generation.
        generations: Kind -> generations of those that have one.
        stages: Partitions whose `stage_status` rows are replaced or removed.
        records: Tables that are replaced as a whole.
    """

    keys: Mapping[Kind, Collection[str]]
    generations: Mapping[Kind, Mapping[str, Generation]]
    stages: Collection[str]
    records: Collection[str]


def fill(
    database: Path, detail: Path, lake: Lake, change: Change, *, compose: Compose, storage_version: str, new: bool
) -> dict[str, int]:
    """Bring a database file up to date.

    Args:
        database: The file: created if `new`, else a copy of an earlier version.
        detail: Folder of the Parquet files that this version's views read.
        lake: The lake.
        change: What to replace; in a new file, everything.
        compose: Returns the columns of `videos` that differ from what its first stage wrote.
        storage_version: DuckDB storage version of a new file.
        new: Whether to build the file from scratch.

    Returns:
        Rows by table.
    """
    with (
        writable(database) as place,
        closing(duckdb.connect(config={"autoinstall_known_extensions": "false"})) as connection,
    ):
        options = f" (STORAGE_VERSION {ddl.literal(storage_version)})" if new else ""
        connection.execute(f"ATTACH {ddl.literal(str(place))} AS klip{options}")
        connection.execute("USE klip")
        connection.execute("BEGIN")
        for name in PUBLISHED_TABLES:
            table = TABLES[name]
            if table.published_as == "view":
                connection.execute(ddl.create_view(table, detail / name))
            elif new:
                connection.execute(ddl.create_table(table))
            if new or table.published_as == "view":
                for statement in ddl.comments(table):
                    connection.execute(statement)
        _replace_rows(connection, lake, change)
        _compose_videos(connection, lake, change, compose)
        _replace_provenance(connection, lake, change)
        derive(connection, DERIVED_TABLES if new else _changed_tables(change))
        rows = _count(connection)
        fail_point("publish.commit")
        connection.execute("COMMIT")
        fail_point("publish.committed")
        connection.execute("CHECKPOINT klip")
        connection.execute("USE memory")
        connection.execute("DETACH klip")
    with database.open("rb") as file:
        os.fsync(file.fileno())
    return rows


def _changed_tables(change: Change) -> set[str]:
    return {*change.records, *(name for kind, names in TABLES_OF.items() if change.keys.get(kind) for name in names)}


def _replace_rows(connection: duckdb.DuckDBPyConnection, lake: Lake, change: Change) -> None:
    for kind, names in TABLES_OF.items():
        keys = sorted(change.keys.get(kind, ()))
        for table in (TABLES[name] for name in names):
            if table.published_as == "table":
                made = change.generations.get(kind, {})
                files = [
                    made[key].path(lake, table.name) for key in keys if key in made and table.name in made[key].tables
                ]
                _delete(connection, table.name, kind, keys)
                _insert(connection, table, files)
    stages = TABLES[STAGES]
    _delete(connection, STAGES, "partition", sorted(change.stages))
    _insert(connection, stages, [path for key in sorted(change.stages) if (path := lake.path(stages, key)).exists()])
    for name in change.records:
        connection.execute(f"DELETE FROM {ddl.identifier(name)}")  # noqa: S608
        _insert(connection, TABLES[name], lake.paths(TABLES[name]))


def _delete(connection: duckdb.DuckDBPyConnection, name: str, column: str, keys: Sequence[str]) -> None:
    if keys:
        cast = "::DATE" if column == "day" else ""
        connection.execute(
            f"DELETE FROM {ddl.identifier(name)} WHERE {ddl.identifier(column)} IN "  # noqa: S608
            f"(SELECT unnest(?::VARCHAR[]){cast})",
            [list(keys)],
        )


def _insert(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path]) -> None:
    if not files:
        return
    name, order = ddl.identifier(table.name), ", ".join(ddl.identifier(column) for column in table.key)
    known = ", ".join(ddl.literal(column) for column in table.schema.names)
    # BY NAME: a file written before a column existed leaves it NULL, and columns of a newer Klip are skipped.
    connection.execute(
        f"INSERT INTO {name} BY NAME SELECT COLUMNS(lambda c: c IN ({known})) FROM "  # noqa: S608
        f"read_parquet(?, union_by_name = true, hive_partitioning = false) ORDER BY {order}",
        [[literally(path) for path in files]],
    )


def _compose_videos(connection: duckdb.DuckDBPyConnection, lake: Lake, change: Change, compose: Compose) -> None:
    for key, generation in sorted(change.generations.get("video_id", {}).items()):
        found = compose(lake, generation)
        if found:
            columns = ", ".join(
                f"{ddl.identifier(name)} = ?::{sql_type(VIDEOS.schema.field(name).type)}" for name in found
            )
            connection.execute(f"UPDATE videos SET {columns} WHERE video_id = ?", [*found.values(), key])  # noqa: S608


def _replace_provenance(connection: duckdb.DuckDBPyConnection, lake: Lake, change: Change) -> None:
    rows = []
    for kind, names in TABLES_OF.items():
        _forget_provenance(connection, names, change.keys.get(kind, ()))
        for generation in change.generations.get(kind, {}).values():
            rows += [_provenance_row(name, generation.key, record) for name, record in generation.tables.items()]
    _forget_provenance(connection, [STAGES], change.stages)
    paths = [(STAGES, path) for key in change.stages if (path := lake.path(TABLES[STAGES], key)).exists()]
    for name in change.records:
        connection.execute(f"DELETE FROM {PROVENANCE.name} WHERE table_name = ?", [name])  # noqa: S608
        paths += [(name, path) for path in lake.paths(TABLES[name])]
    for name, path in paths:
        if record := provenance_of(path):
            rows.append(_provenance_row(name, key_of(path.parent), record))
    if rows:
        rows.sort(key=lambda row: (str(row["table_name"]), str(row["partition"])))
        connection.register("incoming", PROVENANCE.from_rows(rows))
        connection.execute(f"INSERT INTO {PROVENANCE.name} BY NAME SELECT * FROM incoming")  # noqa: S608
        connection.unregister("incoming")


def _forget_provenance(connection: duckdb.DuckDBPyConnection, names: Iterable[str], keys: Collection[str]) -> None:
    if keys:
        connection.execute(
            f"DELETE FROM {PROVENANCE.name} WHERE table_name IN (SELECT unnest(?::VARCHAR[])) "  # noqa: S608
            "AND partition IN (SELECT unnest(?::VARCHAR[]))",
            [list(names), list(keys)],
        )


def _provenance_row(name: str, partition: str, record: Provenance) -> dict[str, object]:
    return {
        "table_name": name,
        "partition": partition,
        "run_id": record.run_id,
        "code_version": record.code_version,
        "data_version": record.data_version,
        "input_versions": [{"input": key, "version": value} for key, value in sorted(record.input_versions.items())],
        "rows": record.rows,
        "failed_rows": record.failed_rows,
        "written_at": datetime.fromisoformat(record.written_at),
    }


def _count(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    # Rows behind a view are counted from their provenance, without opening its files.
    counts = connection.execute(f"SELECT table_name, sum(rows)::BIGINT FROM {PROVENANCE.name} GROUP BY ALL").fetchall()  # noqa: S608
    rows = dict.fromkeys(PUBLISHED_TABLES, 0) | dict(counts)
    for name in PUBLISHED_TABLES:
        if TABLES[name].published_as == "table":
            found = connection.execute(f"SELECT count(*) FROM {ddl.identifier(name)}").fetchone()  # noqa: S608
            rows[name] = int(found[0]) if found else 0
    return rows
