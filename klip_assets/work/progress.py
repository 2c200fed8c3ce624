"""Progress of stages: the interface, and the messages."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Protocol


class Progress(Protocol):
    """Receives the progress of stages."""

    def begin(self, subject: str, table: str) -> None:
        """Note that a stage begins: the video or day, and the table it writes."""

    def reporter(
        self, subject: str, table: str, total: float | None, log: Callable[[str], Any]
    ) -> Callable[[float], None]:
        """Return a function that the stage calls with the seconds of audio done so far."""


class Pace:
    """How far a stage is and how fast it runs.

    Args:
        total: Total seconds of audio, None if unknown.
    """

    def __init__(self, total: float | None) -> None:
        self._total = total
        self._first: tuple[float, float] | None = None

    def describe(self, done: float) -> str:
        """Return a phrase with the seconds of audio done, the speed, and about how long the rest takes."""
        now = time.monotonic()
        # A stage may resume where an earlier run died: what that run did must not count for this one's speed.
        self._first = self._first or (done, now)
        text = f"{done:,.0f} of {self._total:,.0f} s" if self._total else f"{done:,.0f} s"
        before, began = self._first
        if now - began < 0.5 or done <= before:
            return f"{text} of audio done"
        speed = (done - before) / (now - began)
        left = timedelta(seconds=round(max(0.0, self._total - done) / speed)) if self._total else None
        return f"{text} of audio done at {speed:.0f} times real time" + (f", about {left} left" if left else "")


class LogProgress:
    """Logs to Dagster how far a stage is, every few seconds: done, speed and time left."""

    every_s = 10.0

    def begin(self, subject: str, table: str) -> None:
        """Do nothing: Dagster itself logs that a step begins."""

    def reporter(
        self, subject: str, table: str, total: float | None, log: Callable[[str], Any]
    ) -> Callable[[float], None]:
        """Return a function that logs at most every ten seconds."""
        pace = Pace(total)
        last = time.monotonic()

        def report(done: float) -> None:
            nonlocal last
            text, now = pace.describe(done), time.monotonic()
            if now - last >= self.every_s:
                last = now
                log(f"{table}: {text}")

        return report
