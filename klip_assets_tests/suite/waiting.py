"""Waiting for something to happen, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

#: What is waited for is given up when it has not moved for this long.
STILL_S = 300.0


class StalledError(AssertionError):
    """What was waited for did not happen, and nothing moves any more."""


def until(
    happened: Callable[[], T],
    what: str,
    *,
    moves: Callable[[], Any],
    explain: Callable[[], str] = str,
    every_s: float = 0.2,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> T:
    """Wait until something is true and return it.

    There is no limit to how long this takes: it goes on as long as what is waited for moves.

    Args:
        happened: What is waited for: anything true.
        what: It in words, for the message.
        moves: A value that changes as long as there is progress: length of a log, number of events, processor time.
        explain: Says what is known when it is given up: stacks, the end of a log.
        every_s: Seconds between two checks of both.
        clock: Seconds.
        sleep: Waits for some seconds.

    Raises:
        StalledError: `moves` has given the same value for 300 s.
    """
    seen, since = moves(), clock()
    while not (result := happened()):
        sleep(every_s)
        now = moves()
        if now != seen:
            seen, since = now, clock()
        elif clock() - since > STILL_S:
            raise StalledError(f"waited for {what}, but nothing has moved for {STILL_S:.0f} s: {seen}\n{explain()}")
    return result
