"""Whether the present state of a video or day may be published.

It may when every stage has run on the present output of the stages before it, none failed, and no invariant is broken.
"""

from __future__ import annotations

from klip_assets.contracts import TABLES
from klip_assets.errors import LockHeldError
from klip_assets.store.lake.generations import TABLES_OF, Generation, Kind, accept, accepted_generation
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.lake.stage_status import partition_lock, read_stages
from klip_assets.store.locks import hold
from klip_assets.work.invariants import broken_invariants


def is_whole(lake: Lake, kind: Kind, key: str) -> bool:
    """Say whether every stage of a video or day has run on the present output of those before it, and none failed."""
    present = {name: lake.provenance(TABLES[name], key) for name in TABLES_OF[kind]}
    return not _unfinished(present) and not _failed(lake, key, present)


def consider(lake: Lake, kind: Kind, key: str) -> list[str]:
    """Accept the present state of a video or day, if it is whole and sound.

    Its lock is held meanwhile; if somebody works on it, it is passed over.

    Returns:
        Why it was not accepted; [] if it is, or was before.
    """
    lock = partition_lock(lake.root, kind, key)
    try:
        with hold(lock, what=f"whether {key} can be published", timeout_s=0):
            return _consider(lake, kind, key)
    except LockHeldError:
        return ["a run is on it"]


def _consider(lake: Lake, kind: Kind, key: str) -> list[str]:
    before = accepted_generation(lake, kind, key)
    present = {name: lake.provenance(TABLES[name], key) for name in TABLES_OF[kind]}
    head = TABLES_OF[kind][0]
    first = present[head]
    if first is None:
        return [f"{head} has not been made"]
    if first.notes.get("unreadable"):
        if before is not None:
            return ["the new content can't be read; the rows of the old one stay"]
        present = {head: first}
    reasons = [*_unfinished(present), *_failed(lake, key, present)]
    complete = {name: provenance for name, provenance in present.items() if provenance}
    generation = Generation(kind, key, complete, first.input_versions.get("source", ""))
    is_known = before is not None and (generation.data_versions, generation.source) == (
        before.data_versions,
        before.source,
    )
    if not reasons and not is_known and len(complete) > 1:
        reasons = broken_invariants(lake, kind, key, complete)
    if not reasons and not is_known:
        accept(lake, generation)
    return reasons


def _unfinished(present: dict[str, Provenance | None]) -> list[str]:
    # Inputs are tables by name, or files of the recording; what the files are now stands in the notes of `videos`.
    current = {name: provenance.data_version for name, provenance in present.items() if provenance}
    for provenance in present.values():
        current |= (provenance.notes.get("files") or {}) if provenance else {}
    reasons = []
    for name, provenance in present.items():
        if provenance is None:
            reasons.append(f"{name} has not been made")
            continue
        for source, version in provenance.input_versions.items():
            if current.get(source, version) != version:
                reasons.append(f"{name} was made from an older {source}")
    return reasons


def _failed(lake: Lake, key: str, present: dict[str, Provenance | None]) -> list[str]:
    return [
        f"{row['table_name']} failed: {row['error']}"
        for row in read_stages(lake, key)
        if row["status"] == "failed" and row["table_name"] in present and len(present) > 1
    ]
