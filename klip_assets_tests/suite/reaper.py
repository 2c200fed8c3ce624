"""A process beside the tests that ends whatever they started, should they be killed themselves.

Once pytest closes its standard input, or is gone, it kills all processes that carry the mark it is given: services in
sessions of their own, workers that were stopped, a PostgreSQL server.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time

import pytest

from klip_assets_tests.suite.processes import MARK, describe, end, marked

_reaper: subprocess.Popen[bytes] | None = None


def pytest_configure(config: pytest.Config) -> None:
    """Mark this process and start its reaper; every worker of pytest-xdist has one of its own."""
    global _reaper
    if _reaper is None:
        unmarked = {name: value for name, value in os.environ.items() if name != MARK}
        os.environ[MARK] = f"{os.getpid()}.{time.time_ns()}"
        os.environ["PYTHONFAULTHANDLER"] = "1"
        # A Ctrl-C or a signal to the group of pytest must not reach it.
        _reaper = subprocess.Popen(
            [sys.executable, "-m", "klip_assets_tests.suite.reaper", os.environ[MARK]],
            stdin=subprocess.PIPE, env=unmarked, cwd=config.rootpath, start_new_session=True,
        )  # fmt: skip


def pytest_unconfigure() -> None:
    """End what is left, and the reaper."""
    if _reaper is not None and _reaper.stdin is not None:
        _reaper.stdin.close()
        _reaper.wait()


def reap(mark: str) -> None:
    """Kill all processes that carry a mark, and those they start meanwhile."""
    while left := marked(mark):
        said = f"ending what the tests of process {mark} left running:\n{describe(left)}"
        end(left)
        # Who read the output of pytest may have been killed with it.
        with contextlib.suppress(OSError):
            print(said, file=sys.stderr, flush=True)  # noqa: T201
        # Not until they are gone: a child of pytest stays a zombie until that collects it, and it waits for this one.
        time.sleep(0.05)


if __name__ == "__main__":
    # Its end alone would not do: a child that pytest forked holds it open, too.
    parent = os.getppid()
    while os.getppid() == parent and not select.select([sys.stdin], [], [], 0.5)[0]:
        pass
    reap(sys.argv[1])
