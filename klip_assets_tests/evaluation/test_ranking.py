"""Metrics of rankings: equal to scikit-learn where it has them, and to values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.evaluation.ranking import (
    average_precision,
    precision_at,
    rank_correlation,
    roc_auc,
)

RANKED = st.lists(st.tuples(st.booleans(), st.integers(0, 8).map(lambda n: n / 8)), min_size=1, max_size=60)


def test_average_precision_of_a_ranking_worked_out_by_hand() -> None:
    # Hits at places 1, 3 and 4: (1/1 + 2/3 + 3/4) / 3.
    assert average_precision([1, 0, 1, 1, 0], [5, 4, 3, 2, 1]) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


@settings(deadline=None)
@given(RANKED)
def test_average_precision_and_roc_area_equal_scikit_learns_ties_included(rows: list[tuple[bool, float]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    labels, scores = [label for label, _ in rows], [score for _, score in rows]
    if any(labels):
        assert average_precision(labels, scores) == pytest.approx(metrics.average_precision_score(labels, scores))
    else:
        assert math.isnan(average_precision(labels, scores))
    if any(labels) and not all(labels):
        assert roc_auc(labels, scores) == pytest.approx(metrics.roc_auc_score(labels, scores))
    else:
        assert math.isnan(roc_auc(labels, scores))


@given(RANKED)
def test_only_the_order_of_scores_counts(rows: list[tuple[bool, float]]) -> None:
    labels, scores = np.array([label for label, _ in rows]), np.array([score for _, score in rows])
    for metric in (average_precision, roc_auc):
        one, other = metric(labels, scores), metric(labels, 3 * scores**3 - 7)
        assert one == other or (math.isnan(one) and math.isnan(other))


def test_all_scores_alike_are_worth_nothing() -> None:
    labels = [True] * 3 + [False] * 7
    assert average_precision(labels, [0.5] * 10) == pytest.approx(0.3)
    assert roc_auc(labels, [0.5] * 10) == pytest.approx(0.5)


def test_precision_at_n_counts_the_best_and_of_equals_the_earlier() -> None:
    labels, scores = [0, 1, 1, 0, 1], [3, 3, 2, 1, 0]
    assert precision_at(1, labels, scores) == 0.0
    assert precision_at(2, labels, scores) == 0.5
    assert precision_at(99, labels, scores) == pytest.approx(3 / 5)


def test_rank_correlation_is_1_for_one_order_and_minus_1_for_its_reverse() -> None:
    assert rank_correlation([1, 2, 3, 9], [10, 20, 21, 22]) == pytest.approx((1, 1))
    assert rank_correlation([1, 2, 3, 9], [4, 3, 2, 1]) == pytest.approx((-1, -1))


@pytest.mark.parametrize("scores", [[1.0, math.nan], [1.0, math.inf], [1.0]])
def test_scores_that_can_not_be_ranked_are_refused(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="score"):
        average_precision([True, False], scores)
