"""How much room the data folder takes, by kind of file: one walk over it that opens nothing.

A file with several names (the lake links what it keeps for readers) counts once, for the first kind that has it. Links
to other places are not followed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from klip_assets.settings import Settings
from klip_assets.store.files import is_left_over
from klip_assets.store.warehouse.versions import LINK

RECORDINGS, TWEET_FILES, LAKE, MODELS, OTHER = "recordings", "tweet files", "lake", "models", "other files"
GENERATIONS, WAREHOUSE, EARLIER_VERSIONS = "generations", "warehouse", "earlier versions"
RUN_HISTORY, LOGS, STATE, CACHES, LEFT_OVER = "run history", "logs", "state", "caches", "leftovers"

#: All kinds, in the order in which they are shown.
KINDS = (
    *(RECORDINGS, TWEET_FILES, LAKE, GENERATIONS, WAREHOUSE, EARLIER_VERSIONS, MODELS),
    *(RUN_HISTORY, LOGS, STATE, CACHES, LEFT_OVER, OTHER),
)

#: What is in the state folder and can be made again, though language models charge for their replies.
_CACHES = ("llm.", "llm-sessions", "transcripts", "scratch")

#: The name of Dagster's folder with all that is not the output of a run.
_HISTORY = ("history", "schedules")

_VERSION = re.compile(r"\.klip-\d+")

_RUN = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@dataclass
class Size:
    """What one kind of file takes.

    Attributes:
        kind: One of `KINDS`.
        bytes: Sum of the sizes.
        files: Number of files.
    """

    kind: str
    bytes: int = 0
    files: int = 0


def is_run_id(name: str) -> bool:
    """Return whether a name is the id of a run of Dagster, and nothing else."""
    return _RUN.fullmatch(name) is not None


def human(number: int) -> str:
    """Return a number of bytes for people: "868 B", "24.1 kB", "3.2 GB"."""
    size, unit = float(number), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 999.95:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"


def sizes(settings: Settings) -> list[Size]:
    """Return what each kind takes, in the order of `KINDS`; folders that can't be read count as empty."""
    found = {kind: Size(kind) for kind in KINDS}
    seen: set[tuple[int, int]] = set()
    for entry, kind in _files(settings):
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        if status.st_nlink > 1:
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
        found[kind].bytes += status.st_size
        found[kind].files += 1
    return list(found.values())


def walk(folder: Path | str, *, but: frozenset[str] = frozenset()) -> Iterator[os.DirEntry[str]]:
    """Yield all that is below a folder, folders before what is in them.

    Args:
        folder: Where; nothing is yielded if it can't be listed.
        but: Paths of folders that are left out, with all that is in them.
    """
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listed:
                entries = list(listed)
        except OSError:
            continue
        for entry in entries:
            if entry.path not in but:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _files(settings: Settings) -> Iterator[tuple[os.DirEntry[str], str]]:
    current = (settings.warehouse_dir / LINK).resolve().name
    generations = settings.lake_dir / "_generations"
    places = (
        (settings.vod_inbox, RECORDINGS),
        (settings.tweet_inbox, TWEET_FILES),
        # What an accepted state shares with the lake is the lake's: all of it, until a later run replaces something.
        (settings.lake_dir, LAKE),
        (generations, GENERATIONS),
        (settings.warehouse_dir, WAREHOUSE),
        (settings.models_dir, MODELS),
        (settings.state_dir, STATE),
        (settings.dagster_storage_dir, LOGS),
        (settings.data_dir, OTHER),
    )
    roots = frozenset(str(place) for place, _ in places)
    for place, kind in places:
        # The folder itself is listed even where it lies below another one.
        for entry in walk(place, but=roots):
            if not entry.is_dir(follow_symlinks=False):
                yield entry, _kind(entry, kind, place, current)


def _kind(entry: os.DirEntry[str], kind: str, place: Path, current: str) -> str:
    below = entry.path[len(str(place)) + 1 :]
    first = below.partition(os.sep)[0]
    if kind not in (RECORDINGS, TWEET_FILES) and ".tmp" in below and any(map(is_left_over, Path(below).parts)):
        return LEFT_OVER
    if kind == LOGS and first in _HISTORY:
        return RUN_HISTORY
    if kind == STATE and first.startswith(_CACHES):
        return CACHES
    if kind == WAREHOUSE and (version := _VERSION.match(first)):
        return WAREHOUSE if current == f"{version[0]}.duckdb" else EARLIER_VERSIONS
    return kind
