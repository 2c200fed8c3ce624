"""The clock of WebVTT pieces that HLS serves, joined into one file (RFC 8216, section 3.5)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from klip_assets.signals.speech.captions.caption_format import Cue
from klip_assets.signals.speech.captions.cue_times import seconds_of_clock

#: Ticks per second of MPEG transport streams, and where their 33 bits begin again.
_TICKS_PER_S = 90_000
_WRAP = 1 << 33

_MPEGTS = re.compile(r"MPEGTS:\s?(\d{1,20})")
_LOCAL = re.compile(r"LOCAL:\s?([\d:.,]{1,40})")


class HlsClock:
    """Where the cues of the current piece lie on the clock of the first piece.

    Attributes:
        shift_s: What is added to the times of the current piece, in seconds.
    """

    def __init__(self) -> None:
        self.shift_s = 0.0
        self._pieces = 0
        self._first: float | None = None

    def take(self, line: str) -> None:
        """Take a line: a header of WebVTT begins a piece, `X-TIMESTAMP-MAP=LOCAL:...,MPEGTS:...` says where it lies."""
        if not line.startswith("X-TIMESTAMP-MAP"):
            self._pieces += 1
            return
        ticks, local = _MPEGTS.search(line), _LOCAL.search(line)
        if ticks is None:
            return
        local_s = (seconds_of_clock(local[1].rstrip(",")) or 0.0) if local else 0.0
        at_s = int(ticks[1]) / _TICKS_PER_S - local_s
        if self._first is None:
            self._first = at_s
            return
        shift_s = at_s - self._first
        # Once the counter has begun again.
        self.shift_s = shift_s + _WRAP / _TICKS_PER_S if shift_s < -_WRAP / _TICKS_PER_S / 2 else shift_s

    def without_repeats(self, cues: Sequence[Cue]) -> list[Cue]:
        """Return cues without those that a piece repeats from the one before, since they reach into both."""
        if self._pieces < 2:
            return list(cues)
        known: set[tuple[int, int, str]] = set()
        kept = []
        for cue in cues:
            key = (round(cue.start_s * 1000), round(cue.end_s * 1000), "\n".join(cue.lines).strip())
            if key not in known:
                known.add(key)
                kept.append(cue)
        return kept
