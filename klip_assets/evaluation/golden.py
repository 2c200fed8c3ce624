"""Golden sets: recordings whose exciting moments are known.

A set is a folder with a recording, its sidecars and `truth.json`. Put here: reading sets. Keep out: metrics.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from klip_assets.errors import InputError
from klip_assets.inbox.recordings import Recording, read_inbox

TRUTH = "truth.json"


@dataclass(frozen=True)
class GoldenSet:
    """One recording with its truth.

    Attributes:
        name: Name of the set.
        recording: The recording with its sidecars.
        duration_s: Its length.
        moments: Middles of the true moments, in seconds.
        decoy: A loud stretch in which nothing happens, if there is one.
    """

    name: str
    recording: Recording
    duration_s: float
    moments: tuple[float, ...]
    decoy: tuple[float, float] | None


def read_golden_set(folder: Path) -> GoldenSet:
    """Read a golden set.

    Raises:
        InputError: The folder has no truth.json or no recording of the name it gives, or the truth is incomplete.
    """
    path = folder / TRUTH
    try:
        truth = json.loads(path.read_text(encoding="utf-8"))
        name = str(truth["name"])
        moments = tuple(float(moment["peak_s"]) for moment in truth["planted"])
        decoy = (float(truth["decoy"]["start_s"]), float(truth["decoy"]["end_s"])) if truth.get("decoy") else None
        duration_s = float(truth["duration_s"])
    except FileNotFoundError:
        raise InputError(f"{folder} is no golden set: it has no {TRUTH}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: {type(error).__name__}: {error}", hint="see data/sample/README.md") from error
    recordings = [r for r in read_inbox(folder).recordings if r.path.stem == name]
    if not recordings:
        raise InputError(f"{folder} holds no recording named {name}")
    return GoldenSet(name, recordings[0], duration_s, moments, decoy)
