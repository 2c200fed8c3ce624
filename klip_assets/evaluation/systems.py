"""Baselines for Klip: simple systems that anyone could build in an afternoon, and the weights of its predecessor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from klip_assets.evaluation.binned import BinnedSet
from klip_assets.products.highlights.tables import score_curve
from klip_assets.products.highlights.weights import weight_set

Series = NDArray[np.float64]

KLIP, KLIPSTREAM, LOUDNESS, MESSAGES, RANDOM = "klip", "klipstream", "loudness only", "message count only", "random"

#: The best smoothing of a plain level found on these sets, and the best smoothing and shift of plain message counts:
#: the baselines are tuned, so that beating them means something.
LEVEL_SMOOTH_S, COUNT_SMOOTH_S, COUNT_SHIFT_S = 15, 30, 20


def system_scores(golden: BinnedSet, weights_version: str) -> dict[str, Series]:
    """Return the score of every bin by every applicable system; each of shape (bins,).

    Args:
        golden: The set.
        weights_version: Klip's weight set.
    """
    signals = golden.signals()
    scores = {}
    for name, version in ((KLIP, weights_version), (KLIPSTREAM, "klipstream-1")):
        curve = score_curve(signals, weight_set(version)).score
        if np.isfinite(curve).any():
            scores[name] = golden.by_bin(curve)
    if golden.loudness is not None:
        scores[LOUDNESS] = _centred(golden.by_bin(golden.loudness), round(LEVEL_SMOOTH_S / golden.bin_s))
    if golden.chat is not None:
        t_s = np.floor(golden.chat["offset_s"].to_numpy())
        inside = t_s[(t_s >= 0) & (t_s < golden.seconds)].astype(np.int64)
        counts = golden.by_bin(np.bincount(inside, minlength=golden.seconds).astype(np.float64))
        smooth = _centred(counts, round(COUNT_SMOOTH_S / golden.bin_s))
        shift = round(COUNT_SHIFT_S / golden.bin_s)
        scores[MESSAGES] = np.concatenate([smooth[shift:], np.full(shift, smooth[-1])])
    return scores


def _centred(values: Series, width: int) -> Series:
    # A plain centred mean, with a shorter window at the ends.
    if width <= 1:
        return values
    total = np.convolve(values, np.ones(width), "same")
    return total / np.convolve(np.ones(len(values)), np.ones(width), "same")
