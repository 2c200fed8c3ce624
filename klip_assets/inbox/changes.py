"""What is new or changed in the inbox. The sensors and `klip process` ask the same questions here.

Put here: comparing the inbox with what is remembered. Keep out: Dagster, and doing anything about it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from klip_assets.inbox.fingerprint import file_sha256, fingerprint
from klip_assets.inbox.recordings import Recording, files_below
from klip_assets.inbox.registry import Registry


@dataclass(frozen=True)
class Ready:
    """A recording that is complete, with its id and fingerprint."""

    video_id: str
    fingerprint: str
    recording: Recording


@dataclass(frozen=True)
class Settled:
    """What one look at the inbox found.

    Attributes:
        ready: Recordings whose files have stopped changing.
        pending: Signatures of those that may still be written to, by name; to be handed to the next look.
    """

    ready: list[Ready]
    pending: dict[str, str]


def settle(
    recordings: Iterable[Recording], registry: Registry, before: Mapping[str, str] | None, *, at_most: int | None = None
) -> Settled:
    """Find the recordings that have stopped changing and register their present content.

    Args:
        recordings: What the inbox holds.
        registry: The memory; updated.
        before: Signatures seen by the look before; a new recording counts once two looks agree. None: trust
            what is there (a person said so on the command line).
        at_most: How many new fingerprints to take in one look.
    """
    known = registry.known()
    ready, pending, taken = [], {}, 0
    for recording in recordings:
        name = PurePath(recording.path.relative_to(recording.root))
        try:
            signature = recording.signature
            old = known.get(name)
            if old and old.signature == signature:
                ready.append(Ready(old.video_id, old.fingerprint, recording))
                continue
            stable = before is None or before.get(recording.name) == signature
            if not stable or (at_most is not None and taken >= at_most):
                pending[recording.name] = signature
                continue
            now = fingerprint(recording)
            if recording.signature != signature:
                pending[recording.name] = recording.signature
                continue
        except FileNotFoundError:
            continue
        taken += 1
        ready.append(Ready(registry.register(name, signature, now), now, recording))
    return Settled(ready, pending)


@dataclass(frozen=True)
class TweetFile:
    """A file in the tweet inbox, with the signature it had when it was looked at."""

    root: Path
    path: Path
    signature: str

    @property
    def name(self) -> PurePath:
        """Path relative to the inbox."""
        return PurePath(self.path.relative_to(self.root))


@dataclass(frozen=True)
class TweetChanges:
    """Files to be staged, files that are gone, and those that may still be written to."""

    fresh: list[TweetFile]
    gone: list[PurePath]
    pending: dict[str, str]


def tweet_changes(root: Path, registry: Registry, before: Mapping[str, str] | None) -> TweetChanges:
    """Compare the tweet inbox with what is staged in the lake.

    Args:
        root: The inbox.
        registry: The memory; a file that was only touched is noted there.
        before: Signatures seen by the look before, None to trust what is there.
    """
    staged = registry.staged_files()
    seen: set[PurePath] = set()
    fresh, pending = [], {}
    for path in files_below(root):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        file = TweetFile(root, path, f"{stat.st_size}:{stat.st_mtime_ns}")
        seen.add(file.name)
        signature, sha256 = staged.get(file.name, ("", ""))
        if signature == file.signature:
            continue
        if before is not None and before.get(str(file.name)) != file.signature:
            pending[str(file.name)] = file.signature
        elif sha256 and _unless_gone(file_sha256, path) == sha256:
            registry.record_staged(file.name, file.signature, sha256)
        else:
            fresh.append(file)
    return TweetChanges(fresh, sorted(set(staged) - seen), pending)


def _unless_gone(read: Callable[[Path], str], path: Path) -> str:
    try:
        return read(path)
    except FileNotFoundError:
        return ""
