"""What is new or changed in the inbox, for both the sensors and `klip process`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from klip_assets.contracts import Subject
from klip_assets.inbox.fingerprint import fingerprint, unreadable_fingerprint
from klip_assets.inbox.recordings import Recording, display_name, files_below
from klip_assets.inbox.tweet_files import MAP_SUFFIX, map_path
from klip_assets.store.files import file_sha256
from klip_assets.store.state.registry import Registry


@dataclass(frozen=True)
class Ready:
    """A recording that is complete, with its id and fingerprint."""

    video_id: str
    fingerprint: str
    recording: Recording

    @property
    def subject(self) -> Subject:
        """What is processed."""
        return Subject.video(self.video_id)


@dataclass(frozen=True)
class Settled:
    """Result of one scan of the VOD inbox.

    Attributes:
        ready: Recordings whose files have stopped changing.
        pending: Signatures of those that may still be written to, by name; for the next scan.
    """

    ready: list[Ready]
    pending: dict[str, str]


def settle(
    recordings: Iterable[Recording], registry: Registry, before: Mapping[str, str] | None, *, at_most: int | None = None
) -> Settled:
    """Find the recordings that have stopped changing and register their current content.

    Args:
        recordings: Recordings in the inbox.
        registry: The registry; updated.
        before: Signatures from the previous scan; a new recording counts once two scans agree. None: take all files as
            complete (a person asked on the command line).
        at_most: Maximum number of new fingerprints to take per scan.
    """
    known = registry.known()
    ready, pending, taken = [], {}, 0
    for recording in recordings:
        name = PurePath(recording.path.relative_to(recording.root))
        try:
            signature = recording.signature
        except OSError:
            continue  # Gone or unreachable since the inbox was read.
        old = known.get(name)
        if old and old.signature == signature:
            ready.append(Ready(old.video_id, old.fingerprint, recording))
            continue
        stable = before is None or before.get(recording.name) == signature
        if not stable or (at_most is not None and taken >= at_most):
            pending[recording.name] = signature
            continue
        try:
            now = fingerprint(recording)
            later = recording.signature
        except FileNotFoundError:
            continue
        except OSError as error:
            # A bad sector: the run of this file fails and reports it, the others continue. The file is checked again,
            # since no signature is recorded.
            now, signature = unreadable_fingerprint(signature, error), ""
        else:
            if later != signature:
                pending[recording.name] = later
                continue
        taken += 1
        ready.append(Ready(registry.register(name, signature, now), now, recording))
    return Settled(ready, pending)


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
        pending: Signatures of files that may still be written to, by name.
    """

    fresh: list[TweetFile]
    gone: list[PurePath]
    pending: dict[str, str]


def tweet_changes(root: Path, registry: Registry, before: Mapping[str, str] | None) -> TweetChanges:
    """Compare the tweet inbox with what is staged in the lake.

    Args:
        root: The inbox.
        registry: The registry; updated for files that were only touched.
        before: Signatures from the previous scan; None to take all files as complete.
    """
    staged = registry.staged_files()
    by_name = {str(name): found for name, found in staged.items()}
    seen: set[str] = set()
    fresh, pending = [], {}
    # Names as text: there may be thousands, and paths take ten times as long to compare.
    paths = {str(path): path for path in files_below(root)}
    for text, path in paths.items():
        if text.endswith(MAP_SUFFIX) and text.removesuffix(MAP_SUFFIX) in paths:
            continue  # Belongs to the file beside it.
        try:
            parts = [path.stat(), *([map_path(path).stat()] if text + MAP_SUFFIX in paths else [])]
        except OSError:
            continue  # Gone or unreachable since the folder was read.
        file = TweetFile(root, path, "+".join(f"{stat.st_size}:{stat.st_mtime_ns}" for stat in parts))
        name = str(file.name)
        seen.add(name)
        signature, sha256 = by_name.get(name, ("", ""))
        if signature == file.signature:
            continue
        if before is not None and before.get(name) != file.signature:
            pending[name] = file.signature
        elif sha256 and _if_readable(file) == sha256:
            registry.record_staged(file.name, file.signature, sha256)
        else:
            fresh.append(file)
    return TweetChanges(fresh, sorted(name for name in staged if str(name) not in seen), pending)


def _if_readable(file: TweetFile) -> str:
    try:
        return file.sha256
    except OSError:
        return ""
