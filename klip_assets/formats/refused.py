"""Inputs that a reader refused, and why; they end up in `quarantine`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Refusals listed per file; a file that is broken throughout would otherwise fill the table.
MAX_LISTED = 10_000


@dataclass(frozen=True)
class Refused:
    """A file, or one line or row of it, that was refused. Positions are unique within a file.

    Attributes:
        position: 'line 12', 'line 12, item 3', 'row 12' (as in a spreadsheet: the header is row 1), 'item 3' of a
            JSON document, 'end of file' (the rest is damaged), 'column like_count' (some of its values are not known),
            or 'file' for the whole file.
        reason: Why, in a few plain words.
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
    """Return the refusals to list: all of them, or the first ones and an entry that counts the rest.

    Args:
        first: The first refusals; at least `most` of them, if there were that many.
        count: Total number of refusals.
        end: What ended the reading; always listed, and not part of `count`.
        most: Maximum number listed.
        position: Position given for the entry that counts the rest.
    """
    if count + len(end) <= most:
        return [*first, *end]
    kept = first[: most - 1 - len(end)]
    return [*kept, *end, Refused(position, "too many to list", f"{count - len(kept):,} more")]
