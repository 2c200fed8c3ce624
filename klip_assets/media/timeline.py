"""The presentation timeline of a recording, which everything measured in it refers to.

Second 0 is what a player shows as 0:00: the first sound of the chosen track or the first real picture, whichever comes
first, after edit lists. A track that begins late begins late; what is missing inside is missing. Only where all tracks
jump together (joined or restarted recordings) is the jump closed (`media.pieces`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Self

from klip_assets.media.pieces import Jump, Stamps

SOUND, PICTURE = "sound", "picture"


@dataclass(frozen=True)
class Timeline:
    """Where the tracks of a recording lie, in seconds from its start.

    Attributes:
        duration_s: End of the last sound that can be decoded or of the last picture, whichever is later.
        sound_s: Start and end of the sound; None if there is none that can be decoded.
        picture_s: Start and end of the picture; None if there is none.
        shifts: Track (`SOUND`, `PICTURE`) -> seconds added to the timestamps of each of its pieces.
        jumps: Jumps of the timestamps that were closed.
        counted: Whether the timestamps of the sound are unusable, so that its samples are counted instead.
        read_bytes: Position behind the last packet that was found; None if the container does not tell.
    """

    duration_s: float
    sound_s: tuple[float, float] | None = None
    picture_s: tuple[float, float] | None = None
    shifts: Mapping[str, list[float]] = field(default_factory=dict)
    jumps: tuple[Jump, ...] = ()
    counted: bool = False
    read_bytes: int | None = None

    @property
    def origin_s(self) -> float:
        """Timestamp of second 0 in the first piece."""
        return -next((shifts[0] for shifts in self.shifts.values()), 0.0)

    @property
    def in_one_piece(self) -> bool:
        """Whether all timestamps are moved by the same amount."""
        return len({shift for shifts in self.shifts.values() for shift in shifts}) <= 1

    def as_notes(self) -> dict[str, Any]:
        """Return it in the form kept in a footer."""
        return asdict(self)

    @classmethod
    def from_notes(cls, notes: Mapping[str, Any]) -> Self:
        """Return a timeline from what `as_notes` returned, read back from JSON; entries of a newer Klip are skipped."""
        notes = {name: value for name, value in notes.items() if name in cls.__dataclass_fields__}
        spans = {name: tuple(notes[name]) if notes[name] else None for name in ("sound_s", "picture_s")}
        return cls(**{**notes, **spans, "jumps": tuple(Jump(**jump) for jump in notes["jumps"])})


class Clock:
    """Moves the timestamps of packets to the presentation timeline.

    Packets of a recording in several pieces have to be read from the start, in file order.

    Args:
        timeline: The timeline of the recording.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._stamps: dict[int, Stamps] = {}
        self._run: dict[int, int] = {}
        self._moves: dict[tuple[int, int], int] = {}

    def place(self, packet: Any) -> None:
        """Move the timestamps of a packet (in place). Other sound tracks follow the chosen one."""
        stream = packet.stream
        shifts = self._timeline.shifts.get(PICTURE if stream.type == "video" else SOUND)
        shifts = shifts or next(iter(self._timeline.shifts.values()), None)
        if not shifts:
            return
        run = 0
        if len(shifts) > 1:
            stamp = packet.pts if packet.dts is None else packet.dts
            stamps = self._stamps.setdefault(stream.index, Stamps())
            if stamp is not None and stamps.jumps(*seconds_of(packet, stamp)):
                self._run[stream.index] = self._run.get(stream.index, 0) + 1
            run = min(self._run.get(stream.index, 0), len(shifts) - 1)
        key = (stream.index, run)
        moved = self._moves.get(key)
        if moved is None:
            moved = self._moves[key] = round(Fraction(shifts[run]) / packet.time_base)
        if not moved:
            return
        if packet.pts is not None:
            packet.pts += moved
        if packet.dts is not None:
            packet.dts += moved


def seconds_of(packet: Any, stamp: int) -> tuple[float, float]:
    """Return a timestamp and the duration of a packet, in seconds."""
    base = packet.time_base
    return stamp * base.numerator / base.denominator, (packet.duration or 0) * base.numerator / base.denominator
