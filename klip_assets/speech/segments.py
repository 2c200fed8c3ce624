"""Segments: contiguous pieces of about 30 s that cover the video, every word in exactly one.

A cut falls at the sentence end or pause nearest to the 30 s grid, never inside a word if that can be helped.

Put here: where to cut, and what a segment says about its words and its sound. Keep out: scores (`highlights`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.contracts import SEGMENTS

LENGTH_S = 30.0

#: A cut may lie this far from the grid.
REACH_S = 10.0

#: A pause costs this many seconds of distance more than a sentence end, a mere gap between words this many.
PAUSE_PENALTY_S, GAP_PENALTY_S = 2.0, 5.0
PAUSE_S = 0.3

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
    begin, latest_end = np.asarray(starts, float), np.maximum.accumulate(np.asarray(ends, float))
    gap_from, gap_to = latest_end[:-1], begin[1:]
    place = np.where(gap_to >= gap_from, (gap_from + gap_to) / 2, gap_to) if len(begin) else np.zeros(0)
    new_sentence = np.diff(np.asarray(sentences, int)) > 0
    pause = gap_to - gap_from
    penalty = np.where(new_sentence, 0.0, np.where(pause >= PAUSE_S, PAUSE_PENALTY_S, GAP_PENALTY_S))
    cuts: list[float] = []
    for k in range(1, pieces):
        grid = k * step
        inside = np.flatnonzero(np.abs(place - grid) <= reach)
        if len(inside) and _in_speech(begin, latest_end, grid):
            best = inside[np.argmin(np.abs(place[inside] - grid) + penalty[inside])]
            cuts.append(round(float(place[best]), 3))
        else:
            cuts.append(round(grid, 3))
    return [cut for i, cut in enumerate(cuts) if 0 < cut < duration_s and (i == 0 or cut > cuts[i - 1])]


def build_segments(
    words: pa.Table, audio: pa.Table, *, video_id: str, duration_s: float | None, heard: bool
) -> pa.Table:
    """Cut a video into segments and describe each.

    Args:
        words: Rows of `transcript_words`.
        audio: Rows of `audio_features`.
        video_id: Goes into every row.
        duration_s: Length of the video; None or 0 gives no segments.
        heard: Whether there was anything to take words from; if not, their rate is unknown, not 0.

    Returns:
        A table by the contract `segments`.
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
        self._low, self._high = np.percentile(known, [5, 95]) if len(known) else (np.nan, np.nan)

    def describe(self, start_s: float, end_s: float) -> dict[str, float | None]:
        seconds = slice(int(start_s), max(int(start_s) + 1, int(np.ceil(end_s))))
        power = _mean(10 ** (self._lufs[seconds] / 10))
        lufs = 10 * np.log10(power) if power else None
        z = _mean(self._z[seconds])
        spread = self._high - self._low
        return {
            "loudness_lufs": lufs,
            "absolute_loudness": float(np.clip((lufs - self._low) / spread, 0, 1)) if lufs and spread > 0 else None,
            "relative_loudness": float(np.clip((z + 3) / 6, 0, 1)) if z is not None else None,
            "speech_share": _mean(self._speech[seconds]),
        }


def _in_speech(begin: Series, latest_end: Series, at: float) -> bool:
    # In a pause longer than the reach the grid itself is the best cut.
    following = int(np.searchsorted(begin, at))
    after = begin[following] if following < len(begin) else np.inf
    before = latest_end[following - 1] if following else -np.inf
    return bool(before > at or after - before < 2 * REACH_S)


def _numbers(table: pa.Table, column: str) -> Series:
    return np.asarray(table[column].to_numpy(zero_copy_only=False), float)


def _mean(values: Series) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
