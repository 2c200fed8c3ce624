"""Learning to rank: weights fitted to moments that people called good or bad.

A weight set is fitted so that, within each video, good moments score above bad ones: pairwise logistic loss (Burges et
al., 2005, RankNet, on a linear model), regularized towards the default weights, so that little data changes little. No
weight falls to 0: the score stays monotone in every term, and a video with only one term keeps its score. The strength
of regularization, and whether the result beats the default at all, are decided on held-out videos (nested
cross-validation; Varma and Simon, 2006, BMC Bioinformatics 7:91).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.errors import InputError
from klip_assets.evaluation.bootstrap import draws, interval
from klip_assets.evaluation.ranking import average_precision
from klip_assets.products.highlights.scoring import score_rows
from klip_assets.products.highlights.tables import Signals, score_curve
from klip_assets.products.highlights.weights import MODEL, WeightSet

Series = NDArray[np.float64]
Labels = NDArray[np.bool_]

#: Minimum number of videos with good and bad moments: one to measure on, and two to choose the strength.
MIN_VIDEOS = 3
#: Strengths of regularization towards the default, the strongest first; infinite keeps the default.
STRENGTHS = (math.inf, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03)
#: Leave-one-out up to this many videos; more are split into this many folds.
MAX_FOLDS, MAX_INNER_FOLDS = 10, 5
#: A score difference of 0.1 is one logit.
STEEPNESS = 10.0
#: A weight keeps at least this share of its default, and the model leaves at least this share to the other terms.
MIN_PART = 0.05
#: Maximum moments of a kind compared per video while fitting, spread evenly; figures use all of them.
MAX_COMPARED = 120


@dataclass(frozen=True)
class Judged:
    """Moments (or seconds) of one video that people judged.

    Attributes:
        video_id: The video; its moments are never split between fitting and measuring.
        terms: Values 0..1 by term, NaN where unknown; each of shape (moments,).
        good: Whether each moment is good (a highlight); shape (moments,).
    """

    video_id: str
    terms: Mapping[str, Series]
    good: Labels


@dataclass(frozen=True)
class Learnt:
    """Result of learning.

    Attributes:
        weights: The learnt weights if they are better on held-out videos, else the default.
        used: Whether they are the learnt ones.
        learnt_map: Mean average precision over videos, each ranked by weights learnt from the others.
        default_map: The same for the default weights.
        gain: 95 % interval of the difference (paired bootstrap over videos); its lower end is above 0 if used.
        folds: Number of folds that were held out in turn.
        strength: Regularization strength chosen on all videos; infinite means that learning did not help.
        videos: Videos with good and bad moments.
        good: Good moments in them.
        bad: Bad moments in them.
    """

    weights: WeightSet
    used: bool
    learnt_map: float
    default_map: float
    gain: tuple[float, float]
    folds: int
    strength: float
    videos: int
    good: int
    bad: int

    @property
    def verdict(self) -> str:
        """The result as a sentence."""
        figures = (
            f"mean average precision on {self.videos} held-out videos: {self.learnt_map:.3f} learnt, "
            f"{self.default_map:.3f} default (difference {self.gain[0]:+.3f} to {self.gain[1]:+.3f})"
        )
        return f"{'better' if self.used else 'not significantly better, so the default is kept'}; {figures}"


def learn_weights(judged: Iterable[Judged], default: WeightSet) -> Learnt:
    """Fit the weights of a set to judged moments, and keep them if they rank held-out videos better.

    Terms that no judged video has keep their default weight, and the fitted ones keep their sum.

    Args:
        judged: One entry per video, in any order; videos with only good or only bad moments are ignored.
        default: The weights to regularize towards, and returned if nothing better is found.

    Raises:
        InputError: Too few videos have both good and bad moments; the message says what is needed.
        ValueError: A video is given twice, or its terms and labels differ in length.
    """
    videos = _usable(judged, default)
    gains, learnt_map, default_map = _held_out(videos, default)
    low, high = interval(lambda places: float(gains[places].mean()), draws(len(gains), 1))
    strength = _choose(videos, default)
    fitted = _weight_set(_fit(videos, default, strength), default)
    better = low > 0 and math.isfinite(strength)
    return Learnt(
        weights=fitted if better else default,
        used=better,
        learnt_map=learnt_map,
        default_map=default_map,
        gain=(low, high),
        folds=len(_folds(len(videos), MAX_FOLDS)),
        strength=strength,
        videos=len(videos),
        good=sum(int(video.judged.good.sum()) for video in videos),
        bad=sum(int((~video.judged.good).sum()) for video in videos),
    )


def latest_verdicts(feedback: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of `feedback` that count, by video: the latest good or bad verdict on each moment.

    Verdicts are on the same moment if they overlap by at least half of the shorter one: the id of a highlight changes
    with its peak.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    rows = [row for row in feedback.to_pylist() if row["verdict"] in ("good", "bad")]
    for row in sorted(rows, key=lambda row: (row["given_at"], row["feedback_id"])):
        others = [other for other in found.get(row["video_id"], []) if not _is_same_moment(other, row)]
        found[row["video_id"]] = [*others, row]
    return {video_id: sorted(kept, key=lambda row: row["start_s"]) for video_id, kept in sorted(found.items())}


def _is_same_moment(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    common = min(one["end_s"], other["end_s"]) - max(one["start_s"], other["start_s"])
    shorter = min(one["end_s"] - one["start_s"], other["end_s"] - other["start_s"])
    return bool(common > 0 and 2 * common >= shorter)


def judged_moments(signals: Signals, verdicts: Sequence[Mapping[str, Any]], weights: WeightSet) -> Judged | None:
    """Return the terms at the peak of each moment that was judged: the best second of its interval.

    Args:
        signals: The signals of the video.
        verdicts: Rows of `feedback` on it; those past its end are skipped.
        weights: The set that defines the terms.

    Returns:
        None if the video has no length or no signal.
    """
    if not signals.duration_s or signals.segments.num_rows == 0:
        return None
    scored = score_curve(signals, weights).scored
    at = [(second, row) for row in verdicts if (second := _peak_second(row, scored.score)) is not None]
    if not scored.terms or not at:
        return None
    places = [second for second, _ in at]
    good = np.array([row["verdict"] == "good" for _, row in at])
    return Judged(signals.video_id, {term: values[places] for term, values in scored.terms.items()}, good)


@dataclass(frozen=True)
class _Video:
    # A judged video as arrays: terms that it does not have are 0 in `values` and False in `has`; `model` is None if the
    # model's score is not used.
    judged: Judged
    values: Series
    has: Labels
    model: Series | None

    def score(self, numbers: Series) -> tuple[Series, Series]:
        """Return score and base score of each moment as in `score_rows`, given the parameters of `_numbers`."""
        if not self.has.any():
            score = np.zeros(len(self.values)) if self.model is None else self.model
            return score, score
        base = self.values @ numbers[:-1] / numbers[:-1][self.has].sum()
        share = numbers[-1]
        return (base if self.model is None else (1 - share) * base + share * self.model), base

    def loss(self, numbers: Series) -> tuple[float, Series]:
        """Return the pairwise loss and its gradient, given the parameters of `_numbers`."""
        score, base = self.score(numbers)
        good, bad = _spread(self.judged.good), _spread(~self.judged.good)
        lead = STEEPNESS * (score[good][:, None] - score[bad][None, :])
        pull = STEEPNESS * _sigmoid(-lead) / lead.size
        by_score = np.zeros(len(score))
        by_score[good], by_score[bad] = -pull.sum(axis=1), pull.sum(axis=0)
        slope = np.zeros(len(numbers))
        if self.has.any():
            share = 0.0 if self.model is None else numbers[-1]
            by_weight = by_score @ (self.values - base[:, None]) / numbers[:-1][self.has].sum()
            slope[:-1] = np.where(self.has, (1 - share) * by_weight, 0.0)
            slope[-1] = 0.0 if self.model is None else by_score @ (self.model - base)
        return float(np.logaddexp(0, -lead).mean()), slope


def _usable(judged: Iterable[Judged], default: WeightSet) -> list[_Video]:
    given = sorted(judged, key=lambda video: video.video_id)
    if len({video.video_id for video in given}) < len(given):
        raise ValueError("a video is given twice")
    for video in given:
        if any(values.shape != video.good.shape for values in video.terms.values()):
            raise ValueError(f"{video.video_id}: terms and labels differ in length")
    both = [video for video in given if 0 < video.good.sum() < len(video.good)]
    usable = [found for video in both if (found := _prepared(video, default)) is not None]
    if len(usable) < MIN_VIDEOS:
        good, moments = sum(int(video.good.sum()) for video in given), sum(len(video.good) for video in given)
        raise InputError(
            f"learning needs both good and bad moments in at least {MIN_VIDEOS} videos; there are {good} good and "
            f"{moments - good} bad ones in {len(given)} videos, and both, with a signal, in {len(usable)} of them",
            hint="klip rate VIDEO RANK good|bad",
        )
    return usable


def _prepared(judged: Judged, default: WeightSet) -> _Video | None:
    scored = score_rows(judged.terms, default) if judged.terms else None
    if scored is None or not np.isfinite(scored.score).all():
        return None
    names, unknown = _names(default), np.zeros(len(judged.good))
    values = np.stack([scored.terms.get(name, unknown) for name in names], axis=1)
    model = scored.terms.get(MODEL) if default.weights.get(MODEL, 0) > 0 else None
    return _Video(judged, values, np.array([name in scored.terms for name in names]), model)


def _names(default: WeightSet) -> list[str]:
    return [term for term, weight in default.terms.items() if weight > 0]


def _numbers(default: WeightSet) -> Series:
    # The weights of the terms, normalized to sum to 1, and the share of the model.
    weights = np.array([default.weights[name] for name in _names(default)])
    return np.append(weights / weights.sum(), default.weights.get(MODEL, 0.0))


def _weight_set(numbers: Series, default: WeightSet) -> WeightSet:
    names = _names(default)
    scale = sum(default.weights[name] for name in names)
    weights = {**default.weights, **{name: round(float(n) * scale, 6) for name, n in zip(names, numbers, strict=False)}}
    if MODEL in weights:
        weights[MODEL] = round(float(numbers[-1]), 6)
    content = json.dumps([default.emotion, weights], sort_keys=True)
    return WeightSet(f"learnt-{hashlib.sha256(content.encode()).hexdigest()[:8]}", default.emotion, weights)


def _folds(count: int, limit: int) -> list[NDArray[np.intp]]:
    # Videos that are held out together; every video is held out once.
    folds = min(count, limit)
    return [np.arange(first, count, folds) for first in range(folds)]


def _held_out(videos: Sequence[_Video], default: WeightSet) -> tuple[Series, float, float]:
    # Gain of each video, and the mean average precision of learnt and of default weights.
    learnt, baseline = np.zeros(len(videos)), np.zeros(len(videos))
    for fold in _folds(len(videos), MAX_FOLDS):
        rest = _without(videos, fold)
        fitted = _weight_set(_fit(rest, default, _choose(rest, default)), default)
        for place in fold:
            judged = videos[place].judged
            learnt[place] = average_precision(judged.good, score_rows(judged.terms, fitted).score)
            baseline[place] = average_precision(judged.good, score_rows(judged.terms, default).score)
    return learnt - baseline, float(learnt.mean()), float(baseline.mean())


def _choose(videos: Sequence[_Video], default: WeightSet) -> float:
    # The strength with the smallest loss on held-out videos; ties go to the strongest.
    losses = np.zeros(len(STRENGTHS))
    for fold in _folds(len(videos), MAX_INNER_FOLDS):
        rest = _without(videos, fold)
        for place, strength in enumerate(STRENGTHS):
            numbers = _fit(rest, default, strength)
            losses[place] += sum(videos[left].loss(numbers)[0] for left in fold)
    return STRENGTHS[int(np.argmin(np.round(losses, 9)))]


def _without(videos: Sequence[_Video], fold: NDArray[np.intp]) -> list[_Video]:
    return [video for place, video in enumerate(videos) if place not in fold]


def _fit(videos: Sequence[_Video], default: WeightSet, strength: float) -> Series:
    start = _numbers(default)
    if math.isinf(strength):
        return start
    from scipy.optimize import Bounds, LinearConstraint, minimize

    fitted = np.any([video.has for video in videos], axis=0)
    with_model = any(video.model is not None for video in videos)
    free = np.append(fitted, with_model)
    low, high = np.where(free, MIN_PART * start, start), np.where(free, 1.0, start)
    high[-1] = max(1 - MIN_PART, start[-1]) if with_model else start[-1]
    sides = np.append(fitted, False).astype(np.float64)

    def objective(numbers: Series) -> tuple[float, Series]:
        parts = [video.loss(numbers) for video in videos]
        away = numbers - start
        slope = np.mean([slope for _, slope in parts], axis=0) + 2 * strength * away
        return float(np.mean([loss for loss, _ in parts]) + strength * np.sum(away**2)), slope

    same_sum = LinearConstraint(sides, sides @ start, sides @ start)
    search: Any = {"method": "SLSQP", "bounds": Bounds(low, high), "constraints": same_sum, "options": {"maxiter": 200}}
    numbers = np.clip(minimize(objective, start, jac=True, **search).x, low, high)
    # If the search fails, the result must not be worse than the start.
    return numbers if objective(numbers)[0] < objective(start)[0] else start


def _spread(which: Labels) -> NDArray[np.intp]:
    places = np.flatnonzero(which)
    if len(places) <= MAX_COMPARED:
        return places
    return places[np.linspace(0, len(places) - 1, MAX_COMPARED).round().astype(int)]


def _sigmoid(values: Series) -> Series:
    return np.asarray(np.exp(-np.logaddexp(0, -values)))


def _peak_second(row: Mapping[str, Any], score: Series) -> int | None:
    first, end = int(row["start_s"]), min(math.ceil(row["end_s"]), len(score))
    if first >= end:
        return None
    return first + int(np.argmax(score[first:end]))
