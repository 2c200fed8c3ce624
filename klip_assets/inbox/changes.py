"""Which recordings of the inbox are new or changed, for both the sensors and `klip process`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from klip_assets.contracts import Subject
from klip_assets.inbox.fingerprint import fingerprint, unreadable_fingerprint
from klip_assets.inbox.recordings import Recording
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
