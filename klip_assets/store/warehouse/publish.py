"""Publishing: a new version of the DuckDB file, and the link that points to it.

The file is built under another name, takes its own (`.klip-<n>.duckdb`) when it is complete, and `klip.duckdb`, a
symbolic link, is then turned to it in one step. So a reader never waits, never sees half a publish, and keeps what he
has open until he reconnects; and one who opens the file for writing hurts only that version. Rows come from accepted
generations alone. Long detail is not copied: views read hard links to the very Parquet files of the generation, in a
folder beside the file.

A version is made from the one before and what changed since, unless that one can't be trusted (another Klip made it,
somebody wrote to it) or most of it changed: then from nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from klip_assets.contracts import DERIVED_TABLES, PUBLISHED_TABLES, TABLES, VIDEO_TABLES, VIDEOS, Kind, Subject
from klip_assets.failpoints import fail_point
from klip_assets.store.files import link_or_copy, point_link, sweep, write_atomically
from klip_assets.store.lake.generations import (
    Generation,
    accepted_generation,
    forget_others,
    is_accepted_since,
)
from klip_assets.store.lake.lake import Lake
from klip_assets.store.locks import hold, publish_lock
from klip_assets.store.warehouse import ddl
from klip_assets.store.warehouse.build import Change, Compose, fill
from klip_assets.store.warehouse.calls import calls_due, take_over_calls
from klip_assets.store.warehouse.marts.statements import MACROS, statement
from klip_assets.store.warehouse.seen import (
    ACCEPTED,
    RECORD_TABLES,
    STAGES,
    Seen,
    changed,
    look,
    scan_accepted,
    stamp_of,
)

LINK = "klip.duckdb"

#: Raised when the same lake and statements would be published in another way: no version made before is built upon.
BUILD = "1"

#: A reason that passes by itself, once the run that works on a video or day has ended.
RUN_IS_ON = "a run is on it"


@dataclass(frozen=True)
class Policy:
    """What the store is told by those who decide.

    Attributes:
        accept: Accepts the present state of a video or day if it may be published; returns the reasons why not.
        compose: Says what `videos` tells of an accepted video beside what its first stage wrote.
    """

    accept: Callable[[Lake, Subject], Sequence[str]]
    compose: Compose


_VERSION = re.compile(r"\.klip-(\d+)\.duckdb$")

#: A version made from the one before may grow to so many times the size it had when last made from nothing.
MAX_GROWTH = 2.0


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
        from_nothing: Whether the file was made from nothing, not from the version before.
    """

    path: Path
    version: int
    rows: Mapping[str, int]
    videos: int
    days: int
    waiting: Mapping[str, Sequence[str]] = field(default_factory=dict)
    from_nothing: bool = True


def publish(
    lake: Lake,
    folder: Path,
    *,
    policy: Policy,
    state_dir: Path,
    storage_version: str,
    keep_versions: int,
    timeout_s: float,
    ledger: Path | None = None,
    from_nothing: bool = False,
) -> Published:
    """Accept what is ready and publish everything accepted.

    Args:
        lake: The lake.
        folder: Folder of the warehouse.
        policy: Asked about each video and day whose stages have changed.
        state_dir: Where the lock of the publishers lies.
        storage_version: DuckDB storage version of the file.
        keep_versions: Versions that stay, for readers that have them open.
        timeout_s: Seconds to wait for another publisher.
        ledger: File with the calls of language models, if there may be one.
        from_nothing: Do not start from the version before.

    Raises:
        LockHeldError: Another publisher did not finish in time; names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with hold(publish_lock(state_dir), what="the publish", timeout_s=timeout_s):
        fail_point("publish.begin")
        _clear(folder)
        for where in ACCEPTED.values():
            sweep(lake.root / where)
        if ledger:
            take_over_calls(lake, ledger)
        try:
            return _publish(lake, folder, policy, storage_version, keep_versions, from_nothing=from_nothing)
        except BaseException:
            _clear(folder)  # On a full disk, what was half built would be in the way of everybody.
            raise


def _publish(
    lake: Lake, folder: Path, policy: Policy, storage_version: str, keep_versions: int, *, from_nothing: bool
) -> Published:
    recipe = _recipe(folder, storage_version)
    before = None if from_nothing else _base(folder, recipe)
    base: Seen = before["seen"] if before else {}
    seen, held = look(lake)  # Before anything is read: what changes in the meantime counts as unseen.
    reasons: dict[str, Sequence[str]] = {key: [RUN_IS_ON] for key in held}
    reasons |= _accept_changed(lake, policy, base.get(STAGES, {}), seen[STAGES])
    # Who was not asked again waits for what he waited for before.
    waited = {key: why for key, why in waiting_in(folder).items() if key in seen[STAGES] and key not in reasons}
    waiting = {**(waited if base else {}), **{key: why for key, why in reasons.items() if why}}
    seen |= scan_accepted(lake)
    everything = {kind: set(seen[where]) for kind, where in ACCEPTED.items()}
    keys = {kind: changed(base.get(where, {}), seen[where]) for kind, where in ACCEPTED.items()}
    if before and sum(map(len, keys.values())) * 2 > sum(map(len, everything.values())):
        before, base, keys = None, {}, everything
    version = max(_versions(folder), default=0) + 1
    building = folder / f".building-{version}.duckdb"
    if before:
        shutil.copyfile(folder / f".klip-{before['version']}.duckdb", building)
        if not _is_untouched(folder, before):  # Somebody wrote to it while it was copied.
            building.unlink()
            before, base, keys = None, {}, everything
    change = _change(lake, base, seen, held, keys)
    detail, database = folder / f".klip-{version}", folder / f".klip-{version}.duckdb"
    _link_detail(lake, seen, change, folder / f".klip-{before['version']}" if before else None, detail)
    fail_point("publish.build")
    rows = fill(
        building, detail, lake, change, compose=policy.compose, storage_version=storage_version, new=before is None
    )
    building.chmod(0o444)
    fail_point("publish.built")
    building.replace(database)
    fail_point("publish.named")
    point_link(folder / LINK, database.name, temporary=folder / f".building-{LINK}", point="publish.turn")
    fail_point("publish.turned")
    # Before the note is written: a publisher that is killed here leaves the same keys to the next one.
    for made in change.generations.values():
        for generation in made.values():
            forget_others(lake, generation)
    whole = before["whole_bytes"] if before else database.stat().st_size
    note = {"version": version, "recipe": recipe, "whole_bytes": whole, "seen": seen, "waiting": waiting}
    _note(folder, database, note, rows)
    _prune(folder, keep_versions)
    counts = {kind: len(seen[where]) for kind, where in ACCEPTED.items()}
    return Published(folder / LINK, version, rows, counts["video_id"], counts["day"], waiting, before is None)


def needs_publish(lake: Lake, folder: Path, *, storage_version: str, ledger: Path | None = None) -> str | None:
    """Say whether a publish is due: the lake changed, or the ledger or Klip did, or the folder was moved.

    Returns:
        A name for the state of lake and warehouse that makes it due; None if everything is published and the
        published version can be opened.
    """
    stamp = stamp_of(look(lake)[0])
    note = published_note(folder)
    recipe = _recipe(folder, storage_version)
    if note is None or note.get("stamp") != stamp or note.get("recipe") != recipe or not (folder / LINK).exists():
        return f"{stamp}:{recipe}"
    if is_written_to(folder / LINK):
        return f"{stamp}:version {note['version']} is open for writing"
    if ledger and (calls := calls_due(lake, ledger)):
        return f"{stamp}:{calls}"
    return None


def is_written_to(database: Path) -> bool:
    """Say whether another process has a DuckDB file open for writing: nobody else can open it until that ends."""
    descriptor = os.open(database, os.O_RDONLY)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def published_note(folder: Path) -> dict[str, Any] | None:
    """Return what the last publisher noted: version, stamp, time and more; None if there was none."""
    try:
        return dict(json.loads((folder / "published.json").read_text()))
    except (FileNotFoundError, ValueError):
        return None


def waiting_in(folder: Path) -> dict[str, list[str]]:
    """Return the videos and days whose present state the last publisher did not publish, with the reasons."""
    return dict((published_note(folder) or {}).get("waiting", {}))


def _recipe(folder: Path, storage_version: str) -> str:
    # What a version depends on besides the lake: a version of another recipe is no base for the next.
    statements = [ddl.create_table(TABLES[name]) for name in PUBLISHED_TABLES]
    statements += [text for name in PUBLISHED_TABLES for text in ddl.comments(TABLES[name])]
    statements += [statement(name) for name in (MACROS, *DERIVED_TABLES)]
    return hashlib.sha256("\n".join([BUILD, storage_version, str(folder.absolute()), *statements]).encode()).hexdigest()


def _base(folder: Path, recipe: str) -> dict[str, Any] | None:
    note = published_note(folder)
    if note is None or note.get("recipe") != recipe:
        return None
    database = folder / f".klip-{note['version']}.duckdb"
    if not _is_untouched(folder, note) or database.stat().st_size > MAX_GROWTH * note["whole_bytes"]:
        return None
    return note


def _is_untouched(folder: Path, note: Mapping[str, Any]) -> bool:
    database = folder / f".klip-{note['version']}.duckdb"
    try:
        found = database.stat()
    except FileNotFoundError:
        return False
    return [found.st_size, found.st_mtime_ns] == note["file"] and not _wal(database).exists()


def _accept_changed(
    lake: Lake, policy: Policy, before: Mapping[str, str], now: Mapping[str, str]
) -> dict[str, Sequence[str]]:
    subjects = [Subject.of(key) for key in sorted(changed(before, now)) if key in now]
    return {
        subject.key: [] if is_accepted_since(lake, subject) else policy.accept(lake, subject) for subject in subjects
    }


def _change(lake: Lake, base: Seen, seen: Seen, held: Collection[str], keys: Mapping[Kind, set[str]]) -> Change:
    generations: dict[Kind, dict[str, Generation]] = {}
    for kind, chosen in keys.items():
        found = ((key, accepted_generation(lake, Subject(kind, key))) for key in sorted(chosen))
        generations[kind] = {key: generation for key, generation in found if generation}
    # Stages that somebody works on are in no picture; their rows are shown as they stand now.
    stages = changed(base.get(STAGES, {}), seen[STAGES]) | set(held)
    records = [name for name in RECORD_TABLES if not base or changed(base.get(name, {}), seen[name])]
    return Change(keys, generations, stages, records)


def _link_detail(lake: Lake, seen: Seen, change: Change, before: Path | None, detail: Path) -> None:
    shutil.rmtree(detail, ignore_errors=True)
    tables = [TABLES[name] for name in VIDEO_TABLES if TABLES[name].published_as == "view"]
    made = change.generations["video_id"]
    for table in tables:
        # A view needs at least one file to take its columns from.
        schema_only = detail / table.name / f"{table.partition}=_" / "part-0.parquet"
        schema_only.parent.mkdir(parents=True)
        pq.write_table(table.empty(), schema_only)
        for key in seen[ACCEPTED["video_id"]]:
            name = Path(table.name, f"{table.partition}={key}", "part-0.parquet")
            if key in made:
                if table.name in made[key].tables:
                    link_or_copy(made[key].path(lake, table.name), detail / name)
            elif before and (before / name).exists():
                link_or_copy(before / name, detail / name)


def _note(folder: Path, database: Path, note: Mapping[str, Any], rows: Mapping[str, int]) -> None:
    found = database.stat()
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds")
    more = {"stamp": stamp_of(note["seen"]), "published_at": now, "videos": rows[VIDEOS.name]}
    text = json.dumps({**note, **more, "file": [found.st_size, found.st_mtime_ns]})
    write_atomically(folder / "published.json", lambda to: to.write_text(text))


def _versions(folder: Path) -> list[int]:
    return sorted(int(match[1]) for path in folder.iterdir() if (match := _VERSION.search(path.name)))


def _wal(database: Path) -> Path:
    return database.with_name(database.name + ".wal")


def _clear(folder: Path) -> None:
    """Remove what a publisher that was killed left behind; the caller holds the lock of the publishers."""
    for leftover in folder.glob(".building-*"):
        leftover.unlink()
    sweep(folder)
    versions = _versions(folder)
    for leftover in folder.glob(".klip-*"):
        match = re.fullmatch(r"\.klip-(\d+)", leftover.name)
        if match and int(match[1]) not in versions:
            shutil.rmtree(leftover, ignore_errors=True)


def _prune(folder: Path, keep: int) -> None:
    current = (folder / LINK).resolve().name
    versions = _versions(folder)
    for version in versions[:-keep]:
        database = folder / f".klip-{version}.duckdb"
        if database.name != current and not is_written_to(database):
            fail_point("publish.prune", database.name)
            database.unlink(missing_ok=True)
            _wal(database).unlink(missing_ok=True)
            shutil.rmtree(folder / f".klip-{version}", ignore_errors=True)
