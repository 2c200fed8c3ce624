"""The versions of the published file: `.klip-<n>.duckdb`, beside it `.klip-<n>/` with what its views read.

The last few are kept for readers that have them open. After something was removed for good, none that may hold it is.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import struct
import sys
from pathlib import Path

from klip_assets.failpoints import fail_point
from klip_assets.store.files import sweep, write_atomically

#: The link that analysts open.
LINK = "klip.duckdb"

_VERSION = re.compile(r"\.klip-(\d{1,18})\.duckdb")

#: `struct flock` of Linux: type, whence, start, length, process. See fcntl(2).
_FLOCK = struct.Struct("hhqqi4x")

#: A file that asks the next publish to leave no earlier version.
_FORGET = ".forget-earlier-versions"


def is_written_to(database: Path) -> bool:
    """Return whether another process has a DuckDB file open for writing, which keeps everyone else from opening it."""
    descriptor = os.open(database, os.O_RDONLY)
    try:
        if sys.platform == "linux":
            # Asked without taking the lock: DuckDB, which does not wait for it, could be opening the file just now.
            lock = _FLOCK.pack(fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
            return bool(_FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_GETLK, lock))[0] != fcntl.F_UNLCK)
        fcntl.lockf(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def ask_to_forget(folder: Path) -> None:
    """Ask the next publish to build from scratch and to drop every earlier version: they hold what was removed."""
    write_atomically(folder / _FORGET, lambda path: path.touch())


def must_forget(folder: Path) -> bool:
    """Return whether the next publish has to leave no earlier version."""
    return (folder / _FORGET).exists()


def versions_in(folder: Path) -> list[int]:
    """Return the numbers of the versions that are there, in order."""
    return sorted(int(match[1]) for path in folder.iterdir() if (match := _VERSION.fullmatch(path.name)))


def wal_of(database: Path) -> Path:
    """Return the write-ahead log that DuckDB has beside a file that somebody writes to."""
    return database.with_name(database.name + ".wal")


def left_by_publishers(folder: Path) -> list[Path]:
    """Return what killed publishers left: versions half built, and folders of versions that are not there.

    The caller holds the publish lock, or only looks.
    """
    if not folder.is_dir():
        return []
    versions = versions_in(folder)
    detail = [(path, re.fullmatch(r"\.klip-(\d+)", path.name)) for path in folder.glob(".klip-*")]
    return [*folder.glob(".building-*"), *(path for path, match in detail if match and int(match[1]) not in versions)]


def clear(folder: Path) -> None:
    """Remove leftovers of killed publishers; the caller holds the publish lock."""
    for leftover in left_by_publishers(folder):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink()
    sweep(folder)


def prune(folder: Path, keep: int) -> None:
    """Remove all but the last few versions; one that somebody writes to stays."""
    current = (folder / LINK).resolve().name
    for version in versions_in(folder)[:-keep]:
        database = folder / f".klip-{version}.duckdb"
        if database.name != current and not is_written_to(database):
            _drop(folder, version)


def forget_earlier(folder: Path) -> None:
    """Remove every version but the current one, as was asked. Readers keep the file that they have open."""
    current = (folder / LINK).resolve().name
    for version in versions_in(folder):
        if f".klip-{version}.duckdb" != current:
            _drop(folder, version)
    (folder / _FORGET).unlink(missing_ok=True)


def _drop(folder: Path, version: int) -> None:
    database = folder / f".klip-{version}.duckdb"
    fail_point("publish.prune", database.name)
    database.unlink(missing_ok=True)
    wal_of(database).unlink(missing_ok=True)
    shutil.rmtree(folder / f".klip-{version}", ignore_errors=True)
