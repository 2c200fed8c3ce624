"""Figures of a set, with intervals, for every system."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from klip_assets.evaluation.binned import BinnedSet
from klip_assets.evaluation.bootstrap import Indices, differences, draws, interval
from klip_assets.evaluation.ranking import average_precision, precision_at, roc_auc
from klip_assets.evaluation.systems import KLIP, RANDOM, system_scores

#: Length of the blocks that are resampled together, since people mark whole scenes.
BLOCK_S = 300
#: Number of random orders that the random system is averaged over.
RANDOM_ORDERS = 200


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        metric: What was measured.
        system: By which system; "klip - X" for a difference.
        value: The figure.
        low: Lower end of its 95 % interval, None if unknown.
        high: Upper end.
        n: Number of cases behind it.
    """

    metric: str
    system: str
    value: float
    low: float | None
    high: float | None
    n: int


def binned_figures(golden: BinnedSet, weights_version: str) -> list[Figure]:
    """Measure every system on a set of bins.

    Args:
        golden: The set.
        weights_version: Klip's weight set.

    Returns:
        Average precision, ROC AUC and precision at N (the number of marked highlights) of each system, and the
        differences between Klip and the others on the same resamples.
    """
    labels = golden.labels[golden.judged]
    scores = {name: values[golden.judged] for name, values in system_scores(golden, weights_version).items()}
    metrics: dict[str, Callable[[NDArray[np.bool_], NDArray[np.float64]], float]] = {
        "average precision": average_precision,
        "ROC AUC": roc_auc,
        f"precision at {golden.moments}": lambda truth, score: precision_at(golden.moments, truth, score),
    }
    resamples = draws(len(labels), BLOCK_S // golden.bin_s)
    found: list[Figure] = []
    for metric, measure in metrics.items():

        def on(name: str, measure: Callable[..., float] = measure) -> Callable[[Indices], float]:
            return lambda places: measure(labels[places], scores[name][places])

        figures = {name: on(name) for name in scores}
        for name, figure in figures.items():
            low, high = interval(figure, resamples)
            found.append(Figure(metric, name, measure(labels, scores[name]), low, high, len(labels)))
        found.append(_of_random(metric, measure, labels))
        for name, (low, high) in differences(figures, KLIP, resamples).items():
            value = measure(labels, scores[KLIP]) - measure(labels, scores[name])
            found.append(Figure(metric, f"{KLIP} - {name}", value, low, high, len(labels)))
    return found


def _of_random(metric: str, measure: Callable[..., float], labels: NDArray[np.bool_]) -> Figure:
    rng = np.random.default_rng(0)
    values = [measure(labels, rng.random(len(labels))) for _ in range(RANDOM_ORDERS)]
    low, high = np.percentile(values, [2.5, 97.5])
    return Figure(metric, RANDOM, float(np.mean(values)), float(low), float(high), len(labels))
