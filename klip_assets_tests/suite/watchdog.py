"""A pytest plugin that ends a test in which nothing moves, and says where it stood.

Progress is processor time of this process and everything below it. `timeout` in pyproject.toml is the hard cap: there,
pytest-timeout ends a test that moves but never ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from types import FrameType

import psutil
import pytest

from klip_assets_tests.suite.processes import below, describe, let_them_dump_their_stacks, processor_seconds, stacks
from klip_assets_tests.suite.waiting import STILL_S

_POLL_S = 5.0
#: A process that waits wakes up now and then: this share of the time is not progress yet.
_IDLE_SHARE = 1 / 200
#: A test that does not end this long after it was told to has its process killed.
_GRACE_S = 60.0


class Watchdog(threading.Thread):
    """Watches the test that is running; started once per process.

    Args:
        still_s: Seconds without progress after which a test is ended.
    """

    def __init__(self, still_s: float = STILL_S) -> None:
        super().__init__(name="watchdog of the tests", daemon=True)
        self._still_s = still_s
        self._running = ""
        self._begun = 0

    def begin(self, name: str) -> None:
        """Note that a test begins."""
        self._running, self._begun = name, self._begun + 1

    def end(self) -> None:
        """Note that the test is over."""
        self._running = ""

    def run(self) -> None:
        """Watch until this process ends."""
        seen, since, begun = 0.0, time.monotonic(), 0
        while True:
            time.sleep(min(_POLL_S, self._still_s / 10))
            # Without what this thread itself uses to find out.
            now = processor_seconds([psutil.Process(), *below()]) - time.thread_time()
            # What a process used goes from the sum when it ends: that is a move as well.
            if not self._running or self._begun != begun or abs(now - seen) >= _IDLE_SHARE * self._still_s:
                seen, since, begun = now, time.monotonic(), self._begun
            elif time.monotonic() - since > self._still_s:
                self._strike(begun)
                since = time.monotonic()

    def _strike(self, begun: int) -> None:
        children = below()
        global _report
        _report = f"{self._running}: nothing moved for {self._still_s:.0f} s\n{stacks()}\n{describe(children)}"
        # Nobody may be left to read it; the report of the failed test says it as well.
        with contextlib.suppress(OSError):
            print(_report, file=sys.__stderr__, flush=True)
        let_them_dump_their_stacks(children)
        os.kill(os.getpid(), signal.SIGUSR2)
        until = time.monotonic() + _GRACE_S
        while time.monotonic() < until:
            time.sleep(0.1)
            if self._begun != begun or not self._running:
                return
        os._exit(3)


_report = ""
_watchdog: Watchdog | None = None


def _fail(_number: int, _frame: FrameType | None) -> None:
    pytest.fail(_report)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to watch, unless somebody debugs."""
    global _watchdog
    if threading.current_thread() is threading.main_thread() and not session.config.getoption("usepdb"):
        signal.signal(signal.SIGUSR2, _fail)
        _watchdog = Watchdog(float(os.environ.get("KLIP_TESTS_STILL_S", STILL_S)))
        _watchdog.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Watch each test, its fixtures included."""
    if _watchdog:
        _watchdog.begin(item.nodeid)
    try:
        return (yield)
    finally:
        if _watchdog:
            _watchdog.end()
