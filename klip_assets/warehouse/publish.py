"""Publishing: a new version of the DuckDB file, and the link that points to it.

The file is built under a name of its own (`.klip-<n>.duckdb`) and `klip.duckdb`, a symbolic link, is then turned to
it in one step. So a reader never waits, never sees half a publish, and keeps what he has open until he reconnects;
and one who opens the file for writing hurts only that version. Rows come from accepted generations alone. Long
detail is not copied: views read hard links to the very Parquet files of the generation, in a folder beside the file.

Put here: building, turning the link, cleaning up. Keep out: what is accepted (`lake.generations`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from klip_assets.contracts import PROVENANCE, PUBLISHED_TABLES, STAGE_STATUS, TABLES, VIDEOS, Table
from klip_assets.lake.files import link_or_copy, sync_folder, write_atomically
from klip_assets.lake.generations import Generation, Kind, Verdict, accepted, consider_all
from klip_assets.lake.locks import hold, is_held
from klip_assets.lake.provenance import Provenance
from klip_assets.lake.stages import is_day, partition_lock
from klip_assets.lake.store import Lake, provenance_of
from klip_assets.warehouse import ddl

LINK = "klip.duckdb"
_VERSION = re.compile(r"\.klip-(\d+)\.duckdb$")


@dataclass(frozen=True)
class Published:
    """What a publish did.

    Attributes:
        path: The link analysts open.
        version: Number of the version it now points to.
        rows: Rows by table.
        videos: Number of videos whose generation is in it.
        days: Number of days of tweets in it.
        waiting: Video or day -> why its present state is not published.
    """

    path: Path
    version: int
    rows: Mapping[str, int]
    videos: int
    days: int
    waiting: Mapping[str, Sequence[str]] = field(default_factory=dict)


def publish(
    lake: Lake, folder: Path, *, state_dir: Path, storage_version: str, keep_versions: int, timeout_s: float
) -> Published:
    """Accept what is ready and publish everything accepted.

    Args:
        lake: The lake.
        folder: Folder of the warehouse.
        state_dir: Where the lock of the publishers lies.
        storage_version: DuckDB storage version of the file.
        keep_versions: Versions that stay, for readers that have them open.
        timeout_s: Seconds to wait for another publisher.

    Raises:
        LockHeldError: Another publisher did not finish in time; names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with hold(state_dir / "publish.lock", what="the publish", timeout_s=timeout_s):
        seen = _seen(lake)
        verdicts = _consider_changed(lake)
        stamp = _stamp(seen, lake)
        generations: dict[Kind, dict[str, Generation]] = {kind: accepted(lake, kind) for kind in ("video_id", "day")}
        version = max(_versions(folder), default=0) + 1
        detail = folder / f".klip-{version}"
        database = folder / f".klip-{version}.duckdb"
        shutil.rmtree(detail, ignore_errors=True)
        database.unlink(missing_ok=True)
        _link_detail(lake, generations["video_id"].values(), detail)
        rows = _build(database, detail, lake, generations, storage_version)
        database.chmod(0o444)
        _turn_link(folder, database)
        _note(folder, version, stamp, rows)
        _prune(folder, keep_versions)
    waiting = {key: verdict.reasons for key, verdict in verdicts.items() if verdict.reasons}
    return Published(folder / LINK, version, rows, len(generations["video_id"]), len(generations["day"]), waiting)


def lake_stamp(lake: Lake) -> str:
    """Return a stamp that changes whenever there may be something new to publish.

    Partitions that a run is working on are left out, so that a publish in the middle of a run does not count as
    having seen its end.
    """
    return _stamp(_seen(lake), lake)


def published_stamp(folder: Path) -> str | None:
    """Return the stamp of the lake when it was last published, None if it never was."""
    note = published_note(folder)
    return note["stamp"] if note and (folder / LINK).exists() else None


def published_note(folder: Path) -> dict[str, str] | None:
    """Return what the last publisher noted: version, stamp, time; None if there was none."""
    try:
        return dict(json.loads((folder / "published.json").read_text()))
    except (FileNotFoundError, ValueError):
        return None


def _seen(lake: Lake) -> list[str]:
    # What a publish looks at; taken before it looks, so that a change in the meantime counts as unseen.
    parts = [
        f"{path.parent.name}:{path.stat().st_mtime_ns}"
        for path in lake.paths(STAGE_STATUS)
        if not is_held(partition_lock(lake.root, *_kind_and_key(path)))
    ]
    for name in ("quarantine", "evaluations", "feedback"):
        parts += [f"{name}/{path.parent.name}:{path.stat().st_mtime_ns}" for path in lake.paths(TABLES[name])]
    return parts


def _stamp(seen: Sequence[str], lake: Lake) -> str:
    names = sorted(path.name for path in (lake.root / "_accepted").glob("*/*.json"))
    return hashlib.sha256(json.dumps([seen, names]).encode()).hexdigest()


def _kind_and_key(stage_status_path: Path) -> tuple[Kind, str]:
    key = stage_status_path.parent.name.partition("=")[2]
    return ("day" if is_day(key) else "video_id"), key


def _consider_changed(lake: Lake) -> dict[str, Verdict]:
    changed: dict[Kind, list[str]] = {"video_id": [], "day": []}
    for path in lake.paths(STAGE_STATUS):
        kind, key = _kind_and_key(path)
        record = lake.root / "_accepted" / kind / f"{key}.json"
        if not record.exists() or record.stat().st_mtime_ns <= path.stat().st_mtime_ns:
            changed[kind].append(key)
    return {**consider_all(lake, "video_id", changed["video_id"]), **consider_all(lake, "day", changed["day"])}


def _link_detail(lake: Lake, videos: Iterable[Generation], detail: Path) -> None:
    for name in PUBLISHED_TABLES:
        table = TABLES[name]
        if table.published_as != "view":
            continue
        # A view needs at least one file to take its columns from.
        schema_only = detail / name / f"{table.partition}=_" / "part-0.parquet"
        schema_only.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.empty(), schema_only)
    for generation in videos:
        for name in generation.tables:
            if TABLES[name].published_as == "view":
                target = detail / name / f"{generation.kind}={generation.key}" / "part-0.parquet"
                link_or_copy(generation.path(lake, name), target)


def _build(
    database: Path, detail: Path, lake: Lake, generations: Mapping[Kind, Mapping[str, Generation]], storage: str
) -> dict[str, int]:
    rows = {}
    with closing(duckdb.connect(config={"autoinstall_known_extensions": "false"})) as connection:
        where = ddl.literal(str(database))
        connection.execute(f"ATTACH {where} AS klip (STORAGE_VERSION {ddl.literal(storage)})")
        connection.execute("USE klip")
        connection.execute("BEGIN")
        for name in PUBLISHED_TABLES:
            table = TABLES[name]
            if table.published_as == "view":
                connection.execute(ddl.create_view(table, detail / name))
            else:
                connection.execute(ddl.create_table(table))
                if table is PROVENANCE:
                    _insert_rows(connection, table, _provenance(lake, generations))
                else:
                    _insert_files(connection, table, _files(lake, table, generations))
            for statement in ddl.comments(table):
                connection.execute(statement)
            counted = connection.execute(f"SELECT count(*) FROM {ddl.identifier(name)}").fetchone()  # noqa: S608
            rows[name] = int(counted[0]) if counted else 0
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT klip")
        connection.execute("USE memory")
        connection.execute("DETACH klip")
    with database.open("rb") as file:
        os.fsync(file.fileno())
    return rows


def _files(lake: Lake, table: Table, generations: Mapping[Kind, Mapping[str, Generation]]) -> list[Path]:
    if table.partition in ("video_id", "day"):
        kept = generations["video_id" if table.partition == "video_id" else "day"].values()
        return [generation.path(lake, table.name) for generation in kept if table.name in generation.tables]
    return lake.paths(table)


def _insert_files(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path]) -> None:
    if not files:
        return
    name, order = ddl.identifier(table.name), ", ".join(ddl.identifier(column) for column in table.key)
    # BY NAME: a file written before a column existed leaves it NULL; never by position.
    connection.execute(
        f"INSERT INTO {name} BY NAME SELECT * FROM "  # noqa: S608
        f"read_parquet(?, union_by_name = true, hive_partitioning = false) ORDER BY {order}",
        [[str(path) for path in files]],
    )


def _insert_rows(connection: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table) -> None:
    connection.register("incoming", rows)
    connection.execute(f"INSERT INTO {ddl.identifier(table.name)} BY NAME SELECT * FROM incoming")  # noqa: S608
    connection.unregister("incoming")


def _provenance(lake: Lake, generations: Mapping[Kind, Mapping[str, Generation]]) -> pa.Table:
    rows = []
    for kept in generations.values():
        for generation in kept.values():
            rows += [_provenance_row(name, generation.key, record) for name, record in generation.tables.items()]
    for name in ("weights", "quarantine", "evaluations", "feedback", "stage_status"):
        for path in lake.paths(TABLES[name]):
            record = provenance_of(path)
            if record:
                rows.append(_provenance_row(name, path.parent.name.partition("=")[2], record))
    return PROVENANCE.from_rows(sorted(rows, key=lambda row: (str(row["table_name"]), str(row["partition"]))))


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


def _turn_link(folder: Path, database: Path) -> None:
    temporary = folder / f".{LINK}.{os.getpid()}.tmp"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(database.name)
    temporary.replace(folder / LINK)
    sync_folder(folder)


def _note(folder: Path, version: int, stamp: str, rows: Mapping[str, int]) -> None:
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    note = {"version": version, "stamp": stamp, "published_at": now, "videos": rows[VIDEOS.name]}
    write_atomically(folder / "published.json", lambda to: to.write_text(json.dumps(note)))


def _versions(folder: Path) -> list[int]:
    return sorted(int(match[1]) for path in folder.iterdir() if (match := _VERSION.search(path.name)))


def _prune(folder: Path, keep: int) -> None:
    current = (folder / LINK).resolve().name
    versions = _versions(folder)
    kept = set(versions[-keep:])
    for version in versions:
        database = folder / f".klip-{version}.duckdb"
        writing = database.with_name(database.name + ".wal").exists()
        if version not in kept and database.name != current and not writing:
            database.unlink(missing_ok=True)
            shutil.rmtree(folder / f".klip-{version}", ignore_errors=True)
    for leftover in folder.glob(".klip-*"):
        match = re.fullmatch(r"\.klip-(\d+)", leftover.name)
        if match and int(match[1]) not in versions:
            shutil.rmtree(leftover, ignore_errors=True)
