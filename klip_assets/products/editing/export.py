"""A list for other programs: its name, its purpose, and the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Export:
    """One kind of list.

    Attributes:
        name: Its name in `klip highlights --export`.
        described: Its purpose, in a word or two.
        write: Returns its text, given the row of `videos` and rows of `highlights`, best first.
        counts_frames: Whether the row of `videos` needs `start_timecode`, the recording's own, as well.
    """

    name: str
    described: str
    write: Callable[[Row, Sequence[Row]], str]
    counts_frames: bool = False
