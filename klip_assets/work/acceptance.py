"""Whether the current state of a video or day may be published.

It may if its stages have run on the current output of the stages upstream, none failed, and no invariant is broken. A
table that a video has never had does not hold back the ones it has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from klip_assets.contracts import TABLES, TABLES_OF, Subject
from klip_assets.errors import DamagedError, LockHeldError
from klip_assets.store.lake.generations import Generation, accept, accepted_generation
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.store.locks import hold, subject_lock
from klip_assets.store.warehouse.publish import RUN_IN_PROGRESS, Policy
from klip_assets.work.findings import NOTE, compose
from klip_assets.work.invariants import broken_invariants
from klip_assets.work.stages.catalogue import STAGES
from klip_assets.work.stages.versions import holds, input_version


def is_complete(lake: Lake, subject: Subject) -> list[str]:
    """Return why the current state of a video or day may not be published, [] if it may."""
    _, reasons = _examine(lake, subject)
    return reasons


def consider(lake: Lake, subject: Subject) -> list[str]:
    """Accept the current state of a video or day, if it may be published.

    Its lock is held meanwhile; if a run is in progress on it, it is skipped.

    Returns:
        Why it was not accepted; [] if it is accepted now, or already was.
    """
    try:
        with hold(subject_lock(lake.root, subject), what=f"publishing {subject}", timeout_s=0):
            generation, reasons = _examine(lake, subject)
            if generation and not reasons:
                accept(lake, _naming_columns(lake, generation))
            elif reasons:
                _withhold(lake, subject, reasons)
            return reasons
    except LockHeldError:
        return [RUN_IN_PROGRESS]
    except DamagedError as damage:
        return [str(damage)]


def _withhold(lake: Lake, subject: Subject, reasons: Sequence[str]) -> None:
    """Let a video that failed and was never published have its row in `videos`, with the reasons."""
    before = accepted_generation(lake, subject)
    head = TABLES_OF[subject.kind][0]
    first = lake.provenance(TABLES[head], subject.key)
    if subject.is_day or first is None or (before is not None and not before.withheld):
        return
    if not (
        _failed(lake, subject, TABLES_OF[subject.kind]) or broken_invariants(lake, subject, _present(lake, subject))
    ):
        return  # It is not finished, but nothing is wrong with it.
    generation = Generation(subject.kind, subject.key, {head: first}, "", tuple(reasons))
    if generation != before:
        accept(lake, generation)


def _compose(lake: Lake, generation: Generation) -> dict[str, object]:
    changes = compose(lake, generation)
    if not generation.withheld:
        return changes
    told = [str(changes["error"])] if changes.get("error") else []
    return {
        **changes,
        "status": "partial",
        "error": "; ".join(["not published: " + ", ".join(generation.withheld), *told]),
    }


#: The policy for the publisher.
POLICY = Policy(consider, _compose)


def _examine(lake: Lake, subject: Subject) -> tuple[Generation | None, list[str]]:
    """Return the generation of the current state, None if it is already accepted, and what is wrong with it."""
    before = accepted_generation(lake, subject)
    present = _present(lake, subject)
    head = TABLES_OF[subject.kind][0]
    first = present.get(head)
    if first is None:
        return None, _failed(lake, subject, (head,)) or [f"{head} has not been built"]
    if first.notes.get("unreadable"):
        if before is not None and len(before.tables) > 1:
            return None, ["the new content can't be read; the rows of the old content are kept"]
        present = {head: first}
        reasons = []
    else:
        reasons = _reasons(lake, subject, present, before)
    generation = Generation(subject.kind, subject.key, dict(present), first.input_versions.get("source", ""))
    is_known = before is not None and _made_of(generation) == _made_of(before)
    if not reasons and not is_known and len(present) > 1:
        reasons = broken_invariants(lake, subject, present)
    return (None if is_known else generation), reasons


def _naming_columns(lake: Lake, generation: Generation) -> Generation:
    """Record the columns that each table was made from, where an older Klip recorded the whole table.

    This has to happen now: the previous generation, which proves that those columns are the same, is about to go.
    """
    tables = dict(generation.tables)
    for name, record in tables.items():
        inputs = dict(record.input_versions)
        for source in inputs.keys() & tables.keys():
            if columns := STAGES[name].columns_of(source):
                inputs[source] = input_version(lake, TABLES[source], generation.subject, tables[source], columns)
        if inputs != dict(record.input_versions):
            tables[name] = lake.restamp(TABLES[name], generation.key, replace(record, input_versions=inputs))
    return replace(generation, tables=tables)


def _made_of(generation: Generation) -> object:
    # Equal rows with other findings, or from a newer stage, make a new generation.
    tables = {
        name: (record.data_version, record.stage_version, record.notes.get(NOTE))
        for name, record in generation.tables.items()
    }
    return generation.source, tables


def _present(lake: Lake, subject: Subject) -> dict[str, Provenance]:
    found = {name: lake.provenance(TABLES[name], subject.key) for name in TABLES_OF[subject.kind]}
    return {name: record for name, record in found.items() if record}


def _needed(subject: Subject, present: Mapping[str, Provenance], before: Generation | None) -> tuple[str, ...]:
    """Return the tables that the current state must have.

    All of them, if it was never accepted as a whole; otherwise a table that came with a newer Klip and was never made
    for this video or day is not required.
    """
    tables = TABLES_OF[subject.kind]
    if before is None or len(before.tables) == 1:
        return tables  # The accepted state of a recording that can't be read has only its first table.
    return tuple(name for name in tables if name in present or name in before.tables)


def _reasons(lake: Lake, subject: Subject, present: Mapping[str, Provenance], before: Generation | None) -> list[str]:
    """Return what keeps the stages of a video or day from being complete: the cause rather than its consequences."""
    needed = _needed(subject, present, before)
    missing = [name for name in needed if name not in present]
    outdated = {name: _outdated(lake, subject, present, name) for name in needed if name in present}
    open_ends = [
        *(f"{name} has not been built" for name in missing),
        *(f"{name} was built from older {source}" for name, sources in outdated.items() for source in sources),
    ]
    # A broken invariant stops the stages downstream, as a failure does.
    current = {name: present[name] for name, sources in outdated.items() if not sources}
    broken = broken_invariants(lake, subject, current) if open_ends else []
    return [*broken, *_failed(lake, subject, needed)] or open_ends


def _failed(lake: Lake, subject: Subject, names: Sequence[str]) -> list[str]:
    return [
        f"{row['table_name']} failed: {row['error']}"
        for row in read_stages(lake, subject.key)
        if row["status"] == "failed" and row["table_name"] in names
    ]


def _outdated(lake: Lake, subject: Subject, present: Mapping[str, Provenance], name: str) -> list[str]:
    """Return the inputs of a table that have changed since it was made."""
    # Inputs are tables by name, or files of the recording, whose current state is in the notes of `videos`.
    files: dict[str, str] = {}
    for record in present.values():
        files |= record.notes.get("files") or {}
    found = []
    for source, version in present[name].input_versions.items():
        if source in present:
            columns = STAGES[name].columns_of(source)
            is_current = holds(lake, TABLES[source], subject, present[source], columns, version)
        else:
            is_current = files.get(source, version) == version
        if not is_current:
            found.append(source)
    return found
