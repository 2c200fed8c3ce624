"""When everything happens: the times of the planted moments, the decoy and the calm sentences.

Belongs here: times, in seconds. Does not belong here: words (script), samples (sound).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, pairwise

import numpy as np

from sample_stream import script
from sample_stream.truth import Line, Planted, Span, Spoken, Truth
from sample_stream.voice import Speakers

EDGE_S = 8.0
"""No planted moment and no decoy in the first or the last seconds."""

SPACINGS_S = ((35.0, 20.0), (30.0, 20.0), (25.0, 20.0), (21.0, 20.0), (18.0, 20.0), (18.0, 14.0), (18.0, 8.0))
"""Minimum gaps from wide to tight: between peaks of two moments, and between edges of a moment and the decoy."""

SPEECH_SHARE = 0.61
HYPE_PAUSE_S = 0.12
GUARD_S = 0.8
CALM_DBFS = -24.0
HYPE_DBFS = -16.0
LAUGH_DBFS = -20.5


@dataclass(frozen=True)
class _Block:
    """Something to be placed: it extends `head_s` before and `tail_s` after its middle."""

    head_s: float
    tail_s: float
    lines: tuple[Line, ...] = ()

    @property
    def is_decoy(self) -> bool:
        return not self.lines


def lay_out(name: str, seed: int, duration_s: float, planted: int, speakers: Speakers) -> Truth:
    """Decide when everything in a recording happens.

    Args:
        name: Stem of the files.
        seed: Seed of every draw.
        duration_s: Length of the recording in seconds.
        planted: Number of moments to plant, at least one.
        speakers: Gives the duration of a line.

    Returns:
        The truth of the recording.

    Raises:
        ValueError: The moments and the decoy do not fit into the recording.
    """
    rng = np.random.default_rng([seed, 1])
    groups = script.hype_groups(planted, rng)
    speakers.render(line for group in groups for line in group)
    blocks = [_moment(lines, speakers, rng) for lines in groups]
    half_decoy_s = rng.uniform(12.0, 15.0) / 2
    order, middles_s = _place(blocks, _Block(half_decoy_s, half_decoy_s), duration_s, rng)

    moments: list[Planted] = []
    spoken: list[Spoken] = []
    for block, middle_s in zip(order, middles_s, strict=True):
        start_s, end_s = round(middle_s - block.head_s, 3), round(middle_s + block.tail_s, 3)
        if block.is_decoy:
            decoy = Span(start_s, end_s)
            continue
        shouted = _back_to_back(block.lines, start_s, speakers, rng)
        spoken += shouted
        peak_s = round((start_s + shouted[-1].end_s) / 2, 3)
        moments.append(Planted(start_s, end_s, peak_s, " ".join(line.text for line in block.lines)))

    free = _free_spans([Span(m.start_s, m.end_s) for m in moments] + [decoy], duration_s)
    calm_s = SPEECH_SHARE * duration_s - sum(s.end_s - s.start_s for s in spoken)
    calm_share = min(0.85, calm_s / sum(span.end_s - span.start_s for span in free))
    laugh = script.laugh_line(rng)
    lines = _with_laugh(script.calm_lines(rng), laugh, position=int(rng.integers(2, 6)))
    upcoming = list(islice(lines, int(calm_s / 2.6) + 6))
    speakers.render(upcoming)
    lines = chain(upcoming, lines)
    for span in free:
        spoken += _fill(span, calm_share, lines, speakers, laugh, rng)
    spoken.sort(key=lambda s: s.start_s)
    laughed = next((Span(s.start_s, s.end_s) for s in spoken if s.line == laugh), None)
    return Truth(
        name=name,
        seed=seed,
        duration_s=duration_s,
        planted=tuple(moments),
        decoy=decoy,
        laugh=laughed,
        chat_bump=_chat_bump(moments, decoy, duration_s, rng),
        spoken=tuple(spoken),
    )


def _moment(lines: tuple[Line, ...], speakers: Speakers, rng: np.random.Generator) -> _Block:
    """Return a planted moment of 6-10 s around the middle of its shouted speech."""
    shouted_s = sum(speakers.seconds(line) for line in lines) + HYPE_PAUSE_S * (len(lines) - 1)
    whole_s = float(np.clip(shouted_s + rng.uniform(2.0, 3.4), 6.0, 10.0))
    return _Block(shouted_s / 2, whole_s - shouted_s / 2, lines)


def _place(
    blocks: list[_Block], decoy: _Block, duration_s: float, rng: np.random.Generator
) -> tuple[list[_Block], list[float]]:
    """Find random times for the moments and the decoy, with gaps as wide as the recording allows.

    Returns:
        The blocks in time order, and the middle of each in seconds.

    Raises:
        ValueError: They do not fit.
    """
    needed_s = math.inf
    for spacing_s, margin_s in SPACINGS_S:
        for _ in range(400):
            slot = int(rng.integers(0, len(blocks) + 1))
            order = [*blocks[:slot], decoy, *blocks[slot:]]
            steps = [EDGE_S + order[0].head_s]
            steps += [_step(a, b, spacing_s, margin_s) for a, b in pairwise(order)]
            slack_s = duration_s - sum(steps) - order[-1].tail_s - EDGE_S
            needed_s = min(needed_s, duration_s - slack_s)
            if slack_s < 0:
                continue
            shares = rng.dirichlet(np.ones(len(order) + 1))[:-1]
            middles_s = list(np.cumsum(np.array(steps) + slack_s * shares))
            peaks_s = [m for block, m in zip(order, middles_s, strict=True) if not block.is_decoy]
            early, late = peaks_s[0] < duration_s / 3, peaks_s[-1] > duration_s * 2 / 3
            if (early and late) or (len(peaks_s) == 1 and (early or late)):
                return order, [float(m) for m in middles_s]
    raise ValueError(
        f"{len(blocks)} planted moments and a decoy do not fit into {duration_s:g} s:"
        f" make it at least {math.ceil(max(needed_s, duration_s) / 10 + 1) * 10} s long or plant fewer"
    )


def _step(a: _Block, b: _Block, spacing_s: float, margin_s: float) -> float:
    """Return the minimum distance in seconds from the middle of `a` to the middle of `b`, which comes next."""
    if a.is_decoy or b.is_decoy:
        return a.tail_s + margin_s + b.head_s
    return max(spacing_s, a.tail_s + 4.0 + b.head_s)


def _back_to_back(
    lines: tuple[Line, ...], start_s: float, speakers: Speakers, rng: np.random.Generator
) -> list[Spoken]:
    """Place shouted lines in sequence from `start_s` on."""
    spoken = []
    for line in lines:
        end_s = round(start_s + speakers.seconds(line), 3)
        spoken.append(Spoken(line, start_s, end_s, HYPE_DBFS + rng.uniform(-0.5, 0.5)))
        start_s = round(end_s + HYPE_PAUSE_S, 3)
    return spoken


def _free_spans(taken: list[Span], duration_s: float) -> list[Span]:
    """Return the stretches of at least 3 s left for calm speech, in time order."""
    free, start_s = [], 0.0
    for span in sorted(taken, key=lambda s: s.start_s):
        free.append(Span(start_s, span.start_s - GUARD_S))
        start_s = span.end_s + GUARD_S / 2
    free.append(Span(start_s, duration_s - GUARD_S / 2))
    return [span for span in free if span.end_s - span.start_s >= 3.0]


def _with_laugh(lines: Iterator[Line], laugh: Line, position: int) -> Iterator[Line]:
    """Yield calm lines with the laugh in between them, once."""
    for number, line in enumerate(lines):
        if number == position:
            yield laugh
        yield line


def _fill(
    span: Span,
    share: float,
    lines: Iterator[Line],
    speakers: Speakers,
    laugh: Line,
    rng: np.random.Generator,
) -> list[Spoken]:
    """Fill `share` of a free stretch with calm sentences; the rest becomes pauses, some short, some long."""
    room_s = span.end_s - span.start_s
    chosen: list[Line] = []
    said_s = 0.0
    while said_s < share * room_s - 1.2:
        line = next(lines)
        if said_s + speakers.seconds(line) + 0.25 * (len(chosen) + 2) > room_s:
            break
        chosen.append(line)
        said_s += speakers.seconds(line)
    gaps = len(chosen) + 1
    pauses_s = 0.25 + (room_s - said_s - 0.25 * gaps) * rng.dirichlet(np.full(gaps, 1.3))
    spoken, start_s = [], span.start_s
    for line, pause_s in zip(chosen, pauses_s, strict=False):
        start_s = round(start_s + pause_s, 3)
        end_s = round(start_s + speakers.seconds(line), 3)
        level_dbfs = LAUGH_DBFS if line == laugh else CALM_DBFS + rng.uniform(-2.0, 2.0)
        spoken.append(Spoken(line, start_s, end_s, level_dbfs))
        start_s = end_s
    return spoken


def _chat_bump(moments: list[Planted], decoy: Span, duration_s: float, rng: np.random.Generator) -> Span | None:
    """Find 10 s for unrelated chat, away from the moments, the chat's reactions to them, and the decoy."""
    avoid = [Span(m.start_s - 4.0, m.peak_s + 15.5) for m in moments]
    avoid.append(Span(decoy.start_s - 4.0, decoy.end_s + 8.0))
    starts_s = [
        float(t)
        for t in range(2, int(duration_s) - 12)
        if all(t + 10.0 < span.start_s or t > span.end_s for span in avoid)
    ]
    if not starts_s:
        return None
    start_s = starts_s[int(rng.integers(len(starts_s)))]
    return Span(start_s, start_s + 10.0)
