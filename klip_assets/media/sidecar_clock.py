"""Where a recording lies on the clock of a file beside it: captions or a chat, which may be those of a longer stream.

What is done with entries outside the recording depends on the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from klip_assets.errors import OtherClockError
from klip_assets.formats.refused import Refused
from klip_assets.media.claims import tolerance_s

#: A file of whose entries a smaller share lies inside the recording belongs to another one, or has another clock.
MOST = 0.5

#: Reason of a file of which nothing lies inside the recording, in `quarantine`.
OUTSIDE = "outside the recording"
BEFORE_THE_START = "before the start of the recording"
AFTER_THE_END = "after the end of the recording"
REST_OF_THE_STREAM = "outside this section of the stream"


@dataclass(frozen=True)
class Place:
    """Where a recording lies on the clock of a file beside it.

    Attributes:
        end_s: Length of the recording; None if it is unknown: then nothing is cut.
        section_s: Where the recording begins in the stream it was cut from, if a sidecar says so. A file that reaches
            over `end_s` is that of the whole stream, and is moved back by this.
    """

    end_s: float | None = None
    section_s: float = 0.0

    @property
    def tolerance_s(self) -> float:
        """How far after the end a file may reach without being named: they often end a little after the video."""
        return tolerance_s(self.end_s or 0.0)

    def shift_s(self, last_s: float) -> float:
        """Return what is subtracted from all times, given the latest one."""
        return self.section_s if self.end_s is not None and last_s > self.end_s + self.tolerance_s else 0.0


ANYWHERE = Place()


def check_inside(
    inside: int, count: int, what: str, *, first_s: float, shift_s: float, place: Place, name: str
) -> None:
    """Check that the entries of a file belong to the recording.

    Where they were moved to its section of a stream, most may lie in the rest of the stream.

    Args:
        inside: How many lie inside.
        count: How many there are.
        what: What they are, in the plural.
        first_s: When the first one begins, once moved.
        shift_s: By how much they were moved back.
        place: Where the recording lies.
        name: The file, for the message.

    Raises:
        OtherClockError: Most of them lie outside.
    """
    if inside >= (1 if shift_s else math.ceil(MOST * count)):
        return
    raise OtherClockError(
        f"{name}: {count - inside:,} of {count:,} {what} lie outside the recording (the first at {first_s:.1f} s; it "
        f"ends at {place.end_s:.1f} s): they belong to another recording, or to the whole stream that this is a part of"
    )


def rest_of_the_stream(what: str, shift_s: float, place: Place) -> Refused:
    """Return the entry that names what lies in the rest of the stream that a recording is a section of.

    Args:
        what: What it is, and how much.
        shift_s: Where the section begins in the stream.
        place: Where the recording lies.
    """
    end_s = shift_s + (place.end_s or 0.0)
    return Refused("rest of the stream", REST_OF_THE_STREAM, f"{what}; it is {shift_s:.1f} to {end_s:.1f} s of it")
