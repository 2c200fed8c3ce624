"""Segments: contiguous pieces of about 30 s that cover the video, every word in exactly one.

A cut falls at the sentence end or pause nearest to the 30 s grid, and inside a word only if there is no other choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.contracts import SEGMENTS

LENGTH_S = 30.0

#: Maximum distance of a cut from the grid.
REACH_S = 10.0

#: Penalties relative to a sentence end, in seconds of distance: for a pause, a mere gap between words, an overlap.
PAUSE_PENALTY_S, GAP_PENALTY_S, OVERLAP_PENALTY_S = 2.0, 5.0, 8.0
PAUSE_S = 0.3

#: In a pause a cut keeps this distance from the words, where the pause is long enough.
MARGIN_S = 0.25

Series = NDArray[np.float64]


def cut_points(
    starts: Sequence[float] | Series, ends: Sequence[float] | Series, sentences: Sequence[int], duration_s: float
) -> list[float]:
    """Choose the inner cuts.

    Args:
        starts: Start of each word, not decreasing.
        ends: End of each word.
        sentences: Sentence index of each word.
        duration_s: Length of the video.

    Returns:
        Times in seconds, strictly increasing, inside (0, duration); none for a video under 45 s.
    """
    pieces = max(1, round(duration_s / LENGTH_S))
    step = duration_s / pieces
    reach = min(REACH_S, step / 3)
    gaps = _Gaps(np.asarray(starts, float), np.asarray(ends, float), np.asarray(sentences, int), duration_s)
    cuts = [round(gaps.nearest(k * step, reach), 3) for k in range(1, pieces)]
    return [cut for i, cut in enumerate(cuts) if 0 < cut < duration_s and (i == 0 or cut > cuts[i - 1])]


class _Gaps:
    """The gaps between words, with those before the first and after the last."""

    def __init__(self, starts: Series, ends: Series, sentences: NDArray[np.int_], duration_s: float) -> None:
        heard_until = np.maximum.accumulate(ends)
        self._first = np.concatenate([[0.0], heard_until])
        self._last = np.append(starts, max(duration_s, self._first[-1]))
        pause = self._last - self._first
        new_sentence = np.concatenate([[True], np.diff(sentences) > 0, [True]])[: len(pause)]
        self._penalty = np.where(new_sentence, 0.0, np.where(pause >= PAUSE_S, PAUSE_PENALTY_S, GAP_PENALTY_S))
        # Overlapping words have no gap between them, only a start.
        self._penalty = np.where(pause < 0, OVERLAP_PENALTY_S, self._penalty)
        self._margin = np.clip(pause / 2, 0.0, MARGIN_S)

    def nearest(self, grid: float, reach: float) -> float:
        """Return the best time for a cut within reach of a grid time, that time itself if there is none."""
        near = slice(
            np.searchsorted(self._last, grid - reach), np.searchsorted(self._first, grid + reach, side="right")
        )
        margin = self._margin[near]
        latest = self._last[near] - margin
        cuts = np.clip(grid, np.minimum(self._first[near] + margin, latest), latest)
        distance = np.abs(cuts - grid)
        cost = np.where(distance <= reach, distance + self._penalty[near], np.inf)
        return float(cuts[cost.argmin()]) if np.isfinite(cost).any() else grid


def build_segments(
    words: pa.Table, audio: pa.Table, *, video_id: str, duration_s: float | None, heard: bool
) -> pa.Table:
    """Cut a video into segments and describe each.

    Args:
        words: Rows of `transcript_words`.
        audio: Rows of `audio_features`.
        video_id: Written to every row.
        duration_s: Length of the video; None or 0 gives no segments.
        heard: Whether there was any source of words; if not, the speech rate is unknown, not 0.

    Returns:
        A table as in the contract `segments`.
    """
    if not duration_s:
        return SEGMENTS.empty()
    starts = words["start_s"].to_numpy()
    cuts = cut_points(starts, words["end_s"].to_numpy(), words["sentence_index"].to_pylist(), duration_s)
    edges = [0.0, *cuts, duration_s]
    owner = np.clip(np.searchsorted(edges, starts, side="right") - 1, 0, len(edges) - 2)
    texts = words["word"].to_pylist()
    sound = _Sound(audio)
    rows = []
    for index, (start, end) in enumerate(pairwise(edges)):
        mine = np.flatnonzero(owner == index)
        rows.append(
            {
                "video_id": video_id,
                "segment_index": index,
                "start_s": start,
                "end_s": end,
                "text": " ".join(texts[i] for i in mine),
                "word_count": len(mine),
                "speech_rate_wps": len(mine) / (end - start) if heard else None,
                **sound.describe(start, end),
            }
        )
    return SEGMENTS.from_rows(rows)


class _Sound:
    """Loudness and speech of stretches of a video."""

    def __init__(self, audio: pa.Table) -> None:
        self._lufs = _numbers(audio, "loudness_short_term_lufs")
        self._z = _numbers(audio, "loudness_z")
        self._speech = _numbers(audio, "speech_share")
        known = self._lufs[np.isfinite(self._lufs)]
        edges = np.percentile(known, [5, 95]) if len(known) else np.full(2, np.nan)
        self._low, self._high = float(edges[0]), float(edges[1])

    def describe(self, start_s: float, end_s: float) -> dict[str, float | None]:
        seconds = slice(int(start_s), max(int(start_s) + 1, int(np.ceil(end_s))))
        power = _mean(10 ** (self._lufs[seconds] / 10))
        lufs = float(10 * np.log10(power)) if power else None
        z = _mean(self._z[seconds])
        spread = self._high - self._low
        position = (lufs - self._low) / spread if lufs is not None and spread > 0 else None
        return {
            "loudness_lufs": lufs,
            "absolute_loudness": None if position is None else float(np.clip(position, 0, 1)),
            "relative_loudness": float(np.clip((z + 3) / 6, 0, 1)) if z is not None else None,
            "speech_share": _mean(self._speech[seconds]),
        }


def _numbers(table: pa.Table, column: str) -> Series:
    return np.asarray(table[column].to_numpy(zero_copy_only=False), float)


def _mean(values: Series) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
