"""How much memory this process has used at most."""

from __future__ import annotations

import re
from pathlib import Path


def peak_mb() -> float:
    """Return the peak of the resident memory in MB; unlike getrusage's, none that a parent had before the fork."""
    found = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[0]) / 1024
