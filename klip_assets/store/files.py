"""Files that are either old or new, never half."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from klip_assets.failpoints import reach

_TEMPORARY = re.compile(r"\..+\.(\d+)-[0-9a-f]{8}\.tmp")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in its place in one step.

    The temporary name begins with a dot and ends in `.tmp`, so that no glob over the lake sees it, and holds the
    number of this process, so that `sweep` can tell whether somebody still writes to it.

    Args:
        path: The file to be made or replaced.
        write: Called with the temporary path; whatever it raises is raised, and nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
    subject = short_name(path)
    try:
        write(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        reach("write.filled", subject)
        temporary.replace(path)
        reach("write.placed", subject)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove temporary files of processes that are gone: what a kill in the middle of a write leaves behind."""
    for path in folder.glob(".*.tmp"):
        match = _TEMPORARY.fullmatch(path.name)
        if match and not _is_running(int(match[1])):
            path.unlink(missing_ok=True)


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Give a folder for what a step can't hold in memory, and remove it afterwards.

    It is named like the temporary files of `write_atomically`; what a killed process left there goes first.

    Args:
        parent: Folder to make it in; made if absent.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(".*.tmp"):
        match = _TEMPORARY.fullmatch(left.name)
        if match and not _is_running(int(match[1])):
            shutil.rmtree(left, ignore_errors=True)
    folder = parent / f".scratch.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name; where the file system has no hard links, a second copy.

    Raises:
        FileNotFoundError: `source` is gone.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except FileNotFoundError:
        raise
    except OSError:
        write_atomically(target, lambda temporary: shutil.copyfile(source, temporary))
    reach("link.made", short_name(target))


def short_name(path: Path) -> str:
    """Return the end of a path that says which partition it is: "segments/video_id=stream/part-0.parquet"."""
    return "/".join(path.parts[-3:])


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
