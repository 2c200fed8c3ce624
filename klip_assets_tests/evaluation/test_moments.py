"""Hits among the top N: one peak a moment, beside chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.contracts import EVALUATIONS
from klip_assets.evaluation.figures import Figure
from klip_assets.evaluation.moments import TOLERANCE_S, hits_at_n
from klip_assets.evaluation.tables import evaluation_rows
from klip_assets.store.lake.validate import conform


def hit(peaks: list[float], truth: list[float], **options: object) -> int:
    return hits_at_n(peaks, truth, duration_s=1000, decoy=None, **options).hit  # type: ignore[arg-type]


def test_a_peak_within_5_s_is_a_hit() -> None:
    assert hit([105.0], [100.0]) == 1 and hit([95.0], [100.0]) == 1 and hit([105.1], [100.0]) == 0


def test_one_peak_answers_for_one_moment_only() -> None:
    assert hit([102.0, 500.0], [100.0, 104.0]) == 1


def test_one_moment_is_hit_once_only() -> None:
    assert hit([99.0, 101.0], [100.0, 900.0]) == 1


def test_the_matching_is_the_best_there_is_not_the_nearest_first() -> None:
    # 104 is nearer to 106, but then 109 would have nothing left and 100 no peak.
    assert hit([104.0, 109.0], [100.0, 106.0]) == 2


times = st.lists(st.floats(0, 60), max_size=5)


@given(times, times)
def test_no_assignment_of_peaks_to_moments_has_more_hits(peaks: list[float], truth: list[float]) -> None:
    def best(i: int, free: frozenset[int]) -> int:
        if i == len(peaks):
            return 0
        tries = [best(i + 1, free - {j}) + 1 for j in free if abs(peaks[i] - truth[j]) <= TOLERANCE_S]
        return max([best(i + 1, free), *tries])

    peaks = peaks[: len(truth)]
    assert hit(peaks, truth) == best(0, frozenset(range(len(truth))))


def test_only_as_many_peaks_count_as_there_are_moments() -> None:
    assert hit([500.0, 100.0], [100.0]) == 0


def test_fewer_peaks_than_moments_and_none_at_all_are_taken_as_they_are() -> None:
    assert hit([100.0], [100.0, 200.0]) == 1 and hit([], [100.0]) == 0
    nothing = hits_at_n([1.0], [], duration_s=100, decoy=None)
    assert (nothing.hit, nothing.moments, nothing.random) == (0, 0, 0.0) and np.isnan(nothing.recall)


def test_the_random_baseline_is_what_chance_gives() -> None:
    one = hits_at_n([], [500.0], duration_s=1000, decoy=None)
    assert one.random == pytest.approx(2 * TOLERANCE_S / 1000, abs=0.01)
    certain = hits_at_n([], [5.0], duration_s=10, decoy=None)
    assert certain.random == 1.0
    many = hits_at_n([], list(range(50, 1000, 100)), duration_s=1000, decoy=None)
    assert 0.6 < many.random < 1.1


def test_the_random_baseline_is_the_same_in_every_run() -> None:
    one, two = (hits_at_n([1.0], [10.0, 50.0], duration_s=100, decoy=None) for _ in range(2))
    assert one == two


def test_a_decoy_among_the_top_n_is_told() -> None:
    def decoyed(peaks: list[float]) -> bool:
        return hits_at_n(peaks, [100.0], duration_s=1000, decoy=(300, 330)).decoy_picked

    assert decoyed([315.0]) and not decoyed([100.0, 315.0]) and not decoyed([])


def test_figures_become_rows_by_contract() -> None:
    figures = [Figure("moments", "klip", 3.0, None, None, 4), Figure("moments", "random", 0.5, 0.1, 0.9, 4)]
    rows = conform(EVALUATIONS, evaluation_rows("run", {"one": figures, "two": figures[:1]}, "klip-2")).to_pylist()
    assert [(row["golden_set"], row["system"], row["value"]) for row in rows] == [
        ("one", "klip", 3.0),
        ("one", "random", 0.5),
        ("two", "klip", 3.0),
    ]
    assert (rows[0]["low"], rows[1]["high"], rows[0]["weights_version"]) == (None, 0.9, "klip-2")
