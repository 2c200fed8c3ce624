"""Concurrency of requests: per model, as many as it can take; over all processes, up to a fixed limit."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

#: Concurrent requests after the first one succeeded.
START = 8
_POLL_S = 0.02


class Gate:
    """Limits requests to one model: one until it has answered, then more and more until it says "too many".

    Works like TCP (Jacobson 1988): each success raises the limit by one, so that it doubles with every round trip,
    until the first refusal; a refusal halves it, and from then on it grows by one per round trip.

    Args:
        most: Maximum concurrent requests.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._room = asyncio.Condition()
        self._not_before = 0.0
        self._last_cut = float("-inf")
        self._was_refused = False
        self.limit = 1.0
        self.under_way = 0
        self.closed: str | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for a turn; yields the time it began. Check `closed` afterwards: closing the gate ends the wait."""
        async with self._room:
            while not self.closed:
                wait_s = self._not_before - monotonic()
                if wait_s <= 0 and self.under_way < int(self.limit):
                    break
                try:
                    await asyncio.wait_for(self._room.wait(), timeout=max(wait_s, 0.001) if wait_s > 0 else None)
                except TimeoutError:
                    continue
            self.under_way += 1
        try:
            yield monotonic()
        finally:
            async with self._room:
                self.under_way -= 1
                self._room.notify_all()

    async def succeeded(self) -> None:
        """Record an answer."""
        async with self._room:
            if self.limit == 1 and not self._was_refused:
                self.limit = min(self._most, START)
            else:
                self.limit = min(self._most, self.limit + (1 / self.limit if self._was_refused else 1))
            self._room.notify_all()

    async def refused(self, began: float, wait_s: float) -> None:
        """Record "too many requests" for a request that began at `began`: halve the limit, and pause for a while."""
        async with self._room:
            self._was_refused = True
            self._not_before = max(self._not_before, monotonic() + wait_s)
            if began > self._last_cut:
                self.limit, self._last_cut = max(1.0, self.limit / 2), monotonic()

    async def close(self, reason: str) -> None:
        """Let no more requests through, including those that wait."""
        async with self._room:
            self.closed = self.closed or reason
            self._room.notify_all()


class Slots:
    """Slots for concurrent requests, shared by all processes; they are released when their holder dies (flock).

    Args:
        folder: Folder of the slot files; created if missing.
        most: Number of slots.
    """

    def __init__(self, folder: Path, most: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._idle = [os.open(folder / f"{number}.slot", os.O_RDWR | os.O_CREAT, 0o644) for number in range(most)]
        self._all = tuple(self._idle)
        self._mine = asyncio.Semaphore(most)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Hold a slot."""
        async with self._mine:
            while (slot := self._take()) is None:
                await asyncio.sleep(_POLL_S)
            try:
                yield
            finally:
                fcntl.flock(slot, fcntl.LOCK_UN)
                self._idle.append(slot)

    def close(self) -> None:
        """Close the slot files."""
        for slot in self._all:
            os.close(slot)

    def _take(self) -> int | None:
        for index in range(len(self._idle) - 1, -1, -1):
            try:
                fcntl.flock(self._idle[index], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            return self._idle.pop(index)
        return None
