"""Atomic file operations: a file is either old or new, never half-written."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from klip_assets.failpoints import fail_point
from klip_assets.store.processes import is_gone, this_process

#: The process that made it (older versions: its number alone), with dashes for colons; then eight random digits. This
#: is what stands between the last two dots of a temporary file's name.
_MAKER = re.compile(r"(\d{1,20}(?:-\w{0,32}-\w{0,32}-\w{1,32})?)-[0-9a-f]{8}")

#: Takes a path and what fills a temporary file for it, see `placed_together`.
Place = Callable[[Path, Callable[[Path], object]], None]

#: Bytes of a file's name kept in the name of its temporary file; a whole name may have 255.
_MAX_NAME_BYTES = 160


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then rename it to `path` atomically.

    The temporary name begins with a dot and ends in `.tmp`, so that no glob over the lake matches it, and contains this
    process, so that `sweep` can tell whether it is still being written.

    Args:
        path: The file to create or replace.
        write: Called with the temporary path; if it raises, the error is raised and nothing is left behind.
    """
    with placed_together() as place:
        place(path, write)


@contextmanager
def placed_together() -> Iterator[Place]:
    """Write several files as `write_atomically` does, but rename none of them before all are whole.

    Yields:
        To be called with each path and its `write`. If the block raises, no path is changed and nothing is left behind.
    """
    whole: list[tuple[Path, Path]] = []

    def place(path: Path, write: Callable[[Path], object]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary(path)
        whole.append((temporary, path))
        write(temporary)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        fail_point("write.filled", short_name(path))

    try:
        yield place
        for temporary, path in whole:
            temporary.replace(path)
            fail_point("write.placed", short_name(path))
    except BaseException:
        for temporary, _ in whole:
            temporary.unlink(missing_ok=True)
        raise
    for folder in dict.fromkeys(path.parent for _, path in whole):
        sync_folder(folder)


def sweep(folder: Path) -> None:
    """Remove temporary files of processes that are gone: leftovers of kills in the middle of a write.

    Those of other hosts are kept, since they may still be in use.
    """
    for path in _left_in(folder):
        path.unlink(missing_ok=True)


def is_left_over(name: str) -> bool:
    """Return whether this is the name of a temporary file or scratch folder of a process that is known to be gone."""
    if not (name.startswith(".") and name.endswith(".tmp")):
        return False
    match = _MAKER.fullmatch(name.removesuffix(".tmp").rpartition(".")[2])
    return match is not None and is_gone(match[1].replace("-", ":"))


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Create a folder for data that a step can't hold in memory, and remove it afterwards.

    It is named like the temporary files of `write_atomically`; leftovers of killed processes are removed first.

    Args:
        parent: Folder to create it in; created if absent.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in _left_in(parent):
        shutil.rmtree(left, ignore_errors=True)
    folder = _temporary(parent / "scratch")
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
    fail_point("link.made", short_name(target))


def point_link(link: Path, target: str, *, temporary: Path, point: str = "") -> None:
    """Repoint a symbolic link atomically; files opened through it stay open.

    Args:
        link: The link, created if absent.
        target: New target, relative to the link's folder.
        temporary: Temporary path beside the link for the new one until it replaces the old.
        point: Name of the fail point before the replacement.
    """
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    if point:
        fail_point(point)
    temporary.replace(link)
    sync_folder(link.parent)


def file_sha256(path: Path) -> str:
    """Hash a whole file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def short_name(path: Path) -> str:
    """Return the end of a path, which identifies the partition: "segments/video_id=stream/part-0.parquet"."""
    return "/".join(path.parts[-3:])


def _temporary(path: Path) -> Path:
    # Without colons, which some file systems don't allow; and shortened, since the suffix must fit in 255 bytes too.
    name = path.name
    while len(os.fsencode(name)) > _MAX_NAME_BYTES:
        name = name[:-1]
    return path.with_name(f".{name}.{this_process().replace(':', '-')}-{uuid.uuid4().hex[:8]}.tmp")


def _left_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob(".*.*.tmp") if is_left_over(path.name))
