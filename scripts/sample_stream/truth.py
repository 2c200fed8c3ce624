"""The truth about a generated recording: its planted moments, its decoy and every spoken sentence.

Belongs here: the plain records shared by the other modules and stored in `truth.json`.
Does not belong here: how they are chosen (timeline) or rendered (sound, chat).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """A sentence and the way it is spoken.

    Attributes:
        text: The sentence, in plain English.
        voice: A flite voice: slt, rms or awb.
        kind: `calm` or `hype` (faster, higher and louder).
    """

    text: str
    voice: str
    kind: str


@dataclass(frozen=True)
class Spoken:
    """A line at its time in the recording.

    Attributes:
        line: What is said, and how.
        start_s: Start of the voice, in seconds from the start of the recording.
        end_s: Its end, in seconds.
        level_dbfs: RMS level of the voice before the whole mix is normalized.
    """

    line: Line
    start_s: float
    end_s: float
    level_dbfs: float


@dataclass(frozen=True)
class Planted:
    """A moment worth a clip; `peak_s` is the middle of its shouted speech. All times in seconds."""

    start_s: float
    end_s: float
    peak_s: float
    text: str


@dataclass(frozen=True)
class Span:
    """A stretch of the recording from `start_s` to `end_s`, in seconds."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Truth:
    """Everything known about one generated recording.

    Attributes:
        name: Stem of the files.
        seed: Seed of all random draws.
        duration_s: Length of the recording in seconds.
        planted: The planted moments, in time order.
        decoy: Loud noise that is not a highlight: nobody speaks and the chat does not react.
        laugh: A laugh somewhat louder than calm speech: a mild distractor.
        chat_bump: A few messages together about something else: a mild distractor.
        spoken: Every spoken sentence, in time order.
    """

    name: str
    seed: int
    duration_s: float
    planted: tuple[Planted, ...]
    decoy: Span
    laugh: Span | None
    chat_bump: Span | None
    spoken: tuple[Spoken, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the content of `truth.json`."""
        distractors = [
            {"kind": kind, "start_s": span.start_s, "end_s": span.end_s}
            for kind, span in (("laugh", self.laugh), ("chat_bump", self.chat_bump))
            if span is not None
        ]
        return {
            "name": self.name,
            "seed": self.seed,
            "duration_s": self.duration_s,
            "planted": [vars(moment) for moment in self.planted],
            "decoy": vars(self.decoy),
            "distractors": distractors,
            "spoken": [
                {"start_s": s.start_s, "end_s": s.end_s, "text": s.line.text, "kind": s.line.kind} for s in self.spoken
            ],
        }
