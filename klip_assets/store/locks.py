"""File locks that are released when their holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from klip_assets.contracts import Subject
from klip_assets.errors import LockHeldError
from klip_assets.store.processes import this_process

POLL_S = 0.1

#: How long to wait for processes that only look whether a lock is held, which takes each of them microseconds.
_LOOKERS_S, _LOOKER_S = 1.0, 0.001

_HOST = socket.gethostname()


@dataclass
class _Held:
    descriptor: int
    owner: int
    count: int


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


@contextlib.contextmanager
def hold(path: Path, *, what: str, timeout_s: float, on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the lock file `path` while the block runs.

    It is reentrant within a thread (a run inside a command that already holds the partition).

    Args:
        path: The lock file; created if absent, never removed.
        what: What is locked, for messages: "video speedrun".
        timeout_s: Seconds to wait for another holder.
        on_wait: Called once with a sentence that names the holder, if there is a wait.

    Raises:
        LockHeldError: Another holder did not release it in time; the message names it.
    """
    path = path.absolute()
    take(path, what=what, timeout_s=timeout_s, on_wait=on_wait)
    try:
        yield
    finally:
        release(path)


def take(path: Path, *, what: str, timeout_s: float, on_wait: Callable[[str], None] | None = None) -> None:
    """Take the lock like `hold`, for callers that release it elsewhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout_s
    notified = False
    while True:
        if _try(path, what):
            return
        holder = holder_of(path)
        if time.monotonic() >= deadline:
            raise LockHeldError(f"{what} is in use by {holder}", hint="wait for it or stop it, then try again")
        if on_wait and not notified:
            on_wait(f"waiting for {holder} to finish with {what}")
            notified = True
        time.sleep(POLL_S)


def release(path: Path) -> None:
    """Release a lock taken by this thread."""
    path = path.absolute()
    with _guard:
        held = _held[path]
        held.count -= 1
        if held.count == 0:
            del _held[path]
            os.close(held.descriptor)


def is_held(path: Path) -> bool:
    """Return whether any process, including this one, holds the lock.

    Looking takes the lock from nobody: others who look see it as free, and who takes it waits for lookers.
    """
    with _guard:
        if path.absolute() in _held:
            return True
    try:
        # Read-only, so that a lock can be checked on a disk that can't be written to.
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def holder_of(path: Path) -> str:
    """Return the last holder of a lock file, for messages."""
    try:
        note = json.loads(path.read_text())
        # Older versions did not write the host.
        host = note.get("host", _HOST)
        where = "" if host == _HOST else f" on host {host}"
        return f"process {note['pid']}{where} ({note['what']}, since {note['since']} UTC)"
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return "another process"


def _try(path: Path, what: str) -> bool:
    path = path.absolute()
    with _guard:
        held = _held.get(path)
        if held:
            if held.owner == threading.get_ident():
                held.count += 1
                return True
            return False
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _lock_alone(descriptor):
            os.close(descriptor)
            return False
        note = {
            "pid": os.getpid(),
            "process": this_process(),
            "host": _HOST,
            "what": what,
            "since": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime()),
        }
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode(), 0)
        _held[path] = _Held(descriptor, threading.get_ident(), 1)
        return True


def _lock_alone(descriptor: int) -> bool:
    """Lock a file exclusively unless someone else has; lookers, who share it for an instant, are waited for."""
    deadline = time.monotonic() + _LOOKERS_S
    while not _lock(descriptor, fcntl.LOCK_EX):
        if not _lock(descriptor, fcntl.LOCK_SH) or time.monotonic() >= deadline:
            return False
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        time.sleep(_LOOKER_S)
    return True


def _lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def subject_lock(lake_root: Path, subject: Subject) -> Path:
    """Return the lock file of a video; all days share one."""
    return lake_root / "_locks" / f"{subject.lock_name}.lock"


def ingest_lock(lake_root: Path) -> Path:
    """Return the lock file for ingesting tweet files into the lake."""
    return lake_root / "_locks" / "tweet-files.lock"


def publish_lock(state_dir: Path) -> Path:
    """Return the lock file for publishing."""
    return state_dir / "publish.lock"


def service_lock(state_dir: Path) -> Path:
    """Return the lock file of `klip dev`: two daemons on one inbox would start everything twice."""
    return state_dir / "dev.lock"
