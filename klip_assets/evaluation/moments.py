"""Planted moments: how many of them the top highlights hit, compared with chance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

#: A highlight hits a moment if its peak lies within this many seconds of it.
TOLERANCE_S = 5.0


@dataclass(frozen=True)
class Hits:
    """How many true moments were hit: by Klip, and by chance.

    Attributes:
        hit: True moments hit by the top N peaks, where N is the number of true moments.
        moments: Number of true moments.
        random: Mean number of moments hit by N random peaks.
        decoy_picked: Whether one of the top N is in the loud stretch in which nothing happens.
    """

    hit: int
    moments: int
    random: float
    decoy_picked: bool

    @property
    def recall(self) -> float:
        """Share of the true moments that were hit."""
        return self.hit / self.moments if self.moments else float("nan")


def hits_at_n(
    peaks: Sequence[float],
    truth: Sequence[float],
    *,
    duration_s: float,
    decoy: tuple[float, float] | None,
    seed: int = 0,
) -> Hits:
    """Compare ranked peaks with true moments.

    Args:
        peaks: Peaks in seconds, best first; only the first N count, where N is the number of true moments.
        truth: True moments, in seconds.
        duration_s: Length of the video, for the baseline.
        decoy: A stretch that must not be picked.
        seed: Seed of the random baseline (1,000 draws of N peaks).
    """
    top = list(peaks[: len(truth)])
    rng = np.random.default_rng(seed)
    draws = rng.uniform(0, duration_s, (1000, len(truth)))
    chance = float(np.mean([_hit(draw, truth) for draw in draws])) if truth else 0.0
    picked = decoy is not None and any(decoy[0] <= peak <= decoy[1] for peak in top)
    return Hits(_hit(top, truth), len(truth), chance, picked)


def _hit(peaks: Iterable[float], truth: Iterable[float]) -> int:
    # A peak can match one moment. On a line, matching from the left gives the maximum number of pairs.
    waiting, moments, hit = sorted(peaks), sorted(truth), 0
    i = j = 0
    while i < len(waiting) and j < len(moments):
        if abs(waiting[i] - moments[j]) <= TOLERANCE_S:
            i, j, hit = i + 1, j + 1, hit + 1
        elif waiting[i] < moments[j]:
            i += 1
        else:
            j += 1
    return hit
