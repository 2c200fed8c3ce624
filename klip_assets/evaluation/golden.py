"""Golden sets: recordings, or just their chat or loudness, with known exciting moments.

A set is a folder with `truth.json` and the files it refers to: a recording with its sidecars, a chat log, or a CSV file
of loudness.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from klip_assets.errors import InputError
from klip_assets.evaluation.binned import BinnedSet, bins_of
from klip_assets.inbox.recordings import Recording, read_inbox
from klip_assets.signals.chat.readers import read_chat

TRUTH = "truth.json"


@dataclass(frozen=True)
class GoldenSet:
    """One recording with its ground truth.

    Attributes:
        name: Name of the set.
        recording: The recording with its sidecars.
        duration_s: Its length.
        moments: Centres of the true moments, in seconds.
        decoy: A loud stretch in which nothing happens, if there is one.
    """

    name: str
    recording: Recording
    duration_s: float
    moments: tuple[float, ...]
    decoy: tuple[float, float] | None


def read_set(folder: Path, *, chat_lag_s: float) -> GoldenSet | BinnedSet:
    """Read a set: with `planted` moments and a recording, or with marked `highlights` and a `chat` or `loudness`.

    Args:
        folder: Folder with the truth.json.
        chat_lag_s: Seconds that a chat is assumed to lag behind, if the set doesn't say.

    Raises:
        InputError: The folder has no truth.json, or something it refers to is missing or wrong.
    """
    truth = _truth(folder)
    return _read_binned(folder, truth, chat_lag_s) if "highlights" in truth else read_golden_set(folder)


def read_golden_set(folder: Path) -> GoldenSet:
    """Read a set with a recording.

    Raises:
        InputError: The folder lacks truth.json or the recording that it names, or the truth is incomplete.
    """
    truth = _truth(folder)
    with _named(folder):
        name = str(truth["name"])
        moments = tuple(float(moment["peak_s"]) for moment in truth["planted"])
        decoy = (float(truth["decoy"]["start_s"]), float(truth["decoy"]["end_s"])) if truth.get("decoy") else None
        duration_s = float(truth["duration_s"])
    recordings = [r for r in read_inbox(folder).recordings if r.path.stem == name]
    if not recordings:
        raise InputError(f"{folder} contains no recording named {name}")
    return GoldenSet(name, recordings[0], duration_s, moments, decoy)


def _read_binned(folder: Path, truth: dict[str, Any], chat_lag_s: float) -> BinnedSet:
    loudness = chat = None
    with _named(folder):
        name, duration_s, bin_s = str(truth["name"]), float(truth["duration_s"]), int(truth.get("bin_s", 10))
        marked = [(float(start), float(end)) for start, end in truth["highlights"]]
        if not (duration_s > 0 and bin_s > 0 and marked and all(0 <= a <= b <= duration_s for a, b in marked)):
            raise ValueError("highlights must be pairs of seconds inside the video, and lengths must be positive")
        if not truth.keys() & {"chat", "loudness"}:
            raise ValueError("it names neither a chat nor a loudness file")
        if "loudness" in truth:
            loudness = _loudness(folder / str(truth["loudness"]), math.ceil(duration_s))
        if "chat" in truth:
            chat = read_chat(folder / str(truth["chat"]), name).messages
        lag_s = float(truth.get("chat_lag_s", chat_lag_s))
    labels = bins_of(marked, duration_s, bin_s)
    judged = np.ones(len(labels), bool)
    return BinnedSet(name, duration_s, bin_s, labels, judged, len(marked), loudness, chat, lag_s)


def _loudness(path: Path, seconds: int) -> NDArray[np.float64]:
    """Read t_s and loudness (dB or LUFS) of each second; missing seconds are NaN."""
    found = np.full(seconds, np.nan)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                second, level = int(float(row["t_s"])), float(row["loudness"])
            except (KeyError, TypeError, ValueError) as error:
                raise ValueError(f"{path.name}, line {number}: t_s and loudness are required") from error
            if 0 <= second < seconds:
                found[second] = level
    return found


def _truth(folder: Path) -> dict[str, Any]:
    path = folder / TRUTH
    try:
        truth = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder} is not a golden set: it has no {TRUTH}", hint="see docs/evaluation.md") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}", hint="see docs/evaluation.md") from error
    if not isinstance(truth, dict):
        raise InputError(f"{path} is not a JSON object", hint="see docs/evaluation.md")
    return truth


@contextmanager
def _named(folder: Path) -> Iterator[None]:
    # Name this file in whatever error occurs inside.
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / TRUTH}: {type(error).__name__}: {error}", hint="see docs/evaluation.md") from error
