"""Utterances: the stretches of a recording that recognizers are given.

A recording is read twice: once to detect where somebody speaks, which takes a thousandth of its length and little
memory, and once to cut. So the cuts are known before any recognizer starts, and depend on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray, in_blocks
from klip_assets.signals.audio.voice import FRAME, FRAME_S, LISTEN, VoiceMeter, speech_spans

#: Frames processed at once.
_BLOCK = 512 * FRAME
#: Width of the smoothing window for finding the quietest frame, in frames.
_SMOOTH = 5


@dataclass(frozen=True)
class Hearing:
    """Speech detection for each frame of 32 ms.

    Attributes:
        probability: Probability of speech, shape (frames,).
        power: Mean square, shape (frames,).
        samples: Length of the recording in samples.
    """

    probability: FloatArray
    power: FloatArray
    samples: int


@dataclass(frozen=True)
class Span:
    """A stretch to recognize: first sample (inclusive) and last sample (exclusive)."""

    first: int
    last: int

    @property
    def name(self) -> str:
        """Its name in a log of chunks."""
        return f"{self.first}-{self.last}"

    @property
    def start_s(self) -> float:
        """Its start in seconds."""
        return self.first / SAMPLE_RATE_HZ

    @property
    def end_s(self) -> float:
        """Its end in seconds."""
        return self.last / SAMPLE_RATE_HZ


@dataclass(frozen=True)
class Utterance:
    """A stretch with its samples (16 kHz mono float32); fewer than planned if decoding ended early this time."""

    span: Span
    samples: FloatArray

    @property
    def end_s(self) -> float:
        """Where its samples end, in seconds."""
        return (self.span.first + len(self.samples)) / SAMPLE_RATE_HZ


def hear(blocks: Iterable[FloatArray]) -> Hearing:
    """Detect speech in a recording.

    Args:
        blocks: 16 kHz mono float32 in pieces of any length.
    """
    meter = VoiceMeter()
    probabilities: list[FloatArray] = []
    powers: list[FloatArray] = []
    length = 0
    for block in in_blocks(blocks, _BLOCK):
        # Only the last block can end within a frame.
        probabilities.append(meter.push(block, last=bool(len(block) % FRAME)))
        frames = np.arange(0, len(block), FRAME)
        squares = np.add.reduceat(np.square(block), frames)
        powers.append((squares / np.diff(np.append(frames, len(block)))).astype(np.float32))
        length += len(block)
    nothing = np.zeros(0, np.float32)
    return Hearing(np.concatenate([nothing, *probabilities]), np.concatenate([nothing, *powers]), length)


def plan(heard: Hearing, *, pause_s: float, enough_s: float, longest_s: float) -> list[Span]:
    """Plan the spans that recognizers are given.

    Every part of a stretch of speech is in exactly one span. Cuts fall in pauses; only speech without a pause for too
    long is cut at its quietest frame.

    Args:
        heard: The detected speech.
        pause_s: Minimum length of a pause to cut in.
        enough_s: A pause is used if the span would otherwise get longer than this; 0 uses all.
        longest_s: Maximum length of a span.

    Returns:
        Spans in order, which may touch but do not overlap.
    """
    pause, enough, longest = (int(seconds / FRAME_S) for seconds in (pause_s, enough_s, longest_s))
    smooth: NDArray[np.floating] = heard.power
    if len(smooth):
        smooth = np.convolve(smooth, np.full(_SMOOTH, 1 / _SMOOTH, np.float32), mode="same")
    spans = []
    for first, last in speech_spans(heard.probability, LISTEN):
        pauses = [first + frame for frame in _pauses(heard.probability[first:last], pause)]
        for start, end in _packed([first, *pauses, last], enough):
            edges = [start, *_too_long(smooth, start, end, longest), end]
            spans += [Span(a * FRAME, min(b * FRAME, heard.samples)) for a, b in pairwise(edges)]
    return spans


def utterances(blocks: Iterable[FloatArray], spans: Iterable[Span]) -> Iterator[Utterance]:
    """Cut the planned spans out of a recording, holding at most one of them and a block.

    Args:
        blocks: 16 kHz mono float32 in pieces of any length, from the start.
        spans: In order, not overlapping.
    """
    pieces = iter(blocks)
    held, start = np.zeros(0, np.float32), 0
    for span in spans:
        while start + len(held) < span.last:
            piece = next(pieces, None)
            if piece is None:
                break
            useless = min(len(held), max(0, span.first - start))
            held, start = np.concatenate([held[useless:], piece]), start + useless
        samples = held[max(0, span.first - start) : span.last - start]
        if len(samples):
            yield Utterance(span, samples)


def _pauses(probability: FloatArray, minimum: int) -> list[int]:
    # The middle of each stretch of at least `minimum` frames without apparent speech, except at the edges.
    quiet = np.concatenate([[False], probability < LISTEN.perhaps, [False]])
    edges = np.flatnonzero(np.diff(quiet))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [
        (first + last) // 2
        for first, last in runs
        if last - first >= max(1, minimum) and first > 0 and last < len(quiet) - 2
    ]


def _packed(cuts: list[int], enough: int) -> Iterator[tuple[int, int]]:
    start, reached = cuts[0], cuts[0]
    for cut in cuts[1:]:
        if cut - start > enough and reached > start:
            yield start, reached
            start = reached
        reached = cut
    if reached > start:
        yield start, reached


def _too_long(power: NDArray[np.floating], first: int, last: int, longest: int) -> list[int]:
    # Cuts at the quietest frame of the middle half, until no piece is too long.
    if last - first <= longest:
        return []
    quarter = (last - first) // 4
    # The piece before the cut is bounded too, or a long stretch would take many iterations.
    low, high = first + min(quarter, longest // 2), first + min(3 * quarter, longest)
    cut = low + int(np.argmin(power[low:high]))
    return [cut, *_too_long(power, cut, last, longest)]
