"""Publishing: a new version of the DuckDB file, and the link that points to it.

The file is built under a temporary name and renamed to `.klip-<n>.duckdb` when complete; then the symbolic link
`klip.duckdb` is atomically repointed to it. So readers never wait, never see half a publish, and keep the version they
have open until they reconnect; and someone who opens the file for writing damages only that version. Rows come only
from accepted generations. Long detail is not copied: views read hard links to the generation's own Parquet files, in a
folder beside the database.

A version is built from the previous one and what changed since, unless that one can't be trusted (another Klip built
it, or someone wrote to it) or most of it changed: then it is built from scratch.
"""

from __future__ import annotations

import hashlib
import json
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
from klip_assets.store.warehouse.calls import calls_due, copy_calls
from klip_assets.store.warehouse.marts.statements import MACROS, statement
from klip_assets.store.warehouse.seen import (
    ACCEPTED,
    RECORD_TABLES,
    STAGES,
    Seen,
    changed,
    scan_accepted,
    stamp_of,
    take_snapshot,
)
from klip_assets.store.warehouse.versions import (
    LINK,
    clear,
    forget_earlier,
    is_written_to,
    must_forget,
    prune,
    versions_in,
    wal_of,
)

#: Incremented when the same lake and statements would be published differently: earlier versions are not built upon.
BUILD = "1"

#: A reason that resolves itself once the run on the video or day has ended.
RUN_IN_PROGRESS = "a run is in progress"


@dataclass(frozen=True)
class Policy:
    """Decisions that the store leaves to its caller.

    Attributes:
        accept: Accepts the current state of a video or day if it may be published; returns the reasons why not.
        compose: For an accepted video, returns the columns of `videos` that differ from what its first stage wrote.
    """

    accept: Callable[[Lake, Subject], Sequence[str]]
    compose: Compose


#: A version built from the previous one may grow to this multiple of the size of the last one built from scratch.
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
        waiting: Video or day -> why its current state is not published.
        from_nothing: Whether the file was built from scratch, not from the previous version.
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
        policy: Decides on each video and day whose stages have changed.
        state_dir: Folder of the publish lock.
        storage_version: DuckDB storage version of the file.
        keep_versions: Number of versions to keep, for readers that have them open.
        timeout_s: Seconds to wait for another publisher.
        ledger: File with the ledger of language model calls, if any.
        from_nothing: Build from scratch, not from the previous version.

    Raises:
        LockHeldError: Another publisher did not finish in time; the message names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with hold(publish_lock(state_dir), what="the warehouse", timeout_s=timeout_s):
        fail_point("publish.begin")
        clear(folder)
        for where in ACCEPTED.values():
            sweep(lake.root / where)
        if ledger:
            copy_calls(lake, ledger)
        forget = must_forget(folder)
        try:
            done = _publish(lake, folder, policy, storage_version, keep_versions, from_nothing=from_nothing or forget)
        except BaseException:
            clear(folder)  # On a full disk, a half-built file would be in everyone's way.
            raise
        if forget:
            forget_earlier(folder)
        return done


def _publish(
    lake: Lake, folder: Path, policy: Policy, storage_version: str, keep_versions: int, *, from_nothing: bool
) -> Published:
    recipe = _recipe(folder, storage_version)
    before = None if from_nothing else _base(folder, recipe)
    base: Seen = before["seen"] if before else {}
    seen, held = take_snapshot(lake)  # Before anything is read: what changes in the meantime counts as unseen.
    reasons: dict[str, Sequence[str]] = {key: [RUN_IN_PROGRESS] for key in held}
    reasons |= _accept_changed(lake, policy, base.get(STAGES, {}), seen[STAGES])
    # A run that began since the snapshot: what it left is unseen, so that its end makes a publish due.
    begun = [key for key, why in reasons.items() if list(why) == [RUN_IN_PROGRESS] and key not in held]
    held += begun
    for key in begun:
        del seen[STAGES][key]
    # What was not checked this time keeps its earlier reasons.
    waited = {key: why for key, why in waiting_in(folder).items() if key in seen[STAGES] and key not in reasons}
    waiting = {**(waited if base else {}), **{key: why for key, why in reasons.items() if why}}
    seen |= scan_accepted(lake)
    everything = {kind: set(seen[where]) for kind, where in ACCEPTED.items()}
    keys = {kind: changed(base.get(where, {}), seen[where]) for kind, where in ACCEPTED.items()}
    if before and sum(map(len, keys.values())) * 2 > sum(map(len, everything.values())):
        before, base, keys = None, {}, everything
    version = max(versions_in(folder), default=0) + 1
    building = folder / f".building-{version}.duckdb"
    if before:
        shutil.copyfile(folder / f".klip-{before['version']}.duckdb", building)
        if not _is_untouched(folder, before):  # Someone wrote to it while it was being copied.
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
    # Before the note is written: if this publisher is killed here, the next one finds the same keys.
    for made in change.generations.values():
        for generation in made.values():
            forget_others(lake, generation)
    whole = before["whole_bytes"] if before else database.stat().st_size
    note = {"version": version, "recipe": recipe, "whole_bytes": whole, "seen": seen, "waiting": waiting}
    _note(folder, database, note, rows)
    prune(folder, keep_versions)
    counts = {kind: len(seen[where]) for kind, where in ACCEPTED.items()}
    return Published(folder / LINK, version, rows, counts["video_id"], counts["day"], waiting, before is None)


def needs_publish(lake: Lake, folder: Path, *, storage_version: str, ledger: Path | None = None) -> str | None:
    """Return whether a publish is due: the lake, the ledger or Klip changed, or the folder was moved.

    Returns:
        A name for the state of the lake and the warehouse that makes it due; None if everything is published and the
        published version can be opened.
    """
    stamp = stamp_of(take_snapshot(lake)[0])
    note = published_note(folder)
    recipe = _recipe(folder, storage_version)
    if note is None or note.get("stamp") != stamp or note.get("recipe") != recipe or not (folder / LINK).exists():
        # With the version: the same state is due again if that one passed over a video that a run was on.
        return f"{stamp}:{recipe}:{note['version'] if note else 0}"
    if must_forget(folder):
        return f"{stamp}:{recipe}:{note['version']}:forget"
    if is_written_to(folder / LINK):
        return f"{stamp}:version {note['version']} is open for writing"
    if ledger and (calls := calls_due(lake, ledger)):
        return f"{stamp}:{calls}"
    return None


def published_note(folder: Path) -> dict[str, Any] | None:
    """Return the note of the last publisher: version, stamp, time and more; None if there is none."""
    try:
        return dict(json.loads((folder / "published.json").read_text()))
    except (FileNotFoundError, ValueError):
        return None


def waiting_in(folder: Path) -> dict[str, list[str]]:
    """Return the videos and days whose current state the last publisher did not publish, with the reasons."""
    return dict((published_note(folder) or {}).get("waiting", {}))


def _recipe(folder: Path, storage_version: str) -> str:
    # What a version depends on besides the lake: a version with another recipe can't be a base for the next.
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
    return [found.st_size, found.st_mtime_ns] == note["file"] and not wal_of(database).exists()


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
    # Stages of runs in progress are in no snapshot; their rows are published as they are now.
    stages = changed(base.get(STAGES, {}), seen[STAGES]) | set(held)
    records = [name for name in RECORD_TABLES if not base or changed(base.get(name, {}), seen[name])]
    return Change(keys, generations, stages, records)


def _link_detail(lake: Lake, seen: Seen, change: Change, before: Path | None, detail: Path) -> None:
    shutil.rmtree(detail, ignore_errors=True)
    tables = [TABLES[name] for name in VIDEO_TABLES if TABLES[name].published_as == "view"]
    made = change.generations["video_id"]
    for table in tables:
        # A view needs at least one file for its columns.
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
