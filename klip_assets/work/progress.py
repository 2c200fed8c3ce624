"""How far a stage is: who wants to know, and what is said."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol


class Progress(Protocol):
    """Somebody who wants to know how far the work is."""

    def begin(self, subject: str, table: str) -> None:
        """A stage begins: the video or day, and the table it fills."""

    def reporter(
        self, subject: str, table: str, total: float | None, log: Callable[[str], Any]
    ) -> Callable[[float], None]:
        """Return a function that a stage calls with the seconds of sound it has done."""


class Pace:
    """How far a stage is and how fast it goes.

    Args:
        total: Seconds of sound there are, None if unknown.
    """

    def __init__(self, total: float | None) -> None:
        self._total = total
        self._first: tuple[float, float] | None = None

    def tell(self, done: float) -> str:
        """Say how many seconds of sound are done, at what speed, and about how long the rest takes."""
        now = time.monotonic()
        # A stage may go on where one before it died: what that one did is not this one's speed.
        self._first = self._first or (done, now)
        text = f"{done:,.0f} of {self._total:,.0f} s" if self._total else f"{done:,.0f} s"
        before, began = self._first
        if now - began < 0.5 or done <= before:
            return f"{text} of sound done"
        speed = (done - before) / (now - began)
        left = timedelta(seconds=round(max(0.0, self._total - done) / speed)) if self._total else None
        return f"{text} of sound done at {speed:.0f} times real time" + (f", about {left} left" if left else "")


class LogProgress:
    """Tells the Dagster log how far a stage is, every few seconds: done, speed and time left."""

    every_s = 10.0

    def begin(self, subject: str, table: str) -> None:
        """Dagster's own log says that a step begins."""

    def reporter(
        self, subject: str, table: str, total: float | None, log: Callable[[str], Any]
    ) -> Callable[[float], None]:
        """Return a function that logs at most every ten seconds."""
        pace = Pace(total)
        last = time.monotonic()

        def report(done: float) -> None:
            nonlocal last
            text, now = pace.tell(done), time.monotonic()
            if now - last >= self.every_s:
                last = now
                log(f"{table}: {text}")

        return report
