"""Metrics of stretches: worked out by hand, true to their properties, and equal to what others publish."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.evaluation.intervals import (
    SALIENCY_LEVELS,
    THRESHOLDS,
    interval_average_precision,
    matches,
    mean_average_precision,
    recall_at_1,
    saliency_average_precision,
    saliency_hit,
    temporal_iou,
)
from klip_assets.evaluation.ranking import average_precision
from klip_assets_tests.programs import load

STRETCH = st.tuples(st.integers(0, 60), st.integers(1, 30)).map(lambda pair: (pair[0], pair[0] + pair[1]))
STRETCHES = st.lists(STRETCH, max_size=8)
APART = st.integers(1, 6).map(lambda n: [(20.0 * i, 20.0 * i + 7 + i) for i in range(n)])


def test_the_overlap_of_stretches_worked_out_by_hand() -> None:
    found = temporal_iou([(0, 10), (5, 5)], [(0, 10), (5, 15), (10, 20), (2, 4)])
    # (0, 10) and (5, 15) share 5 of 15 seconds; touching is no overlap; (5, 5) has no length.
    assert found == pytest.approx(np.array([[1, 5 / 15, 0, 2 / 10], [0, 0, 0, 0]]))


@given(STRETCHES, STRETCHES)
def test_overlap_is_symmetric_from_0_to_1_and_1_only_for_the_same_stretch(
    one: list[tuple[int, int]], other: list[tuple[int, int]]
) -> None:
    found = temporal_iou(one, other)
    assert found.shape == (len(one), len(other))
    assert np.array_equal(found, temporal_iou(other, one).T)
    assert ((found >= 0) & (found <= 1)).all()
    for i, j in itertools.product(range(len(one)), range(len(other))):
        assert (found[i, j] == 1) == (one[i] == other[j])


@pytest.mark.parametrize("stretch", [(5, 4), (math.nan, 4), (0, math.inf)])
def test_a_stretch_that_is_none_is_refused(stretch: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="interval"):
        temporal_iou([stretch], [(0, 1)])


def test_each_true_stretch_answers_for_one_prediction_and_the_better_ranked_comes_first() -> None:
    predicted = [(0, 10), (1, 10), (30, 40), (21, 30)]
    truth = [(20, 30), (0, 10)]
    assert matches(predicted, truth, 0.5).tolist() == [True, False, False, True]
    # At 0.95 the last one, 9 of 10 seconds, is no hit any more.
    assert matches(predicted, truth, 0.95).tolist() == [True, False, False, False]


def test_a_prediction_whose_best_partner_is_taken_takes_the_next_that_is_near_enough() -> None:
    assert matches([(0, 10), (0, 10)], [(0, 10), (0, 12)], 0.5).tolist() == [True, True]
    assert matches([(0, 10), (0, 10)], [(0, 10), (0, 12)], 0.9).tolist() == [True, False]


def test_interpolated_average_precision_worked_out_by_hand() -> None:
    # Hits at places 2 and 3, of 3 true ones: precisions 1/2 and 2/3; the best from place 2 on is 2/3.
    predicted, truth = [(100, 101), (0, 10), (20, 30)], [(0, 10), (20, 30), (40, 50)]
    assert interval_average_precision(predicted, truth, 0.5) == pytest.approx((2 / 3 + 2 / 3) / 3)
    assert recall_at_1(predicted, truth, 0.5) == 0.0 and recall_at_1(predicted[1:], truth, 0.5) == 1.0


def test_nothing_predicted_is_0_and_nothing_to_find_is_not_a_number() -> None:
    assert interval_average_precision([], [(0, 1)], 0.5) == 0.0 == recall_at_1([], [(0, 1)], 0.5)
    assert math.isnan(interval_average_precision([(0, 1)], [], 0.5)) and math.isnan(recall_at_1([(0, 1)], [], 0.5))
    assert mean_average_precision([([(0, 1)], [(0, 1)]), ([(0, 1)], [])]) == dict.fromkeys(THRESHOLDS, 1.0)
    assert all(math.isnan(value) for value in mean_average_precision([]).values())


@given(APART, st.randoms())
def test_a_perfect_ranking_gives_1_at_every_threshold_in_any_order(
    truth: list[tuple[float, float]], random: Any
) -> None:
    predicted = random.sample(truth, len(truth))
    assert set(mean_average_precision([(predicted, truth)]).values()) == {1.0}
    for threshold in THRESHOLDS:
        assert matches(predicted, truth, threshold).all()
        assert recall_at_1(predicted, truth, threshold) == 1.0
    # What comes after the last hit costs nothing; what comes before the first does.
    assert interval_average_precision([*predicted, (900, 901)], truth, 0.5) == 1.0
    assert interval_average_precision([(900, 901), *predicted], truth, 0.5) < 1.0


@given(STRETCHES, STRETCHES.filter(bool), st.sampled_from(THRESHOLDS))
def test_metrics_lie_between_0_and_1(
    predicted: list[tuple[int, int]], truth: list[tuple[int, int]], threshold: float
) -> None:
    hits = int(matches(predicted, truth, threshold).sum())
    area = interval_average_precision(predicted, truth, threshold)
    assert 0 <= area <= hits / len(truth) <= 1 and hits <= len(predicted)


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30),
    st.sampled_from(sorted(SALIENCY_LEVELS.values())),
    st.randoms(),
)
def test_interpolating_never_lowers_an_average_precision(
    rows: list[tuple[int, int]], at_least: int, random: Any
) -> None:
    saliency, scores = np.array(rows), np.array(random.sample(range(len(rows)), len(rows)), float)
    plain = [average_precision(person >= at_least, scores) for person in saliency.T]
    found = saliency_average_precision(saliency, scores, at_least)
    assert np.nan_to_num(plain).mean() - 1e-12 <= found <= 1


def test_saliency_worked_out_by_hand() -> None:
    # The first finds clips 1 and 2 good, ranked 1st and 3rd: 1 and 2/3. The second finds none good, and counts as 0.
    saliency, scores = [[3, 0], [4, 2], [0, 2]], [0.9, 0.1, 0.5]
    assert saliency_average_precision(saliency, scores, SALIENCY_LEVELS["Good"]) == pytest.approx((1 + 2 / 3) / 2 / 2)
    assert saliency_hit(saliency, scores, SALIENCY_LEVELS["Good"]) == 1.0
    assert saliency_hit(saliency, scores, SALIENCY_LEVELS["VeryGood"]) == 0.0


def test_clips_of_equal_scores_are_one_step_for_the_saliency() -> None:
    # One of one, then two of the four that follow: two steps, that count alike.
    saliency, scores = [[4], [4], [4], [0], [0]], [2, 1, 1, 1, 1]
    assert saliency_average_precision(saliency, scores, 2) == pytest.approx((1 + 3 / 5) / 2)


def test_people_who_agree_with_the_order_of_the_clips_give_1() -> None:
    saliency = np.array([[4, 3], [3, 3], [2, 1], [0, 0]])
    for at_least in (2, 3):
        assert saliency_average_precision(saliency, [4, 3, 2, 1], at_least) == 1.0


@pytest.mark.parametrize("scores", [[1.0], [1.0, math.nan], []])
def test_clips_without_a_known_score_are_refused(scores: list[float]) -> None:
    with pytest.raises(ValueError, match="score"):
        saliency_hit([[1], [2]], scores, 2)


@pytest.fixture(scope="module")
def program() -> Any:
    pytest.importorskip("h5py")
    return load("benchmarks/public_metrics.py")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["full", "short", "middle", "long"])
def test_retrieval_equals_the_published_figures(program: Any, shared_data: Path, name: str) -> None:
    published = program.Published(shared_data / "hl-qvhighlights")
    assert published.areas(name) == published.figures[name]["MR-mAP"]
    assert published.first(name) == published.figures[name]["MR-R1"]


@pytest.mark.parametrize("level", SALIENCY_LEVELS)
def test_saliency_equals_the_published_figures(program: Any, shared_data: Path, level: str) -> None:
    published = program.Published(shared_data / "hl-qvhighlights")
    figures = published.figures[f"HL-min-{level}"]
    assert published.saliency(level) == (figures["HL-mAP"], figures["HL-Hit1"])


@pytest.mark.slow
def test_agreement_of_people_on_tvsum_is_what_otani_and_others_publish(program: Any, shared_data: Path) -> None:
    *agreement, videos = program.tvsum_agreement(shared_data / "hl-tvsum")
    assert videos == 50
    assert agreement == pytest.approx(list(program.OTANI.values()), abs=0.0015)
