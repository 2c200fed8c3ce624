"""Scores from terms: renormalized weighted means, monotone in every term, with no invented values.

A term is used for a video only if at least a fifth of its rows have it; otherwise it is dropped for the whole video
and the other weights are normalized to sum to 1. Where it is used, a missing value is replaced by the video's median
and recorded as imputed, so an unknown value scores exactly as a known average one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.contracts import EMOTIONS, KLIPSTREAM_EMOTIONS, SEGMENT_SCORES
from klip_assets.products.highlights.weights import MODEL, WeightSet

Series = NDArray[np.float64]

#: Emotions of high arousal in the circumplex model (Russell, 1980).
HIGH_AROUSAL = ("excitement", "amusement", "surprise", "anger", "fear")
_MEANS = {"mean_of_five": KLIPSTREAM_EMOTIONS, "high_arousal": HIGH_AROUSAL}

#: Share of the rows that must have a term. Low, because sound that ends early must not take the score of what was
#: heard with it.
ENOUGH = 0.2
FASTEST_WPS = 6.0


@dataclass(frozen=True)
class Scored:
    """Scores of the rows of one video.

    Attributes:
        terms: The terms used (including the model's score), with missing values imputed; each of shape (rows,).
        imputed: Which values were imputed, by term.
        base: Weighted mean of the terms; all NaN if no term could be used.
        score: Base, or its mean with the model's score.
    """

    terms: Mapping[str, Series]
    imputed: Mapping[str, NDArray[np.bool_]]
    base: Series
    score: Series


@dataclass(frozen=True)
class Filled:
    """The values of one term, with the median of the video where they were unknown."""

    values: Series
    imputed: NDArray[np.bool_]


def filled(values: Series) -> Filled | None:
    """Replace the unknown values of a term by its median.

    Args:
        values: NaN where unknown; shape (rows,).

    Returns:
        None if too few are known for the term to be used.
    """
    known = np.isfinite(values)
    if not len(values) or known.mean() < ENOUGH:
        return None
    return Filled(np.where(known, values, np.median(values[known])), ~known)


def score_rows(terms: Mapping[str, Series], weights: WeightSet) -> Scored:
    """Score the rows of one video.

    Args:
        terms: Values 0..1 by term, NaN where unknown; all of one shape (rows,).
        weights: The weight set; terms it does not name are ignored.
    """
    length = len(next(iter(terms.values())))
    return score_filled({term: filled(values) for term, values in terms.items()}, weights, length)


def score_filled(terms: Mapping[str, Filled | None], weights: WeightSet, length: int) -> Scored:
    """Score the rows of one video, of which unknown values were replaced before.

    Args:
        terms: Values 0..1 by term, None for a term that can't be used.
        weights: The weight set; terms it does not name are ignored.
        length: Number of rows.
    """
    chosen = {term: entry for term in weights.weights if (entry := terms.get(term)) is not None}
    used = {term: entry.values for term, entry in chosen.items()}
    parts = {term: weight for term, weight in weights.terms.items() if term in used and weight > 0}
    total = sum(parts.values())
    base = np.full(length, np.nan)
    if total:
        base = np.clip(sum(used[term] * weight for term, weight in parts.items()) / total, 0, 1)
    score = base
    if MODEL in used:
        share = weights.weights[MODEL]
        score = np.clip((1 - share) * base + share * used[MODEL], 0, 1) if total else used[MODEL]
    return Scored(used, {term: entry.imputed for term, entry in chosen.items()}, base, score)


def emotion_term(sentiment: pa.Table, rule: str) -> Series:
    """Return the emotion term of each segment by the weight set's rule; NaN where no tier gave emotions.

    Args:
        sentiment: Rows of `segment_sentiment`.
        rule: mean_of_five (KlipStream's), not_neutral (1 - neutral) or high_arousal (mean of those five).
    """
    values = {name: column(sentiment, name) for name in EMOTIONS}
    if rule == "not_neutral":
        return 1 - values["neutral"]
    return np.asarray(np.mean([values[name] for name in _MEANS[rule]], axis=0))


def segment_terms(segments: pa.Table, sentiment: pa.Table, weights: WeightSet) -> dict[str, Series]:
    """Return the terms of each segment, NaN where unknown."""
    return {
        "speech_rate_term": np.minimum(column(segments, "speech_rate_wps") / FASTEST_WPS, 1.0),
        "relative_loudness_term": column(segments, "relative_loudness"),
        "absolute_loudness_term": column(segments, "absolute_loudness"),
        "emotion_term": emotion_term(sentiment, weights.emotion),
        MODEL: column(sentiment, "model_highlight_score"),
    }


def score_segments(segments: pa.Table, sentiment: pa.Table, weights: WeightSet) -> pa.Table:
    """Score the segments of a video.

    Args:
        segments: Rows of `segments`, in order.
        sentiment: Rows of `segment_sentiment`, in the same order.
        weights: The weight set.

    Returns:
        A table as in the contract `segment_scores`.
    """
    if segments.num_rows == 0:
        return SEGMENT_SCORES.empty()
    scored = score_rows(segment_terms(segments, sentiment, weights), weights)
    keys = segments.select(["video_id", "segment_index"]).to_pylist()
    return SEGMENT_SCORES.from_rows(
        {
            **key,
            "base_score": known(scored.base[i]),
            "score": known(scored.score[i]),
            **{term: known(values[i]) for term, values in scored.terms.items()},
            "imputed_terms": [term for term, filled in scored.imputed.items() if filled[i]],
            "weights_version": weights.version,
        }
        for i, key in enumerate(keys)
    )


def column(table: pa.Table, name: str) -> Series:
    """Return a numeric column as float64, NaN for NULL."""
    return np.asarray(table[name].to_numpy(zero_copy_only=False), np.float64)


def known(value: float) -> float | None:
    """Return a number, None for NaN."""
    return float(value) if np.isfinite(value) else None
