"""What lies in an inbox folder, and which of its folders can't be read: what is there unseen is not gone."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from klip_assets.formats.text import stored_name

#: How the reason begins why a file or folder can't be read.
UNREADABLE = "can't be read"

#: Unfinished downloads and temporary files.
_UNFINISHED = (".part", ".tmp", ".crdownload", ".ytdl", ".download", ".aria2")


@dataclass(frozen=True)
class Listing:
    """The files below a folder.

    Attributes:
        files: Every finished, visible, regular file, sorted within each folder. Links to files are followed.
        unreadable: Folders that can't be listed, files that can't be reached (links to nothing among them), and links
            to folders, which are not followed since they could be circular; with the reason.
        hidden: Finished, regular files whose names begin with a dot.
        empty: Folders with nothing in them, not even a hidden file.
    """

    files: list[Path] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)
    hidden: list[Path] = field(default_factory=list)
    empty: list[Path] = field(default_factory=list)


def list_files(root: Path) -> Listing:
    """List the files of a folder and its subfolders.

    Hidden files, unfinished downloads and anything that is not a regular file (pipes, devices) are left out.
    """
    found = Listing()
    _list(root, found, is_root=True)
    return found


def is_visible(path: Path) -> bool:
    """Return whether a file is one that `list_files` lists."""
    try:
        return _is_ours(path.name) and path.is_file()
    except OSError:
        return False


def unreadable(path: Path) -> str | None:
    """Return why a file can't be read, such as "can't be read: Permission denied"; None if its first byte can be."""
    try:
        with path.open("rb") as file:
            file.read(1)
    except FileNotFoundError:
        return None  # Gone meanwhile; opening it later will show that.
    except OSError as error:
        return why(error)
    return None


def why(error: OSError) -> str:
    """Return the reason of an error as the quarantine has it."""
    return f"{UNREADABLE}: {error.strerror or error}"


def display_name(path: Path, root: Path) -> str:
    """Return a path relative to the inbox, with invalid UTF-8 as escapes; "." for the inbox itself."""
    # For thousands of files, `relative_to` alone would take half a second.
    base = f"{root}{os.sep}"
    inside = str(path)
    return stored_name(inside.removeprefix(base) if inside.startswith(base) else path.relative_to(root))


def _list(folder: Path, found: Listing, *, is_root: bool = False) -> None:
    folders = []
    try:
        # Without the right to enter it, a folder can be listed, but none of its files be opened.
        os.stat(f"{folder}{os.sep}.")  # noqa: PTH116
        with os.scandir(folder) as entries:
            there = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        if is_root or not isinstance(error, FileNotFoundError | NotADirectoryError):
            found.unreadable[folder] = why(error)
        return  # Else it went while the one above it was listed.
    if not there:
        found.empty.append(folder)
    for entry in there:
        path = Path(entry.path)
        try:
            if entry.name.startswith("."):
                if _is_finished(entry.name) and entry.is_file():
                    found.hidden.append(path)
                continue
            if entry.is_dir():
                if entry.is_symlink():
                    found.unreadable[path] = f"{UNREADABLE}: links to folders are not followed"
                else:
                    folders.append(path)
            elif not _is_ours(entry.name):
                continue
            elif entry.is_file():
                found.files.append(path)
            elif entry.is_symlink():
                path.stat()  # Raises where it leads nowhere; a pipe or a device is left out.
        except OSError as error:
            found.unreadable[path] = why(error)
    for path in folders:
        _list(path, found)


def _is_ours(name: str) -> bool:
    return not name.startswith(".") and _is_finished(name)


def _is_finished(name: str) -> bool:
    return not name.lower().endswith(_UNFINISHED)
