"""Smoothing of signals: a moment is a few seconds of climax within half a minute of excitement."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Series = NDArray[np.float64]

#: Half widths of the narrow core, which locates a moment, and of the wide skirt, which measures how big it is: a door
#: slams in a second, a fight takes longer.
CORE_S, SKIRT_S = 3, 25
#: Weight of the core for lasting signals (loudness, chat, emotion). Those of a voice are short and have no skirt.
LASTING = 0.4
SHARP = 1.0
#: A smoothed value is known if at least this share of its weight is.
ENOUGH = 0.5

#: Half width of the surroundings that define "usual", and the sampling step.
USUAL_S, USUAL_STEP_S = 450, 5


def kernel(core_share: float) -> Series:
    """Return the smoothing kernel, the sum of two Hann windows: shape (2 SKIRT_S + 1,), sum 1."""
    core, skirt = _hann(CORE_S), _hann(SKIRT_S)
    return (1 - core_share) * skirt + core_share * np.pad(core, SKIRT_S - CORE_S)


def smoothed(values: Series, core_share: float = LASTING) -> Series:
    """Return the weighted mean around each second, over the known values inside the video.

    Args:
        values: One per second, NaN where unknown; shape (seconds,).
        core_share: Weight of the core, 0..1; the skirt has the rest.

    Returns:
        The same shape; NaN where less than half of the weight inside the video is known.
    """
    if not len(values):
        return values
    known = np.isfinite(values)
    weights = kernel(core_share)
    inside = _around(np.ones(len(values)), weights)
    weight = _around(known.astype(np.float64), weights)
    total = _around(np.where(known, values, 0.0), weights)
    return np.where(weight >= ENOUGH * inside, total / np.maximum(weight, 1e-12), np.nan)


def moved_back(values: Series, lag_s: int) -> Series:
    """Shift a lagging signal back to the moments it reacts to.

    Args:
        values: One per second; shape (seconds,).
        lag_s: Seconds by which it lags.

    Returns:
        The same shape; NaN at the end, where the reaction is unknown.
    """
    if lag_s <= 0 or not len(values):
        return values
    lag_s = min(lag_s, len(values))
    return np.concatenate([values[lag_s:], np.full(lag_s, np.nan)])


def usual(values: Series) -> Series:
    """Return the median of the 15 minutes around each second, sampled every 5 s; NaN where nothing is known.

    Args:
        values: One per second, NaN where unknown; shape (seconds,).
    """
    if not np.isfinite(values).any():
        return np.full(len(values), np.nan)
    samples = values[::USUAL_STEP_S]
    half = USUAL_S // USUAL_STEP_S
    windows = sliding_window_view(np.pad(samples, half, constant_values=np.nan), 2 * half + 1)
    some = np.isfinite(windows).any(axis=1)
    medians = np.nanmedian(windows[some], axis=1)
    at = np.arange(len(samples))[some] * USUAL_STEP_S
    return np.interp(np.arange(len(values)), at, medians)


def highest_around(values: Series, reach_s: int) -> Series:
    """Return the maximum of the known values within some seconds of each; NaN where none is known."""
    if not len(values):
        return values
    windows = sliding_window_view(np.pad(values, reach_s, constant_values=np.nan), 2 * reach_s + 1)
    highest = np.where(np.isfinite(windows), windows, -np.inf).max(axis=1)
    return np.where(np.isfinite(highest), highest, np.nan)


def _hann(half: int) -> Series:
    window = np.hanning(2 * half + 3)[1:-1]
    return np.asarray(window / window.sum())


def _around(values: Series, weights: Series) -> Series:
    return np.convolve(values, weights)[SKIRT_S : SKIRT_S + len(values)]
