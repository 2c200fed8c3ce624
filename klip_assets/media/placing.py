"""Where each decoded frame of sound begins: by its timestamp, or right behind the one before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SAMPLE_RATE_HZ = 16_000

#: Sound whose timestamps deviate by less from where counting its samples puts it is left there: containers round
#: timestamps, and every correction is a click.
TOLERANCE_S = 0.05

#: Timestamps of neighbouring frames that leave out at least this much have lost something in between; less is the
#: drift of a clock.
STEP_S = 0.01


@dataclass(frozen=True)
class Start:
    """Where a frame begins.

    Attributes:
        at: Sample at which it begins; None: behind the previous one.
        gap: Samples between the two, if `at` is None.
        drop: Samples to drop from its start.
        is_missing: Whether what lies before it is missing, not the drift of a clock.
    """

    at: int | None = None
    gap: int = 0
    drop: int = 0
    is_missing: bool = True

    @property
    def is_apart(self) -> bool:
        """Whether it does not simply follow."""
        return self.at is not None or self.gap > 0 or self.drop > 0


BEHIND = Start()


class ByTimestamps:
    """Places frames by their timestamps, in seconds of the presentation timeline."""

    def __init__(self) -> None:
        self._due = 0.0  # Where the next sample comes by counting.
        self._end: float | None = None  # Where the timestamps say that the previous frame ends.
        self._skipped = 0.0
        self.overlap_s = 0.0  # Dropped because other sound is stamped with the same time.

    def lost(self, seconds: float) -> None:
        """Ignore a refused packet: the timestamp of what follows tells."""

    def next(self, frame: Any) -> Start | None:
        """Return where a frame begins; None if all of it is to be dropped."""
        lasts = frame.samples / frame.sample_rate
        if frame.pts is None or frame.time_base is None:
            self._due += lasts
            return BEHIND
        at = frame.pts * frame.time_base.numerator / frame.time_base.denominator
        step = at - (self._due if self._end is None else self._end)
        if abs(step) >= STEP_S:
            self._skipped += step
        self._end = at + lasts
        off = at - self._due
        if abs(off) <= TOLERANCE_S:
            self._due += lasts
            return BEHIND
        if off < 0:
            self.overlap_s += min(-off, lasts)
            if -off >= lasts:
                return None
            self._skipped = 0.0
            self._due += lasts + off
            return Start(drop=round(-off * SAMPLE_RATE_HZ))
        is_missing, self._skipped, self._due = self._skipped >= off / 2, 0.0, at + lasts
        return Start(round(at * SAMPLE_RATE_HZ), is_missing=is_missing)


class ByCounting:
    """Places frames one behind the other; refused packets count as long as they say."""

    def __init__(self) -> None:
        self._lost_s = 0.0
        self.overlap_s = 0.0

    def lost(self, seconds: float) -> None:
        """Count a refused packet."""
        self._lost_s += seconds

    def next(self, frame: Any) -> Start | None:
        """Return where a frame begins."""
        lost, self._lost_s = round(self._lost_s * SAMPLE_RATE_HZ), 0.0
        return Start(gap=lost) if lost else BEHIND
