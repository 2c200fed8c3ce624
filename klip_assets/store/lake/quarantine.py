"""Refused inputs by source: one Parquet file per source, replaced as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from klip_assets.contracts import QUARANTINE, key_of
from klip_assets.formats.refused import Refused, listed
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.records import write_record


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
    now = datetime.now(UTC).replace(tzinfo=None)
    kept = {entry.position: entry for entry in listed(refused, len(refused))}
    rows = [
        {"source_file": source_file, "table_name": table_name, "seen_at": now, **vars(entry)} for entry in kept.values()
    ]
    write_record(lake, QUARANTINE, key, QUARANTINE.from_rows(rows), run_id=run_id)


def refused_sources(lake: Lake, table_name: str) -> dict[str, str]:
    """Return the sources with refusals for a table, each with the reason of its first."""
    found = {}
    for path in lake.paths(QUARANTINE):
        first = lake.read(QUARANTINE, key_of(path.parent)).slice(0, 1).to_pylist()
        if first and first[0]["table_name"] == table_name:
            found[first[0]["source_file"]] = first[0]["reason"]
    return found


def _key(source_file: str, table_name: str) -> str:
    return hashlib.sha256(f"{table_name}\x00{source_file}".encode()).hexdigest()[:16]
