"""Fail points: named places where a test can stop or kill this process.

"A kill at any moment loses nothing" is only worth saying if it can be tried at every moment that matters: between any
two changes of the disk, that is after each write (before its rename), rename, link and transaction. Those places call
`fail_point`, which does nothing unless the environment asks:

    KLIP_FAILPOINT="stop write.filled segments/*"   the process stops itself (SIGSTOP), once, for a test to look around
    KLIP_FAILPOINT="kill stage.begin */stream"      the process dies (SIGKILL) every time it gets there
    KLIP_FAILPOINT="stop 17"                        the 17th point that is reached, whatever it is
    KLIP_FAILPOINT="step"                           the process stops itself at every point
    KLIP_FAILPOINT_LOG=<file>                       every point reached is appended: process, name, subject

The idea is that of fail(9) in FreeBSD and of the `fail` crate of TiKV.
"""

from __future__ import annotations

import itertools
import os
import signal
from fnmatch import fnmatchcase
from pathlib import Path

_count = itertools.count(1)

#: How the log marks the place where a process was stopped; there is no second stop while it stands there.
STOPPED = "stopped"


def fail_point(name: str, subject: str = "") -> None:
    """Say that the process is at a named place, and stop or die there if a test wants it.

    Args:
        name: The place: "write.filled".
        subject: What is being worked on there: "segments/video_id=stream".
    """
    wanted = os.environ.get("KLIP_FAILPOINT")
    log = os.environ.get("KLIP_FAILPOINT_LOG")
    if not wanted and not log:
        return
    number = next(_count)
    if log:
        _note(log, name, subject)
    if wanted and _is_here(wanted.split(), number, name, subject):
        if wanted.startswith("kill "):
            os.kill(os.getpid(), signal.SIGKILL)
        elif wanted == "step":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif not (log and _was_stopped(log)):
            if log:
                _note(log, STOPPED, f"{name} {subject}")
            os.kill(os.getpid(), signal.SIGSTOP)


def _is_here(wanted: list[str], number: int, name: str, subject: str) -> bool:
    if wanted == ["step"]:
        return True
    _, place, *pattern = wanted
    if place.isdigit():
        return int(place) == number
    return place == name and fnmatchcase(subject, pattern[0] if pattern else "*")


def _note(log: str, name: str, subject: str) -> None:
    with Path(log).open("a") as file:
        file.write(f"{os.getpid()} {name} {subject}\n")


def _was_stopped(log: str) -> bool:
    return any(line.split()[1] == STOPPED for line in Path(log).read_text().splitlines())
