"""Refused inputs: one Parquet file per source, replaced as a whole; files that are not used share a few."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from klip_assets.contracts import QUARANTINE, key_of
from klip_assets.errors import DamagedError
from klip_assets.formats.refused import Refused, listed
from klip_assets.store.files import sweep, write_atomically
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.records import write_record

#: Parts of a list of whole files: few enough to be read at each scan, and of a long list only some are rewritten.
_PARTS = 16


def quarantine(lake: Lake, source_file: str, table_name: str, refused: Sequence[Refused], *, run_id: str) -> None:
    """Write the refusals of one source for one table; an empty list clears the source.

    Args:
        lake: The lake.
        source_file: The file, relative to the inbox.
        table_name: Table it was meant for.
        refused: The refusals; beyond 10,000 only their number is kept.
        run_id: Run that refused it.
    """
    key = _key(source_file, table_name)
    if not refused:
        lake.remove(QUARANTINE, key)
        return
    now = _now()
    kept = {entry.position: entry for entry in listed(refused, len(refused))}
    rows = [
        {"source_file": source_file, "table_name": table_name, "seen_at": now, **vars(entry)} for entry in kept.values()
    ]
    write_record(lake, QUARANTINE, key, QUARANTINE.from_rows(rows), run_id=run_id)


def quarantine_files(lake: Lake, table_name: str, refused: Mapping[str, Refused], *, run_id: str) -> None:
    """Make the quarantine list exactly these whole files for one table. What is listed already is not written again.

    There may be thousands of them, so they share `_PARTS` partitions by the hash of their names.

    Args:
        lake: The lake.
        table_name: Table they were meant for; not one that `quarantine` is given.
        refused: File relative to the inbox -> its refusal.
        run_id: Run that found them.
    """
    wanted: defaultdict[int, dict[str, Refused]] = defaultdict(dict)
    for name, entry in refused.items():
        wanted[int(hashlib.sha256(name.encode()).hexdigest()[-8:], 16) % _PARTS][name] = entry
    for number in range(_PARTS):
        _write_part(lake, table_name, f"{table_name}-files-{number}", wanted[number], run_id=run_id)


def refused_as_a_whole(lake: Lake, source_files: Iterable[str], table_name: str) -> dict[str, Refused]:
    """Return the refusals of those of some files that were refused as a whole for a table."""
    found: dict[str, Refused] = {}
    for name in source_files:
        key = _key(name, table_name)
        if lake.exists(QUARANTINE, key):
            for row in lake.read(QUARANTINE, key).select(["position", "reason", "detail"]).to_pylist():
                if row["position"] == "file":
                    found[name] = Refused(**row)
    return found


def remove_single(lake: Lake, table_name: str, refused: Mapping[str, Refused]) -> None:
    """Remove the partitions with one file each that older versions of Klip wrote where `quarantine_files` is used now.

    All are read once, and a file beside them says so; later, only those of files that are listed are looked for.
    """
    folder = lake.root / QUARANTINE.name
    done = folder / f".{table_name}-files"
    if not folder.is_dir():
        return
    names = refused if done.exists() else refused_sources(lake, table_name)
    there = {key_of(path.name) for path in folder.iterdir() if path.name.startswith("source=")}
    for key in there.intersection(_key(name, table_name) for name in names):
        lake.remove(QUARANTINE, key)
    if not done.exists():
        sweep(folder)
        write_atomically(done, lambda path: path.touch())


def refused_sources(lake: Lake, table_name: str) -> dict[str, str]:
    """Return the sources with refusals for a table, each with the reason of its first."""
    found: dict[str, str] = {}
    for path in lake.paths(QUARANTINE):
        rows = lake.read(QUARANTINE, key_of(path.parent)).select(["table_name", "source_file", "reason"])
        for row in rows.to_pylist():
            if row["table_name"] == table_name:
                found.setdefault(row["source_file"], row["reason"])
    return found


def forget_sources(lake: Lake, is_one: Callable[[str], bool]) -> int:
    """Remove what was refused of some sources; lists of whole files that are not used stay.

    Args:
        lake: The lake.
        is_one: Takes a source file relative to the inbox.

    Returns:
        How many rows were removed.
    """
    removed = 0
    for path in lake.paths(QUARANTINE):
        key = key_of(path.parent)
        rows = lake.read(QUARANTINE, key)
        sources = set(zip(rows["source_file"].to_pylist(), rows["table_name"].to_pylist(), strict=True))
        if {_key(*source) for source in sources} == {key} and is_one(next(iter(sources))[0]):
            lake.remove(QUARANTINE, key)
            removed += rows.num_rows
    return removed


def _write_part(lake: Lake, table_name: str, key: str, refused: Mapping[str, Refused], *, run_id: str) -> None:
    listed_now = hashlib.sha256(repr(sorted((name, *vars(entry).values()) for name, entry in refused.items())).encode())
    inputs = {"files": listed_now.hexdigest()[:32]}
    before: dict[str, dict[str, object]] = {}
    try:
        written = lake.provenance(QUARANTINE, key)
        if written is None and not refused:
            return
        if written is not None and written.input_versions == inputs:
            return
        if written is not None:
            before = {row["source_file"]: row for row in lake.read(QUARANTINE, key).to_pylist()}
    except DamagedError:
        pass  # It is replaced.
    if not refused:
        lake.remove(QUARANTINE, key)
        return
    now, rows = _now(), []
    for name, entry in refused.items():
        row = {"source_file": name, "table_name": table_name, **vars(entry)}
        known = before.get(name, {})
        is_known = all(known.get(column) == value for column, value in row.items())
        rows.append({**row, "seen_at": known["seen_at"] if is_known else now})
    write_record(lake, QUARANTINE, key, QUARANTINE.from_rows(rows), run_id=run_id, inputs=inputs)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _key(source_file: str, table_name: str) -> str:
    return hashlib.sha256(f"{table_name}\x00{source_file}".encode()).hexdigest()[:16]
