"""Processes that tests start: their processor time, what they are doing, and how they are found again.

Each process of pytest marks its environment, so that whatever it starts, however indirectly, carries the mark too.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

#: The environment variable whose value is the process of pytest that a process belongs to.
MARK = "TESTS_OF_KLIP"


def below(pid: int | None = None) -> list[psutil.Process]:
    """Return the children of a process (this one by default), theirs, and so on."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def marked(mark: str) -> list[psutil.Process]:
    """Return all processes that carry a mark, orphans included, without this one and without zombies."""
    return with_variable(MARK, mark)


def with_variable(name: str, value: str) -> list[psutil.Process]:
    """Return the processes that were started with an environment variable, without this one and without zombies."""
    wanted, found = f"{name}={value}".encode(), []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        try:
            # Not by psutil: reading the raw bytes costs a hundredth, and this is asked often.
            if wanted in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0") and command_of(process):
                found.append(process)
        except (OSError, psutil.Error):
            continue
    return found


def processor_seconds(processes: Iterable[psutil.Process]) -> float:
    """Return the processor time that processes, and children they waited for, have used so far."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


def command_of(process: psutil.Process) -> str:
    """Return the command line of a process; '' if it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def end(processes: Iterable[psutil.Process]) -> None:
    """Kill processes."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def describe(processes: Iterable[psutil.Process]) -> str:
    """Say in one line each what processes are doing."""
    lines = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            used = f"{process.status()} {sum(process.cpu_times()[:2]):.1f} s"
            lines.append(f"{process.pid} {used}  {command_of(process)[:160]}")
    return "\n".join(lines) or "no other processes"


def stacks() -> str:
    """Return the Python stacks of all threads of this process, as text."""
    with tempfile.TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read()


def let_them_dump_their_stacks(processes: Iterable[psutil.Process]) -> None:
    """End Python processes so that each writes the stacks of its threads to its standard error first.

    They were started with PYTHONFAULTHANDLER, which makes SIGABRT do so; a stopped one goes on for it.
    """
    for process in processes:
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if "python" in process.name():
                process.send_signal(signal.SIGABRT)
                process.send_signal(signal.SIGCONT)
    time.sleep(2)
