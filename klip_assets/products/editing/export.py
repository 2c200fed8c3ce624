"""What a list for another program is: a name, what it is for, and what makes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Export:
    """One kind of list.

    Attributes:
        name: What `klip highlights --export` calls it.
        described: What it is for, in a word or two.
        write: Makes its text of the row of `videos` and rows of `highlights`, best first.
    """

    name: str
    described: str
    write: Callable[[Row, Sequence[Row]], str]
