"""Loudness relative to its surroundings: what is loud *for this stream, now*.

All statistics are robust (median and median absolute deviation): unlike with a mean, a minute of shouting does not
raise its own baseline.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Series = NDArray[np.float64]

#: Half width of the surroundings in seconds: longer than any event that should stand out (a fight may last a minute).
AROUND_S = 150

#: Known seconds required around a second before it gets a z.
ENOUGH = 10

#: Levels vary by this much when nothing happens; smaller spreads are raised to it (dB).
MIN_SIGMA_DB = 1.5

#: Floor for nearly silent seconds, or pauses would dominate the statistics (LUFS).
FLOOR_LUFS = -60.0

#: Seconds before a burst that serve as its baseline.
BEFORE_S = 8

_MAD_TO_SIGMA = 1.4826
_CHUNK = 4096


def loudness_z(loudness: Series) -> Series:
    """Robust two-sided local z of a loudness series; the second itself is left out of its surroundings.

    Args:
        loudness: LUFS per second, NaN for digital silence; shape (seconds,).

    Returns:
        (value - median) / (1.4826 MAD) over +-AROUND_S; NaN where the value or too many around it are unknown.
    """
    floored = _floored(loudness)
    median, sigma = _surroundings(floored)
    return (floored - median) / sigma


def burst_z(loudness: Series, unheard: NDArray[np.bool_] | None = None) -> Series:
    """Rise of each second above the median of the 8 s before it, in robust sigmas of such rises within +-AROUND_S.

    Digital silence counts as quiet; where nothing was heard, nothing is known.

    The scale is that of the rises, not of the levels: where a stream turns from quiet to loud for good, the levels
    around it include both, and nothing would stand out.

    Args:
        loudness: LUFS per second, NaN for digital silence; shape (seconds,).
        unheard: Which seconds hold no sound at all; None for none.
    """
    length = len(loudness)
    before = np.full(length, np.nan)
    if length:
        levels = np.nan_to_num(_floored(loudness), nan=FLOOR_LUFS)
        if unheard is not None:
            levels = np.where(unheard, np.nan, levels)
        windows = sliding_window_view(np.concatenate([np.full(BEFORE_S, np.nan), levels[:-1]]), BEFORE_S)
        known = np.isfinite(windows).sum(axis=1) >= BEFORE_S // 2
        before[known] = np.nanmedian(windows[known], axis=1)
    rise = _floored(loudness) - before
    return rise / _surroundings(rise)[1]


def _floored(loudness: Series) -> Series:
    return np.where(np.isfinite(loudness), np.maximum(loudness, FLOOR_LUFS), np.nan)


def _surroundings(values: Series) -> tuple[Series, Series]:
    # Median and robust sigma of the known values around each value, itself excluded.
    length = len(values)
    median, sigma = np.full(length, np.nan), np.full(length, np.nan)
    padded = np.pad(values, AROUND_S, constant_values=np.nan)
    for first in range(0, length, _CHUNK):
        last = min(first + _CHUNK, length)
        windows = sliding_window_view(padded[first : last + 2 * AROUND_S], 2 * AROUND_S + 1).copy()
        windows[:, AROUND_S] = np.nan
        known = np.isfinite(windows).sum(axis=1) >= ENOUGH
        if not known.any():
            continue
        middle = np.nanmedian(windows[known], axis=1)
        spread = _MAD_TO_SIGMA * np.nanmedian(np.abs(windows[known] - middle[:, None]), axis=1)
        indices = np.arange(first, last)[known]
        median[indices], sigma[indices] = middle, np.maximum(spread, MIN_SIGMA_DB)
    return median, sigma
