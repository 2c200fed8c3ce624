"""Which process did something, and whether it still runs."""

from __future__ import annotations

import os
from pathlib import Path


def this_process() -> str:
    """Name this process so that it can't be mistaken for a later one with the same number."""
    return f"{os.getpid()}:{_started(os.getpid())}"


def is_alive(process: str) -> bool:
    """Say whether a process named by `this_process` is there."""
    number, _, started = process.partition(":")
    return number.isdigit() and _started(int(number)) == started


def _started(pid: int) -> str:
    # The 22nd field of /proc/<pid>/stat: clock ticks from boot to the start of the process; '' if it is gone, which a
    # zombie is too: where nobody collects it, it stays.
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    except (OSError, IndexError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return ""
        except PermissionError:
            pass
        return "running"
