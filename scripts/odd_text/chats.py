"""Chat logs on another timeline, in other dialects, and with odd entries."""

from __future__ import annotations

from collections.abc import Iterator

from odd_text.case import Odd


def cases() -> Iterator[Odd]:
    """Yield the inputs."""
    yield from ()
