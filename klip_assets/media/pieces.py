"""Where the timestamps of a recording jump, and how its pieces are laid one behind the other.

Timestamps of joined or restarted recordings begin again, or leap, in the middle of the file. Where all tracks jump
together, a new piece begins, which is laid behind the last one. Nothing here reads a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: Timestamps that go back by more than this begin a new piece. (Within a piece they increase from packet to packet.)
BACK_S = 0.5

#: A gap longer than this is a jump of the clock; a shorter one is a hole in the recording.
FORWARD_S = 60.0

#: Containers interleave their tracks: a jump may reach another track up to this much later.
INTERLEAVED_S = 10.0

#: A damaged file may jump at every packet. Further jumps are followed, but no longer matched between tracks.
MAX_JUMPS = 1000


@dataclass
class Run:
    """Packets of one track between two jumps of its timestamps.

    Attributes:
        at: Number of the first packet, counted over all tracks in file order.
        begin_s: Timestamp of the first packet.
        end_s: Highest end of a packet.
        backwards: Whether the jump before it went backwards.
        others_end_s: Highest end of the other track's packets at that jump; None if it had none.
        others_run: Index of the other track's run at that jump.
    """

    at: int
    begin_s: float
    end_s: float
    backwards: bool = False
    others_end_s: float | None = None
    others_run: int = -1


class Stamps:
    """Tells at which packets of one track the timestamps jump."""

    def __init__(self) -> None:
        self._last: float | None = None
        self._due = 0.0
        self.backwards = False

    def jumps(self, stamp_s: float, length_s: float) -> bool:
        """Follow one packet and return whether its timestamp jumps.

        Args:
            stamp_s: When it is decoded.
            length_s: How long it lasts, 0 if unknown.
        """
        self.backwards = self._last is not None and stamp_s < self._last - BACK_S
        jumped = self.backwards or (self._last is not None and stamp_s > self._due + FORWARD_S)
        self._last, self._due = stamp_s, stamp_s + length_s
        return jumped


@dataclass(frozen=True)
class Jump:
    """A jump of the clock that was closed.

    Attributes:
        at_s: Where the new piece begins, on the presentation timeline.
        by_s: How far the timestamps jumped.
    """

    at_s: float
    by_s: float


@dataclass
class Pieces:
    """How the runs of each track are laid out.

    Attributes:
        shifts: Track -> for each of its runs, what is added to its timestamps.
        jumps: The jumps that all tracks made together.
    """

    shifts: Mapping[str, list[float]]
    jumps: list[Jump] = field(default_factory=list)


def settle_start(tracks: Mapping[str, Sequence[Run]]) -> dict[str, float]:
    """Move a first run that is on another clock than all the rest before the run that follows.

    Encoders that restart may first write packets of the old clock, and muxers wrap negative timestamps.

    Args:
        tracks: The runs of one or two tracks, at least one each; the first ones are changed.

    Returns:
        Track -> what was added to the timestamps of its first run.
    """
    moved = dict.fromkeys(tracks, 0.0)
    for name, runs in tracks.items():
        other = next((entry[0].begin_s for track, entry in tracks.items() if track != name), None)
        if other is None or len(runs) < 2:
            continue
        first, second = runs[:2]
        if abs(first.begin_s - other) > FORWARD_S >= abs(second.begin_s - other):
            by = second.begin_s - first.end_s
            moved[name], first.begin_s, first.end_s = by, first.begin_s + by, first.end_s + by
    return moved


def lay_out(tracks: Mapping[str, Sequence[Run]], origin_s: float) -> Pieces:
    """Lay the pieces of a recording one behind the other.

    A jump of one track alone is not closed where the other track shows that the time really passes: a hole stays a
    hole. Otherwise what follows is laid behind the track's own end, so that none of it is lost.

    Args:
        tracks: The runs of one or two tracks, at least one each.
        origin_s: Timestamp that becomes 0.
    """
    shifts = {name: [-origin_s] for name in tracks}
    jumps: list[Jump] = []
    base = -origin_s
    joined: dict[tuple[str, int], float] = {}
    events = sorted((run.at, name, index) for name, runs in tracks.items() for index, run in enumerate(runs) if index)
    for number, (_, name, index) in enumerate(events):
        run, before = tracks[name][index], tracks[name][index - 1]
        if (name, index) in joined:
            shifts[name].append(joined.pop((name, index)))
            continue
        end = before.end_s + shifts[name][-1]
        other = next((entry for entry in tracks if entry != name), None)
        others = tracks[other] if other else ()
        partner = _partner(run, others) if number < MAX_JUMPS else ALONE
        if partner == ALONE:
            keeps_time = run.begin_s + base >= end - BACK_S and run.begin_s <= _latest(others) + INTERLEAVED_S
            shifts[name].append(base if keeps_time else end - run.begin_s)
            continue
        begin = run.begin_s
        if other and run.others_run >= 0:
            end = max(end, others[run.others_run].end_s + shifts[other][run.others_run])
        if other and partner >= 0:
            begin = min(begin, others[partner].begin_s)
        base = end - begin
        if abs(by := run.begin_s - before.end_s) > BACK_S:
            jumps.append(Jump(end, by))
        shifts[name].append(base)
        if other and run.others_run < 0:
            shifts[other][0] = base
        elif other and partner >= 0:
            joined[other, partner] = base
    return Pieces(shifts, jumps)


#: No run of the other track takes part in a jump, since that track goes on as before; or it has no packets there.
ALONE, NOTHING = -2, -1


def _partner(run: Run, others: Sequence[Run]) -> int:
    """Return the run of the other track that begins with the same jump, else `ALONE` or `NOTHING`."""
    if not others or run.others_end_s is None:
        return NOTHING
    current, following = run.others_run, run.others_run + 1
    if others[current].end_s - run.others_end_s >= INTERLEAVED_S:
        return ALONE
    if following < len(others):
        return following if others[following].backwards == run.backwards else ALONE
    return NOTHING


def _latest(runs: Sequence[Run]) -> float:
    return max((run.end_s for run in runs), default=float("-inf"))
