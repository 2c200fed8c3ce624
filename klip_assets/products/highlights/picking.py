"""From the score curve to highlights: peaks, an adaptive threshold, non-maximum suppression, clip edges."""

from __future__ import annotations

from bisect import bisect, bisect_left, insort
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]

#: Minimum distance of two highlights.
MIN_GAP_S = 15.0
#: Maximum overlap of two clips, as a share of the shorter one.
MAX_OVERLAP = 0.5
#: A peak must be this many robust sigmas above the median of the curve. The sigma is that of the values below the
#: median, so that an eventful video does not raise its own threshold.
THRESHOLD_SIGMAS = 1.5
#: This many of the best are kept even below the threshold: in a short, eventful video nothing stands out far.
FEWEST = 5
#: However flat the curve, a peak must be at least this far above its median.
MIN_RISE = 0.02

SHORTEST_S, LONGEST_S = 10.0, 60.0
#: The build-up before a peak belongs to the clip, and some of what follows.
BEFORE_S, AFTER_S = 12.0, 8.0
#: Maximum shift of an edge to the edge of a sentence.
SNAP_S = 6.0
_ROUNDING_S = 1e-3


@dataclass
class Candidate:
    """A peak of the curve.

    Attributes:
        start_s: Start of its clip.
        end_s: End of its clip.
        peak_s: Middle of the second with the highest score.
        score: Score there.
        kept: Whether it became a highlight.
        reason: Why, or why not.
        beaten_by: Index in the list of the candidate that beat it.
    """

    start_s: float
    end_s: float
    peak_s: float
    score: float
    kept: bool = False
    reason: str = ""
    beaten_by: int | None = None


def pick(score: Series, *, duration_s: float, sentence_starts: Series, sentence_ends: Series) -> list[Candidate]:
    """Find the peaks of a score curve and decide which become highlights.

    Args:
        score: Score of every second, shape (seconds,); all NaN gives no candidates.
        duration_s: Length of the video.
        sentence_starts: Start of each sentence.
        sentence_ends: End of each sentence.

    Returns:
        All local maxima above the median, in time order, each with its verdict.
    """
    if not np.isfinite(score).any():
        return []
    median = float(np.nanmedian(score))
    below = score[score < median]
    sigma = 1.4826 * float(np.median(median - below)) if len(below) else 0.0
    threshold = median + max(THRESHOLD_SIGMAS * sigma, MIN_RISE)
    starts, ends = _Edges(sentence_starts), _Edges(sentence_ends)
    candidates = [
        _candidate(t, float(score[t]), duration_s, starts, ends) for t in _local_maxima(score) if score[t] > median
    ]
    winners: list[int] = []
    by_time: list[tuple[float, int]] = []
    for index in sorted(range(len(candidates)), key=lambda i: (-candidates[i].score, candidates[i].peak_s)):
        candidate = candidates[index]
        above = candidate.score >= threshold
        if not above and (len(winners) >= FEWEST or candidate.score < median + MIN_RISE):
            candidate.reason = f"score {candidate.score:.3f} is below the threshold {threshold:.3f}"
            continue
        # Only clips this close in time can overlap; of several rivals the strongest is named.
        first = bisect(by_time, (candidate.peak_s - 2 * LONGEST_S, -1))
        last = bisect(by_time, (candidate.peak_s + 2 * LONGEST_S, len(candidates)))
        near = sorted(order for _, order in by_time[first:last])
        rival = next((winners[n] for n in near if _collide(candidate, candidates[winners[n]])), None)
        if rival is not None:
            candidate.beaten_by = rival
            candidate.reason = f"within reach of the stronger peak at {candidates[rival].peak_s:.0f} s"
            continue
        candidate.kept = True
        insort(by_time, (candidate.peak_s, len(winners)))
        winners.append(index)
        clear = f"score {candidate.score:.3f} is above the threshold {threshold:.3f}"
        candidate.reason = clear if above else f"below the threshold {threshold:.3f}, but number {len(winners)} here"
    return candidates


def _local_maxima(score: Series) -> list[int]:
    # The middle of every plateau that is higher than both sides; the edges of the video count as lower.
    filled = np.where(np.isfinite(score), score, -np.inf)
    edges = np.flatnonzero(filled[1:] != filled[:-1]) + 1
    starts, ends = np.concatenate([[0], edges]), np.concatenate([edges, [len(filled)]])
    heights = filled[starts]
    left = np.concatenate([[-np.inf], heights[:-1]])
    right = np.concatenate([heights[1:], [-np.inf]])
    tops = np.flatnonzero((heights > left) & (heights > right))
    return [int(starts[i] + (ends[i] - starts[i] - 1) // 2) for i in tops]


def _candidate(t: int, score: float, duration_s: float, starts: _Edges, ends: _Edges) -> Candidate:
    peak = min(t + 0.5, duration_s)
    if duration_s <= SHORTEST_S:
        return Candidate(0.0, duration_s, peak, score)
    start = starts.snapped(peak - BEFORE_S, latest=peak - 1)
    end = ends.snapped(peak + AFTER_S, earliest=peak + 1)
    start, end = max(0.0, start), min(duration_s, end)
    if end - start < SHORTEST_S:
        end = min(duration_s, start + SHORTEST_S)
        start = max(0.0, end - SHORTEST_S)
    end = min(end, start + LONGEST_S)
    # The end of the video is not rounded: a clip must neither exceed it nor lose a peak just before it.
    start, end = round(start, 3), end if end == duration_s else min(duration_s, round(end, 3))
    return Candidate(start, end, peak, score)


class _Edges:
    """Edges of sentences, sorted, so that the many peaks of a long stream don't each search all of them.

    Args:
        edges: Seconds, in any order; NaN counts as none.
    """

    def __init__(self, edges: Series) -> None:
        order = np.argsort(edges, kind="stable")
        self._sorted: list[float] = edges[order].tolist()
        self._order: list[int] = order.tolist()

    def snapped(self, at: float, *, latest: float = np.inf, earliest: float = -np.inf) -> float:
        """Return the edge nearest to a time, of equally near ones the first given; the time if none is near."""
        first = bisect_left(self._sorted, at - SNAP_S - _ROUNDING_S)
        last = bisect_left(self._sorted, at + SNAP_S + _ROUNDING_S)
        near = (
            (abs(edge - at), self._order[number], edge)
            for number, edge in enumerate(self._sorted[first:last], start=first)
            if abs(edge - at) <= SNAP_S and earliest <= edge <= latest
        )
        return min(near, default=(0.0, 0, at))[2]


def _collide(one: Candidate, other: Candidate) -> bool:
    if abs(one.peak_s - other.peak_s) < MIN_GAP_S:
        return True
    shared = min(one.end_s, other.end_s) - max(one.start_s, other.start_s)
    shorter = min(one.end_s - one.start_s, other.end_s - other.start_s)
    return shared > MAX_OVERLAP * shorter
