"""Metrics of classifiers against labels given by people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


def macro_recall(labels: Labels, guesses: Labels) -> float:
    """Return the mean recall of the classes that occur: the metric of SemEval-2017 task 4 A (Rosenthal et al., 2017).

    Args:
        labels: True classes, shape (texts,).
        guesses: Predicted classes, same shape; a class that no label has is always wrong.

    Returns:
        0..1.
    """
    return float(np.mean([np.mean(guesses[labels == label] == label) for label in np.unique(labels)]))
