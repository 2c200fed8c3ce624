"""Highlights, candidates and emotion moments as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.contracts import EMOTION_MOMENTS, EMOTIONS, HIGHLIGHT_CANDIDATES, HIGHLIGHTS
from klip_assets.products.highlights.curve import Curve, build_curve
from klip_assets.products.highlights.explain import dominant_emotion, why
from klip_assets.products.highlights.picking import pick
from klip_assets.products.highlights.scoring import column, known
from klip_assets.products.highlights.weights import WeightSet

#: Moments kept for each emotion.
MOMENTS = 5
#: Speech longer ago than this is not quoted.
QUOTED_S = 8.0


@dataclass(frozen=True)
class Signals:
    """Inputs for the highlights of a video: rows of the tables of the same names."""

    video_id: str
    duration_s: float | None
    transcript_words: pa.Table
    audio_features: pa.Table
    chat_activity: pa.Table
    segments: pa.Table
    segment_sentiment: pa.Table


def find_candidates(signals: Signals, weights: WeightSet) -> pa.Table:
    """Find the peaks of a video's score curve and decide which become highlights.

    Returns:
        A table as in the contract `highlight_candidates`, in time order; no rows if the video has no length or no
        signal.
    """
    if not signals.duration_s or signals.segments.num_rows == 0:
        return HIGHLIGHT_CANDIDATES.empty()
    starts, ends = _sentence_edges(signals.transcript_words)
    curve = score_curve(signals, weights)
    candidates = pick(curve.score, duration_s=signals.duration_s, sentence_starts=starts, sentence_ends=ends)
    return HIGHLIGHT_CANDIDATES.from_rows(
        {"video_id": signals.video_id, "candidate_index": index, **vars(candidate)}
        for index, candidate in enumerate(candidates)
    )


def describe_highlights(candidates: pa.Table, signals: Signals, weights: WeightSet) -> pa.Table:
    """Rank the candidates that were kept, with the terms and reasons behind each.

    Returns:
        A table as in the contract `highlights`, ranked by score; ties go to the earlier one.
    """
    kept = [row for row in candidates.to_pylist() if row["kept"]]
    if not kept:
        return HIGHLIGHTS.empty()
    curve, speech = score_curve(signals, weights), _Speech(signals.transcript_words)
    segment_starts = column(signals.segments, "start_s")
    kept.sort(key=lambda row: (-row["score"], row["peak_s"]))
    rows = []
    for rank, row in enumerate(kept, start=1):
        segment = int(np.clip(np.searchsorted(segment_starts, row["peak_s"], "right") - 1, 0, len(segment_starts) - 1))
        read = signals.segment_sentiment.slice(segment, 1).to_pylist()[0]
        shown = _highlight(rank, row, curve, speech, read)
        rows.append({"video_id": signals.video_id, **shown, "weights_version": weights.version})
    return HIGHLIGHTS.from_rows(rows)


def find_emotion_moments(segments: pa.Table, sentiment: pa.Table) -> pa.Table:
    """Return the strongest segments of each emotion; no rows where no tier gave emotions.

    Returns:
        A table as in the contract `emotion_moments`; the peak is the middle of the segment.
    """
    rows = []
    pieces = segments.to_pylist()
    for emotion in EMOTIONS:
        scores = column(sentiment, emotion)
        order = [int(i) for i in np.argsort(-scores, kind="stable") if np.isfinite(scores[i]) and scores[i] > 0]
        for rank, index in enumerate(order[:MOMENTS], start=1):
            piece = pieces[index]
            rows.append(
                {
                    "video_id": piece["video_id"],
                    "emotion": emotion,
                    "rank": rank,
                    "start_s": piece["start_s"],
                    "end_s": piece["end_s"],
                    "peak_s": (piece["start_s"] + piece["end_s"]) / 2,
                    "score": float(scores[index]),
                    "text": piece["text"],
                }
            )
    return EMOTION_MOMENTS.from_rows(rows)


def score_curve(signals: Signals, weights: WeightSet) -> Curve:
    """Score every second of a video that has a length and segments."""
    return build_curve(
        duration_s=signals.duration_s or 0.0,
        words=signals.transcript_words,
        audio=signals.audio_features,
        chat=signals.chat_activity,
        segments=signals.segments,
        sentiment=signals.segment_sentiment,
        weights=weights,
    )


class _Speech:
    """Words by time."""

    def __init__(self, words: pa.Table) -> None:
        self._starts = column(words, "start_s")
        self._words: list[str] = words["word"].to_pylist()
        self._sentences = words["sentence_index"].to_numpy()

    def between(self, start_s: float, end_s: float) -> str:
        """Return the words spoken in a stretch."""
        first, last = np.searchsorted(self._starts, [start_s - 0.05, end_s], "left")
        return " ".join(self._words[first:last])

    def sentence_at(self, at_s: float) -> list[str]:
        """Return the current or last sentence; empty if nothing was said for a while."""
        index = int(np.searchsorted(self._starts, at_s + 1, "right")) - 1
        if index < 0 or self._starts[index] < at_s - QUOTED_S:
            return []
        first, last = np.searchsorted(self._sentences, [self._sentences[index], self._sentences[index] + 1], "left")
        return self._words[first:last]


def _highlight(
    rank: int, candidate: Mapping[str, Any], curve: Curve, speech: _Speech, read: Mapping[str, Any]
) -> dict[str, object]:
    peak_s = candidate["peak_s"]
    t = min(int(peak_s), len(curve.score) - 1)
    around = slice(max(0, t - 3), t + 4)
    terms = {term: known(values[t]) for term, values in curve.scored.terms.items()}
    felt = dominant_emotion({name: read[name] for name in EMOTIONS if name != "neutral"})
    return {
        "rank": rank,
        "highlight_id": f"{candidate['video_id']}@{t}",
        "start_s": candidate["start_s"],
        "end_s": candidate["end_s"],
        "peak_s": peak_s,
        "score": known(curve.score[t]),
        "base_score": known(curve.scored.base[t]),
        **terms,
        "imputed_terms": [term for term, unknown in curve.scored.imputed.items() if unknown[t]],
        "dominant_emotion": dominant_emotion({name: read[name] for name in EMOTIONS}),
        "sentiment": read["sentiment"],
        "text": speech.between(candidate["start_s"], candidate["end_s"]),
        "why": why(
            loudness_z=_highest(curve.loudness_z[around]),
            burst=terms.get("burst_term"),
            voice=terms.get("voice_term"),
            words_per_s=float(curve.words_per_s[t]),
            chat_ratio=_highest(curve.chat_ratio[around]),
            chatters=_highest(curve.chatters[around]),
            emotion=(felt, read[felt]) if felt else None,
            said=speech.sentence_at(peak_s),
        ),
    }


def _sentence_edges(words: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    if words.num_rows == 0:
        return np.zeros(0), np.zeros(0)
    sentence = words["sentence_index"].to_numpy()
    first = np.flatnonzero(np.diff(sentence, prepend=sentence[0] - 1))
    last = np.append(first[1:], len(sentence)) - 1
    return column(words, "start_s")[first], column(words, "end_s")[last]


def _highest(values: NDArray[np.float64]) -> float:
    return float(np.nanmax(values)) if np.isfinite(values).any() else float("nan")
