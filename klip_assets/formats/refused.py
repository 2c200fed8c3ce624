"""What a reader could not take, and why: what later stands in `quarantine`."""

from __future__ import annotations

from dataclasses import dataclass


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
