"""Which tweet files are new, changed or gone since they were read, for both the sensors and `klip process`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from klip_assets.inbox.listing import Listing, display_name, list_files, why
from klip_assets.inbox.tweet_files import MAP_SUFFIX, map_path
from klip_assets.store.files import file_sha256
from klip_assets.store.state.registry import Registry


@dataclass(frozen=True)
class TweetFile:
    """A file in the tweet inbox, with its signature at the time of the scan."""

    root: Path
    path: Path
    signature: str

    @property
    def sha256(self) -> str:
        """Hash of the content and of the column map beside it.

        Raises:
            OSError: One of them can't be read.
        """
        content = file_sha256(self.path)
        beside = map_path(self.path)
        if not beside.is_file():
            return content
        return hashlib.sha256(f"{content}\x00{file_sha256(beside)}".encode()).hexdigest()

    @property
    def name(self) -> PurePath:
        """Path relative to the inbox, in a form that can be stored and shown (invalid UTF-8 is escaped)."""
        return PurePath(display_name(self.path, self.root))


@dataclass(frozen=True)
class TweetChanges:
    """Result of one scan of the tweet inbox.

    Attributes:
        fresh: Files to stage.
        gone: Files that were staged and no longer exist.
        missing: Files that were staged and went together with everything around them, as where a mount is lost: they
            count as removed only if a person says so.
        pending: Signatures of files that may still be written to, by name.
        unreadable: Folders and files that can't be read, by name, with the reason; what was staged of them stays.
    """

    fresh: list[TweetFile]
    gone: list[PurePath]
    missing: list[PurePath]
    pending: dict[str, str]
    unreadable: dict[str, str] = field(default_factory=dict)


def tweet_changes(
    root: Path,
    registry: Registry,
    before: Mapping[str, str] | None,
    *,
    is_other: Callable[[str], bool] = lambda name: False,
) -> TweetChanges:
    """Compare the tweet inbox with what is staged in the lake.

    Args:
        root: The inbox.
        registry: The registry; updated for files that were only touched, and for those that are missing.
        before: Signatures from the previous scan; None to take all files as complete.
        is_other: Whether a file had content that could not be used when it was last read, so that its earlier content
            is still staged: it is read again even if that comes back.
    """
    staged = registry.staged_files()
    by_name = {str(name): found for name, found in staged.items()}
    seen: set[str] = set()
    fresh, pending = [], {}
    listing = list_files(root)
    # Names as text: there may be thousands, and paths take ten times as long to compare.
    paths = {str(path): path for path in listing.files}
    for text, path in paths.items():
        if text.endswith(MAP_SUFFIX) and text.removesuffix(MAP_SUFFIX) in paths:
            continue  # Belongs to the file beside it.
        try:
            parts = [path.stat(), *([map_path(path).stat()] if text + MAP_SUFFIX in paths else [])]
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                listing.unreadable[path] = why(error)
            continue  # Gone or unreachable since the folder was read.
        file = TweetFile(root, path, "+".join(f"{stat.st_size}:{stat.st_mtime_ns}" for stat in parts))
        name = str(file.name)
        seen.add(name)
        signature, sha256 = by_name.get(name, ("", ""))
        if signature == file.signature:
            continue
        if before is not None and before.get(name) != file.signature:
            pending[name] = file.signature
        elif sha256 and _if_readable(file) == sha256 and not is_other(name):
            registry.record_staged(file.name, file.signature, sha256)
        else:
            fresh.append(file)
    # What is below a folder that can't be read may be there, and so may be what a link led to.
    unseen = {PurePath(display_name(path, root)) for path in listing.unreadable}
    not_found = [name for name in staged if str(name) not in seen and unseen.isdisjoint((name, *name.parents))]
    missing = _missing(root, listing, staged, not_found, registry)
    return TweetChanges(
        fresh,
        sorted(name for name in not_found if name not in missing),
        sorted(missing),
        pending,
        {display_name(path, root): reason for path, reason in listing.unreadable.items()},
    )


def _missing(
    root: Path, listing: Listing, staged: Iterable[PurePath], not_found: Collection[PurePath], registry: Registry
) -> set[PurePath]:
    """Return the files that are gone without counting as removed, and remember them: others may come in their place."""
    known, lost = set(staged), set(not_found)
    before = registry.missing_files()
    missing = before & lost
    if known and known == lost:
        missing = lost
    for folder in listing.empty if lost else ():
        # A folder that is there and has nothing in it, while everything known of it is gone.
        missing |= {name for name in lost if PurePath(display_name(folder, root)) in name.parents}
    if missing != before:
        registry.record_missing(missing)
    return missing


def _if_readable(file: TweetFile) -> str:
    try:
        return file.sha256
    except OSError:
        return ""
