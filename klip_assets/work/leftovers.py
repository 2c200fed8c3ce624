"""What lies in the data folder and is of no use any more: finding it, and removing it.

Nothing that a process may still use is ever found: a file of a process counts only once that is known to be gone, and
what belongs to a video only while nobody holds its lock. The inbox is not looked at; it is its owner's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import time

from klip_assets.contracts import Subject
from klip_assets.errors import LockHeldError
from klip_assets.failpoints import fail_point
from klip_assets.settings import Settings
from klip_assets.store.files import is_left_over
from klip_assets.store.lake.generations import accepted_at
from klip_assets.store.locks import is_held, publish_lock, release, subject_lock, take
from klip_assets.store.state.database import compact, free_bytes
from klip_assets.store.state.ledger import dead_sessions
from klip_assets.store.warehouse.versions import left_by_publishers
from klip_assets.work.installation import Installation
from klip_assets.work.sizes import CACHES, LEFT_OVER, STATE, walk

#: A database is made smaller only where this much comes back: below, its pages are soon used again.
_WORTH_BYTES = 100_000

#: Other processes wait for a database no longer than half a minute; one of this size is rewritten in a few seconds.
_QUICK_BYTES = 250_000_000

#: Seconds to wait for those who use a database now.
_WAIT_S = 2.0


@dataclass(frozen=True)
class Freed:
    """What was removed, or would be.

    Attributes:
        kind: A word of `work.sizes`.
        bytes: How much smaller the folder is.
        count: Number of things removed: files, folders, runs.
        left: Why it was left as it is; empty: it was not.
    """

    kind: str
    bytes: int = 0
    count: int = 0
    left: str = ""


def remove_leftovers(settings: Settings, *, older_than: timedelta, dry_run: bool = False) -> Iterator[Freed]:
    """Remove what processes left that are gone, and what was kept for work that was done since.

    Args:
        settings: The installation.
        older_than: Minimum age of an unfinished transcript.
        dry_run: Only say what would be removed.

    Yields:
        Each thing, once it is removed.
    """
    for path in _temporaries(settings):
        yield free(LEFT_OVER, [path], dry_run=dry_run)
    with _alone(publish_lock(settings.state_dir), "the warehouse", dry_run=dry_run) as is_mine:
        for path in left_by_publishers(settings.warehouse_dir) if is_mine else ():
            yield free(LEFT_OVER, [path], dry_run=dry_run)
    for path in dead_sessions(settings.llm_path):
        yield free(CACHES, [path], dry_run=dry_run)
    here = Installation(settings)
    for path in sorted(settings.chunk_log("_").parent.glob("*.jsonl")):
        subject = Subject.video(path.stem)
        with _alone(subject_lock(settings.lake_dir, subject), f"video {path.stem}", dry_run=dry_run) as is_mine:
            if is_mine and _is_finished(here, subject, path, older_than):
                yield free(CACHES, [path], dry_run=dry_run)
    for path, kind in ((settings.memory_path, STATE), (settings.llm_path, CACHES)):
        yield compacted(path, kind, dry_run=dry_run)


def free(kind: str, paths: Sequence[Path], *, dry_run: bool = False) -> Freed:
    """Remove files, and folders with all that is in them.

    Args:
        kind: What they are.
        paths: In the order in which they are removed; they need not exist.
        dry_run: Only measure them.

    Returns:
        What came back: a file that has another name elsewhere takes as much room as before.
    """
    before, was_there = bytes_of(paths), any(map(os.path.lexists, paths))
    if dry_run:
        return Freed(kind, before, int(was_there))
    for path in paths:
        fail_point("prune.remove", path.name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return Freed(kind, before - bytes_of(paths), int(was_there and not any(map(os.path.lexists, paths))))


def compacted(path: Path, kind: str, *, busy: bool = False, dry_run: bool = False) -> Freed:
    """Give the unused pages of a SQLite file back to the disk, unless others would have to wait for it.

    Args:
        path: The file; it may not exist.
        kind: What is in it.
        busy: Whether other processes are likely to write to it now.
        dry_run: Only say what would come back.
    """
    unused = free_bytes(path) if path.is_file() else 0
    if unused < _WORTH_BYTES:
        return Freed(kind)
    if busy and path.stat().st_size > _QUICK_BYTES:
        return Freed(kind, left=f"{path.name} is large and in use: stop klip dev and let the runs end")
    if dry_run:
        return Freed(kind, unused, 1)
    files = [path, path.with_name(f"{path.name}-wal")]
    before = bytes_of(files)
    if reason := compact(path, timeout_s=_WAIT_S):
        return Freed(kind, left=f"{path.name} was left as it is: {reason}")
    return Freed(kind, max(0, before - bytes_of(files)), 1)


def _temporaries(settings: Settings) -> list[Path]:
    data, storage = settings.data_dir, settings.dagster_storage_dir
    found: set[str] = set()
    for place in (data,) if storage.is_relative_to(data) else (data, storage):
        for entry in walk(place, but=frozenset({str(data / "inbox")})):
            if is_left_over(entry.name) and str(Path(entry.path).parent) not in found:
                found.add(entry.path)
    return [Path(path) for path in sorted(found)]


@contextmanager
def _alone(lock: Path, what: str, *, dry_run: bool) -> Iterator[bool]:
    """Hold a lock if nobody else does, and yield whether that is so; a dry run only looks."""
    if dry_run or is_held(lock):
        yield not is_held(lock)
        return
    try:
        take(lock, what=what, timeout_s=0.0)
    except LockHeldError:
        yield False
        return
    try:
        yield True
    finally:
        release(lock)


def _is_finished(here: Installation, subject: Subject, path: Path, older_than: timedelta) -> bool:
    try:
        written = path.stat().st_mtime
    except FileNotFoundError:
        return False
    if time() - written < older_than.total_seconds():
        return False
    accepted = accepted_at(here.lake, subject)
    if accepted is not None and accepted > written:
        return True
    name, inbox = here.registry.path_of(subject.key), here.settings.vod_inbox
    if name is None:
        return True
    # Where the whole inbox is gone or empty, its disk may be: then the transcript is wanted again.
    return not os.path.lexists(inbox / name) and inbox.is_dir() and any(inbox.iterdir())


def bytes_of(paths: Sequence[Path]) -> int:
    """Return what would come back if all these were removed."""
    names: dict[tuple[int, int], int] = {}
    total = 0
    for path in paths:
        entries: list[Path | os.DirEntry[str]] = [path]
        if path.is_dir() and not path.is_symlink():
            entries = [entry for entry in walk(path) if not entry.is_dir(follow_symlinks=False)]
        for entry in entries:
            try:
                status = os.lstat(entry)
            except OSError:
                continue
            key = (status.st_dev, status.st_ino)
            names[key] = names.get(key, 0) + 1
            if names[key] == status.st_nlink:
                total += status.st_size
    return total
