"""What a reader could not take, and why: what later stands in `quarantine`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Refusals of one file that are listed; one that is broken throughout would otherwise fill the table with itself.
MAX_LISTED = 10_000


@dataclass(frozen=True)
class Refused:
    """A file, or one line or row of it, that was left out.

    Within one file no two have the same position.

    Attributes:
        position: 'line 12', 'line 12, item 3', 'row 12' (as a spreadsheet counts: the header is row 1), 'item 3' of
            one JSON document, 'end of file' (what follows is damaged), or 'file' for the whole file.
        reason: Why, in a few words that a person understands.
        detail: What exactly was found.
    """

    position: str
    reason: str
    detail: str


class RowRefused(Exception):  # noqa: N818
    """A row can't be used.

    Args:
        reason: Why, in a few words.
        detail: What was found.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def listed(
    first: Sequence[Refused],
    count: int,
    *,
    end: Sequence[Refused] = (),
    most: int = MAX_LISTED,
    position: str = "rest",
) -> list[Refused]:
    """Return refusals as they are listed: all of them, or the first and one that says how many more there were.

    Args:
        first: The first that were refused; at least `most`, if there were so many.
        count: How many were refused.
        end: What ended the reading, listed in any case and not part of the count.
        most: How many are listed.
        position: Where the last entry says that the others are.
    """
    if count + len(end) <= most:
        return [*first, *end]
    kept = first[: most - 1 - len(end)]
    return [*kept, *end, Refused(position, "too many to list", f"{count - len(kept):,} more")]
