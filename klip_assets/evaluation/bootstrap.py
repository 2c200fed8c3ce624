"""Bootstrap intervals for figures from a single recording.

Neighbouring seconds are similar, so drawing single seconds or bins with replacement would overstate the number of
independent cases: whole blocks of neighbours are drawn instead (the circular block bootstrap of Politis and Romano,
1992). Systems are compared on the same draws, so that what is hard for both does not blur their difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000
SEED = 20_240_501
_EDGES = (2.5, 97.5)

Indices = NDArray[np.intp]


def draws(length: int, block: int, *, count: int = DRAWS, seed: int = SEED) -> list[Indices]:
    """Return the indices of `count` resamples of a series, each of its length, made of blocks of neighbours.

    Args:
        length: Number of items in the series.
        block: Number of neighbours drawn together; the series is treated as circular.
        count: Number of resamples.
        seed: The same seed draws the same indices.
    """
    rng = np.random.default_rng(seed)
    block = max(1, min(block, length))
    starts = rng.integers(0, length, (count, -(-length // block)))
    places = (starts[:, :, None] + np.arange(block)).reshape(count, -1)[:, :length] % length
    return list(places)


def interval(figure: Callable[[Indices], float], resamples: list[Indices]) -> tuple[float, float]:
    """Return the 2.5th and 97.5th percentiles of a figure over resamples; those without a value are left out."""
    values = np.array([figure(places) for places in resamples])
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.percentile(values, _EDGES)
    return float(low), float(high)


def differences(
    figures: Mapping[str, Callable[[Indices], float]], of: str, resamples: list[Indices]
) -> dict[str, tuple[float, float]]:
    """Return the interval of the difference between one system's figure and each other's, on the same resamples.

    Args:
        figures: The figure of each system.
        of: The system whose figure the others are subtracted from.
        resamples: From `draws`.
    """
    mine = figures[of]
    return {
        name: interval(lambda places, theirs=theirs: mine(places) - theirs(places), resamples)  # type: ignore[misc]
        for name, theirs in figures.items()
        if name != of
    }
