"""Intervals: the same in every run, as wide as they should be, and narrow where systems are compared on equal draws."""

from __future__ import annotations

import numpy as np
import pytest

from klip_assets.evaluation.bootstrap import differences, draws, interval


def test_the_same_seed_draws_the_same_places() -> None:
    one, two = draws(50, 7), draws(50, 7)
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert any((a != b).any() for a, b in zip(one, draws(50, 7, seed=1), strict=True))


@pytest.mark.parametrize(("length", "block"), [(1, 1), (10, 3), (10, 99), (31, 30)])
def test_resamples_have_the_length_of_the_series_and_are_made_of_neighbours(length: int, block: int) -> None:
    for places in draws(length, block, count=20):
        assert len(places) == length and places.min() >= 0 and places.max() < length
        steps = np.diff(places) % length
        whole = np.arange(1, length) % min(block, length) != 0
        assert (steps[whole] == 1 % length).all()


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = np.random.default_rng(3).standard_normal(400)
    low, high = interval(lambda places: float(values[places].mean()), draws(400, 1))
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02) and high == pytest.approx(
        values.mean() + half, abs=0.02
    )


def test_neighbours_that_are_alike_widen_the_interval() -> None:
    scenes = np.repeat(np.random.default_rng(4).standard_normal(40), 10)

    def width(block: int) -> float:
        low, high = interval(lambda places: float(scenes[places].mean()), draws(400, block))
        return high - low

    assert width(20) > 2 * width(1)


def test_a_difference_on_equal_draws_is_surer_than_the_figures_themselves() -> None:
    hard = np.random.default_rng(5).standard_normal(300)
    figures = {"a": lambda p: float(hard[p].mean() + 0.1), "b": lambda p: float(hard[p].mean())}
    low, high = differences(figures, "a", draws(300, 10))["b"]
    assert low == pytest.approx(0.1) and high == pytest.approx(0.1)


def test_resamples_without_a_value_are_left_out() -> None:
    low, high = interval(lambda places: float("nan") if places[0] % 2 else 1.0, draws(10, 1))
    assert (low, high) == (1.0, 1.0)
    assert all(np.isnan(interval(lambda places: float("nan"), draws(10, 1))))
