"""Picking: edges allowed, neighbours decided, every candidate with its reason."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.products.highlights.picking import (
    AFTER_S,
    BEFORE_S,
    FEWEST,
    LONGEST_S,
    MAX_OVERLAP,
    MIN_GAP_S,
    MIN_RISE,
    SHORTEST_S,
    SNAP_S,
    THRESHOLD_SIGMAS,
    Candidate,
    pick,
)
from klip_assets_tests.suite.examples import examples

NONE = np.zeros(0)


def calm(seconds: int, seed: int = 0) -> np.ndarray:
    return 0.3 + 0.02 * np.random.default_rng(seed).standard_normal(seconds)


def picked(
    score: np.ndarray, duration: float | None = None, starts: np.ndarray = NONE, ends: np.ndarray = NONE
) -> list[Candidate]:
    length = float(len(score)) if duration is None else duration
    return pick(score, duration_s=length, sentence_starts=starts, sentence_ends=ends)


def kept_at(candidates: list[Candidate]) -> list[float]:
    return [candidate.peak_s for candidate in candidates if candidate.kept]


def with_peaks(seconds: int, *places: int, height: float = 0.9) -> np.ndarray:
    score = calm(seconds)
    for place in places:
        score[place] = height
    return score


@pytest.mark.parametrize("place", [0, 1, 299, 598, 599])
def test_a_moment_at_the_edge_of_the_video_is_a_highlight_k11(place: int) -> None:
    assert place + 0.5 in kept_at(picked(with_peaks(600, place)))


def test_two_moments_60_s_apart_are_two_highlights_k11() -> None:
    assert {200.5, 260.5} <= set(kept_at(picked(with_peaks(600, 200, 260))))


def test_all_planted_events_are_found_however_near_and_at_the_edges_k11() -> None:
    events = [5, 300, 620, 940, 1500, 1560, 1795]
    assert {event + 0.5 for event in events} <= set(kept_at(picked(with_peaks(1800, *events))))


def test_of_two_moments_nearer_than_the_least_gap_the_stronger_is_kept() -> None:
    score = with_peaks(600, 200, 210)
    score[210] = 0.95
    candidates = picked(score)
    weaker = next(candidate for candidate in candidates if candidate.peak_s == 200.5)
    assert not weaker.kept and weaker.beaten_by is not None
    assert candidates[weaker.beaten_by].peak_s == 210.5 and "210" in weaker.reason


def test_a_flat_curve_has_no_highlights() -> None:
    assert picked(np.full(600, 0.4)) == []
    assert kept_at(picked(0.4 + 0.005 * np.random.default_rng(0).standard_normal(600))) == []


def test_a_curve_that_is_unknown_has_no_candidates() -> None:
    assert picked(np.full(600, np.nan)) == [] and picked(np.zeros(0)) == []


def test_a_partly_unknown_curve_is_picked_where_it_is_known() -> None:
    score = with_peaks(600, 300)
    score[:200] = np.nan
    assert 300.5 in kept_at(picked(score)) and min(kept_at(picked(score))) > 200


def test_the_middle_of_a_plateau_is_its_peak() -> None:
    score = np.full(300, 0.2)
    score[100:111] = 0.8
    assert kept_at(picked(score)) == [105.5]


def test_clip_edges_are_those_of_sentences_near_by() -> None:
    starts, ends = np.array([70.0, 86.5, 101.0]), np.array([86.0, 100.5, 111.25])
    clip = next(c for c in picked(with_peaks(300, 100), starts=starts, ends=ends) if c.kept and c.peak_s == 100.5)
    assert (clip.start_s, clip.end_s) == (86.5, 111.25)


def test_a_video_shorter_than_a_clip_is_one_clip_as_a_whole() -> None:
    clips = picked(np.array([0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.1]), duration=6.4)
    assert [(c.start_s, c.end_s, c.kept) for c in clips] == [(0.0, 6.4, True)]


def test_the_end_of_a_clip_at_the_end_of_the_video_is_that_of_the_video_to_the_last_digit() -> None:
    for duration in (599.3333333, 599.6666666, 599.9996, 599.0004):
        score = with_peaks(int(np.ceil(duration)), 598)
        clip = max((c for c in picked(score, duration) if c.kept), key=lambda c: c.peak_s)
        assert clip.start_s <= clip.peak_s <= clip.end_s <= duration


@st.composite
def curves(draw: st.DrawFn) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    duration = draw(st.floats(0.5, 900))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    seconds = int(np.ceil(duration))
    score = np.convolve(rng.uniform(0, 1, seconds), np.ones(draw(st.integers(1, min(9, seconds)))) / 5, mode="same")
    if draw(st.booleans()):
        score = np.round(score, 1)  # Ties and plateaus.
    starts = np.sort(rng.uniform(0, duration, draw(st.integers(0, 200))))
    ends = np.sort(np.minimum(duration, starts + rng.uniform(0.1, 20, len(starts))))
    return score, duration, starts, ends


@settings(max_examples=examples(150), deadline=None)
@given(curves())
def test_whatever_the_curve_all_promises_hold(curve: tuple[np.ndarray, float, np.ndarray, np.ndarray]) -> None:
    score, duration, starts, ends = curve
    candidates = picked(score, duration, starts, ends)
    assert candidates == picked(score, duration, starts, ends)
    assert [c.peak_s for c in candidates] == sorted(c.peak_s for c in candidates)
    median = np.median(score)
    below = median - score[score < median]
    threshold = (
        median + max(THRESHOLD_SIGMAS * 1.4826 * np.median(below), MIN_RISE) if len(below) else median + MIN_RISE
    )
    for candidate in candidates:
        assert 0 <= candidate.start_s <= candidate.peak_s <= candidate.end_s <= duration
        length = candidate.end_s - candidate.start_s
        whole = (candidate.start_s, candidate.end_s) == (0, duration)
        assert whole or SHORTEST_S - 2e-3 <= length <= LONGEST_S + 2e-3
        assert candidate.reason and candidate.score == score[int(min(candidate.peak_s, len(score) - 0.5))]
        if candidate.score >= threshold:
            assert candidate.kept == (candidate.beaten_by is None)
        if candidate.kept and candidate.score < threshold:
            assert candidate.score >= median + MIN_RISE
            assert sum(other.kept and other.score > candidate.score for other in candidates) < FEWEST
        if candidate.beaten_by is not None:
            rival = candidates[candidate.beaten_by]
            assert rival.kept and rival.score >= candidate.score
    winners = [c for c in candidates if c.kept]
    for i, one in enumerate(winners):
        for other in winners[i + 1 :]:
            assert abs(one.peak_s - other.peak_s) >= MIN_GAP_S
            shared = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
            assert shared <= MAX_OVERLAP * min(one.end_s - one.start_s, other.end_s - other.start_s) + 1e-9


def plainly_snapped(at: float, edges: np.ndarray, latest: float, earliest: float) -> float:
    near = [edge for edge in edges.tolist() if abs(edge - at) <= SNAP_S and earliest <= edge <= latest]
    return min(near, key=lambda edge: abs(edge - at)) if near else at


def plainly_picked(
    score: np.ndarray, duration: float, starts: np.ndarray, ends: np.ndarray, found: list[Candidate]
) -> list[tuple[float, float, bool, int | None]]:
    """Give each candidate its clip and its verdict by comparing all with all."""
    clips = []
    for candidate in found:
        peak = candidate.peak_s
        if duration <= SHORTEST_S:
            clips.append((0.0, duration))
            continue
        start = max(0.0, plainly_snapped(peak - BEFORE_S, starts, peak - 1, -np.inf))
        end = min(duration, plainly_snapped(peak + AFTER_S, ends, np.inf, peak + 1))
        if end - start < SHORTEST_S:
            end = min(duration, start + SHORTEST_S)
            start = max(0.0, end - SHORTEST_S)
        end = min(end, start + LONGEST_S)
        clips.append((round(start, 3), end if end == duration else min(duration, round(end, 3))))
    median = float(np.nanmedian(score))
    below = score[score < median]
    sigma = 1.4826 * float(np.median(median - below)) if len(below) else 0.0
    threshold = median + max(THRESHOLD_SIGMAS * sigma, MIN_RISE)
    winners: list[int] = []
    beaten: dict[int, int] = {}
    for index in sorted(range(len(found)), key=lambda i: (-found[i].score, found[i].peak_s)):
        if found[index].score < threshold and (len(winners) >= FEWEST or found[index].score < median + MIN_RISE):
            continue
        for rival in winners:
            (a, b), (c, d) = clips[index], clips[rival]
            too_near = abs(found[index].peak_s - found[rival].peak_s) < MIN_GAP_S
            if too_near or min(b, d) - max(a, c) > MAX_OVERLAP * min(b - a, d - c):
                beaten[index] = rival
                break
        else:
            winners.append(index)
    return [(*clips[i], i in winners, beaten.get(i)) for i in range(len(found))]


@settings(max_examples=examples(100))
@given(
    st.integers(5, 500),
    st.integers(0, 2**32 - 1),
    st.lists(st.one_of(st.floats(-20, 520), st.integers(0, 500).map(float), st.just(float("nan"))), max_size=60),
)
def test_the_result_is_that_of_comparing_all_with_all(seconds: int, seed: int, edges: list[float]) -> None:
    chooser = np.random.default_rng(seed)
    score = np.round(chooser.random(seconds), 2)
    starts, ends = np.array(edges[::2], float), np.array(edges[1::2], float)
    found = picked(score, float(seconds), starts, ends)
    told = [(each.start_s, each.end_s, each.kept, each.beaten_by) for each in found]
    assert told == plainly_picked(score, float(seconds), starts, ends, found)


def test_a_long_stream_does_not_take_the_square_of_its_length() -> None:
    chooser = np.random.default_rng(3)
    seconds = 20 * 3600
    starts = np.sort(chooser.random(seconds // 2) * seconds)
    began = time.process_time()
    score = np.convolve(chooser.random(seconds), np.ones(3) / 3, mode="same")
    found = picked(score, float(seconds), starts, starts + 2)
    assert len(found) > 10_000 and sum(candidate.kept for candidate in found) > 1_000
    assert time.process_time() - began < 5
