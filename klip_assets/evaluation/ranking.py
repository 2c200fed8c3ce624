"""How well scores order things: those that are highlights before those that are not.

Sources: Manning, Raghavan and Schuetze, Introduction to Information Retrieval (2008), chapter 8, for average precision
and precision at N; Fawcett (2006), Pattern Recognition Letters 27, for the area under the ROC curve; Lei et al. (2021),
QVHighlights, for HIT@1. Average precision and ROC area are tested equal to scikit-learn, ties included.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Labels = NDArray[np.bool_]
Series = NDArray[np.float64]


def average_precision(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the mean of the precisions at each hit, down the ranking; equal scores are one step.

    Args:
        labels: What is a highlight, shape (n,).
        scores: The higher the sooner, shape (n,).

    Returns:
        0..1; NaN if nothing is a highlight. A random order gives about the share of highlights.
    """
    hits, seen = _steps(labels, scores)
    if not len(hits) or hits[-1] == 0:
        return float("nan")
    gained = np.diff(hits, prepend=0) / hits[-1]
    return float(np.sum(gained * hits / seen))


def roc_auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the chance that a highlight scores above one that is none, ties counted half.

    Args:
        labels: What is a highlight, shape (n,).
        scores: Shape (n,).

    Returns:
        0..1, a random order gives 0.5; NaN if all are alike.
    """
    hits, seen = _steps(labels, scores)
    if not len(hits) or hits[-1] in (0, seen[-1]):
        return float("nan")
    true = np.concatenate([[0], hits / hits[-1]])
    false = np.concatenate([[0], (seen - hits) / (seen[-1] - hits[-1])])
    return float(np.trapezoid(true, false))


def precision_at(n: int, labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the share of highlights among the n best; of equal scores the earlier counts first.

    Args:
        n: How many count; fewer if there are fewer.
        labels: What is a highlight, shape (m,).
        scores: Shape (m,).
    """
    top = np.asarray(labels, bool)[_best(n, scores)]
    return float(top.mean()) if len(top) else float("nan")


def rank_correlation(one: ArrayLike, other: ArrayLike) -> tuple[float, float]:
    """Return Kendall's tau-b and Spearman's rho of two scorings of the same things; NaN where one is constant."""
    from scipy.stats import kendalltau, spearmanr

    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    return float(kendalltau(one, other).statistic), float(spearmanr(one, other).statistic)


def _steps(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # Highlights and things so far, after each group of equal scores.
    labels, scores = np.asarray(labels, bool), np.asarray(scores, np.float64)
    if labels.shape != scores.shape:
        raise ValueError(f"{len(labels)} labels, {len(scores)} scores")
    if not np.isfinite(scores).all():
        raise ValueError("a score is not known; only known scores can be ranked")
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))
    return np.cumsum(labels[order])[last], last + 1


def _best(n: int, scores: ArrayLike) -> NDArray[np.intp]:
    return np.argsort(-np.asarray(scores, np.float64), kind="stable")[:n]
