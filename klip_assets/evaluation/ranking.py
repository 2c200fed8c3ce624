"""Ranking metrics: how well scores order highlights before non-highlights.

Sources: Manning, Raghavan and Schuetze, Introduction to Information Retrieval (2008), chapter 8, for average precision
and precision at N; Fawcett (2006), Pattern Recognition Letters 27, for the area under the ROC curve; Lei et al. (2021),
QVHighlights, for HIT@1. Tests check that average precision and ROC AUC equal scikit-learn's, including ties.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Labels = NDArray[np.bool_]
Series = NDArray[np.float64]


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the mean of the precisions at each hit down the ranking; equal scores are one step.

    Args:
        labels: Whether each item is a highlight, shape (n,).
        scores: Higher is better, shape (n,).

    Returns:
        0..1; NaN if there is no highlight. A random order gives about the share of highlights.
    """
    hits, seen = _steps(labels, scores)
    if not len(hits) or hits[-1] == 0:
        return float("nan")
    gained = np.diff(hits, prepend=0) / hits[-1]
    return float(np.sum(gained * hits / seen))


def roc_auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the probability that a highlight scores above a non-highlight, with ties counted half.

    Args:
        labels: Whether each item is a highlight, shape (n,).
        scores: Shape (n,).

    Returns:
        0..1, 0.5 for a random order; NaN if all labels are equal.
    """
    hits, seen = _steps(labels, scores)
    if not len(hits) or hits[-1] in (0, seen[-1]):
        return float("nan")
    true = np.concatenate([[0], hits / hits[-1]])
    false = np.concatenate([[0], (seen - hits) / (seen[-1] - hits[-1])])
    return float(np.trapezoid(true, false))


def precision_at(n: int, labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the share of highlights among the n best; ties are broken by order.

    Args:
        n: Number of items that count; all if there are fewer.
        labels: Whether each item is a highlight, shape (m,).
        scores: Shape (m,).
    """
    top = np.asarray(labels, bool)[_best(n, scores)]
    return float(top.mean()) if len(top) else float("nan")


def rank_correlation(one: ArrayLike, other: ArrayLike) -> tuple[float, float]:
    """Return Kendall's tau-b and Spearman's rho of two scorings of the same items; NaN if one is constant."""
    from scipy.stats import kendalltau, spearmanr

    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    return float(kendalltau(one, other).statistic), float(spearmanr(one, other).statistic)


def _steps(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Cumulative number of highlights and of items after each group of equal scores.
    labels, scores = np.asarray(labels, bool), np.asarray(scores, np.float64)
    if labels.shape != scores.shape:
        raise ValueError(f"{len(labels)} labels, {len(scores)} scores")
    if not np.isfinite(scores).all():
        raise ValueError("scores must be finite to be ranked")
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    return np.cumsum(labels[order])[last], last + 1


def _best(n: int, scores: ArrayLike) -> NDArray[np.intp]:
    return np.argsort(-np.asarray(scores, np.float64), kind="stable")[:n]
