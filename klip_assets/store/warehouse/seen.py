"""Snapshots of the lake as a publisher saw it: every file a published version depends on, with a stamp that changes.

Comparing two snapshots shows what is new, changed or gone without opening a file. This keeps the publish of one changed
video among ten thousand short, and tells the sensor whether there is something to publish.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from klip_assets.contracts import (
    DERIVED_TABLES,
    KINDS,
    PROVENANCE,
    PUBLISHED_TABLES,
    STAGE_STATUS,
    TABLES,
    Kind,
    Subject,
    key_of,
)
from klip_assets.store.lake.lake import Lake
from klip_assets.store.locks import is_held, subject_lock

#: Table, or folder of accepted records -> key -> stamp.
Seen = dict[str, dict[str, str]]

ACCEPTED: dict[Kind, str] = {kind: f"_accepted/{kind}" for kind in KINDS}
STAGES = STAGE_STATUS.name

#: Tables that are published as they are, not by generation.
RECORD_TABLES = tuple(
    name
    for name in PUBLISHED_TABLES
    if TABLES[name].partition not in KINDS and name not in (PROVENANCE.name, STAGES, *DERIVED_TABLES)
)


def take_snapshot(lake: Lake) -> tuple[Seen, list[str]]:
    """Take a snapshot of the lake.

    Returns:
        The snapshot, and the partitions with a run in progress. Those are not in its `stage_status`, so that a publish
        in the middle of a run does not count as having seen its end.
    """
    stages = dict(_partitions(lake.root / STAGES))
    held = [key for key in stages if is_held(subject_lock(lake.root, Subject.of(key)))]
    seen: Seen = {STAGES: {key: stamp for key, stamp in stages.items() if key not in held}}
    for name in RECORD_TABLES:
        seen[name] = dict(_partitions(lake.root / name))
    return seen | scan_accepted(lake), held


def scan_accepted(lake: Lake) -> Seen:
    """Take a snapshot of the accepted records only."""
    return {where: dict(_records(lake.root / where)) for where in ACCEPTED.values()}


def stamp_of(seen: Seen) -> str:
    """Return a hash of a snapshot. Accepted records count only by name, since a publish writes them itself."""
    names = {where: sorted(seen[where]) for where in ACCEPTED.values()}
    return hashlib.sha256(json.dumps({**seen, **names}, sort_keys=True).encode()).hexdigest()


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    """Return the keys that are new, have a different stamp, or are gone."""
    return {key for key in before.keys() | now.keys() if before.get(key) != now.get(key)}


def _partitions(folder: Path) -> Iterator[tuple[str, str]]:
    # An unpartitioned table has its file in the folder itself, under the key ''.
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        path = f"{entry.path}/part-0.parquet" if entry.is_dir() else entry.path
        if path.endswith("/part-0.parquet") and (stamp := _stamp(path)):
            yield key_of(entry.name) if entry.is_dir() else "", stamp


def _records(folder: Path) -> Iterator[tuple[str, str]]:
    for entry in os.scandir(folder) if folder.is_dir() else ():
        if entry.name.endswith(".json") and (stamp := _stamp(entry.path)):
            yield entry.name.removesuffix(".json"), stamp


def _stamp(path: str) -> str | None:
    # Two writes can fall within one tick of the file system's clock; a replaced file has another inode.
    try:
        found = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None
    return f"{found.st_mtime_ns}:{found.st_ino}"
