"""Metrics for ranked time intervals against true ones, and for ranked clips against annotators' ratings.

Sources: Caba Heilbron et al. (2015), ActivityNet, for greedy matching and interpolated average precision; Lei et al.
(2021), QVHighlights (arXiv:2107.09609), for R1, the thresholds and saliency. Tests reproduce to two decimals the
figures that QVHighlights publishes for its sample predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Series = NDArray[np.float64]

#: Thresholds over which mean average precision is averaged: 0.5, 0.55 ... 0.95.
THRESHOLDS: tuple[float, ...] = tuple(n / 100 for n in range(50, 100, 5))
#: Minimum saliency of a highlight in QVHighlights, by name of the level.
SALIENCY_LEVELS: Mapping[str, int] = {"Fair": 2, "Good": 3, "VeryGood": 4}


def temporal_iou(one: ArrayLike, other: ArrayLike) -> Series:
    """Return the intersection over union of each pair of intervals.

    Args:
        one: Start and end in seconds, shape (n, 2).
        other: The same, shape (m, 2).

    Returns:
        0..1, shape (n, m); an empty interval overlaps nothing.

    Raises:
        ValueError: An interval ends before it starts, or an end is not finite.
    """
    a, b = _stretches(one)[:, None, :], _stretches(other)[None, :, :]
    shared = np.maximum(np.minimum(a[..., 1], b[..., 1]) - np.maximum(a[..., 0], b[..., 0]), 0.0)
    covered = (a[..., 1] - a[..., 0]) + (b[..., 1] - b[..., 0]) - shared
    return np.where(covered > 0, shared / np.where(covered > 0, covered, 1.0), 0.0)


def matches(predicted: ArrayLike, truth: ArrayLike, threshold: float) -> NDArray[np.bool_]:
    """Return which predicted intervals hit: each in turn takes the best true one that is still free.

    Args:
        predicted: Best first, shape (n, 2).
        truth: Shape (m, 2); the order matters only for ties.
        threshold: Minimum IoU of a hit.

    Returns:
        Shape (n,).
    """
    iou = temporal_iou(predicted, truth)
    hits = np.zeros(len(iou), bool)
    for rank, row in enumerate(iou):
        if row.size and (best := int(np.argmax(row))) >= 0 and row[best] >= threshold:
            hits[rank] = True
            iou[:, best] = -1.0
    return hits


def interval_average_precision(predicted: ArrayLike, truth: ArrayLike, threshold: float) -> float:
    """Return the interpolated average precision of predicted intervals.

    The precision at a recall is the highest at that recall or a greater one.

    Args:
        predicted: Best first, shape (n, 2).
        truth: Shape (m, 2).
        threshold: Minimum IoU of a hit.

    Returns:
        0..1; NaN if there is no true interval.
    """
    known = len(_stretches(truth))
    return _interpolated(matches(predicted, truth, threshold), known) if known else float("nan")


def recall_at_1(predicted: ArrayLike, truth: ArrayLike, threshold: float) -> float:
    """Return 1 if the best predicted interval hits any true one, else 0; NaN if there is no true one."""
    if not len(_stretches(truth)):
        return float("nan")
    return float(matches(_stretches(predicted)[:1], truth, threshold).any())


def mean_average_precision(
    rankings: Iterable[tuple[ArrayLike, ArrayLike]], thresholds: Sequence[float] = THRESHOLDS
) -> dict[float, float]:
    """Return the mean average precision over rankings, by IoU threshold; the mean over thresholds is "the" mAP.

    Args:
        rankings: Predicted intervals (best first) and true ones, for each video or query. Those without a true interval
            are ignored.
        thresholds: IoU thresholds.

    Returns:
        0..1 by threshold; NaN if no ranking has a true interval.
    """
    pairs = [(predicted, truth) for predicted, truth in rankings if len(_stretches(truth))]
    return {
        threshold: _mean([interval_average_precision(predicted, truth, threshold) for predicted, truth in pairs])
        for threshold in thresholds
    }


def saliency_average_precision(saliency: ArrayLike, scores: ArrayLike, at_least: float) -> float:
    """Return the average precision of clip scores against people's ratings, as the mean over people.

    The precision at a recall is the highest at that recall or a greater one. By the convention of QVHighlights, clips
    with equal scores are one step, each step counts the same, and a person who calls no clip a highlight counts as 0,
    whatever the scores.

    Args:
        saliency: Rating of each clip by each person, shape (clips, people).
        scores: Higher is better, shape (clips,).
        at_least: Minimum saliency of a highlight, see SALIENCY_LEVELS.

    Returns:
        0..1.
    """
    judged, scores = _judged(saliency, scores, at_least)
    return _mean([_step_average_precision(person, scores) for person in judged.T])


def saliency_hit(saliency: ArrayLike, scores: ArrayLike, at_least: float) -> float:
    """Return 1 if at least one person calls the best clip a highlight, else 0 (HIT@1 of QVHighlights).

    Args:
        saliency: Rating of each clip by each person, shape (clips, people).
        scores: Shape (clips,); ties go to the earlier one.
        at_least: Minimum saliency of a highlight.
    """
    judged, scores = _judged(saliency, scores, at_least)
    return float(judged[int(np.argmax(scores))].any())


def _stretches(values: ArrayLike) -> Series:
    found = np.asarray(values, np.float64).reshape(-1, 2)
    if not np.isfinite(found).all() or (found[:, 1] < found[:, 0]).any():
        raise ValueError("an interval needs a finite start, and a finite end that is not before it")
    return found


def _interpolated(hits: NDArray[np.bool_], known: int) -> float:
    # Recall rises by 1 / known at each hit, and only there.
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(best[hits].sum() / known)


def _step_average_precision(labels: NDArray[np.bool_], scores: Series) -> float:
    if not labels.any():
        return 0.0
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    hits = np.cumsum(labels[order])[last]
    best = np.maximum.accumulate((hits / (last + 1))[::-1])[::-1]
    return float(best[np.diff(hits, prepend=0) > 0].mean())


def _judged(saliency: ArrayLike, scores: ArrayLike, at_least: float) -> tuple[NDArray[np.bool_], Series]:
    judged, scores = np.asarray(saliency, np.float64) >= at_least, np.asarray(scores, np.float64)
    if judged.ndim != 2 or len(judged) != len(scores) or not len(scores):
        raise ValueError(f"saliency of shape {judged.shape}, {len(scores)} scores; expected one score per clip")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite to be ranked")
    return judged, scores


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
