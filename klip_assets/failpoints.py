"""Fail points: named places where a test can stop or kill this process.

"A kill at any moment loses nothing" is only worth claiming if it can be tested at every moment that matters: between
any two changes to the disk, that is, after each write (before its rename), rename, link and transaction. Those places
call `fail_point`, which does nothing unless the environment says so:

    KLIP_FAILPOINT="stop write.filled segments/*"   the process stops itself (SIGSTOP), once, so a test can inspect it
    KLIP_FAILPOINT="kill stage.begin */stream"      the process kills itself (SIGKILL) every time it gets there
    KLIP_FAILPOINT="stop 17"                        the 17th point reached, whatever it is
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

#: Marks in the log where a process was stopped; it is not stopped again while the mark is there.
STOPPED = "stopped"


def fail_point(name: str, subject: str = "") -> None:
    """Mark a named place in the process, and stop or die there if a test asks for it.

    Args:
        name: The place: "write.filled".
        subject: What is being worked on: "segments/video_id=stream".
    """
    requested = os.environ.get("KLIP_FAILPOINT")
    log = os.environ.get("KLIP_FAILPOINT_LOG")
    if not requested and not log:
        return
    number = next(_count)
    if log:
        _note(log, name, subject)
    if requested and _is_here(requested.split(), number, name, subject):
        if requested.startswith("kill "):
            os.kill(os.getpid(), signal.SIGKILL)
        elif requested == "step":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif not (log and _was_stopped(log)):
            if log:
                _note(log, STOPPED, f"{name} {subject}")
            os.kill(os.getpid(), signal.SIGSTOP)


def _is_here(requested: list[str], number: int, name: str, subject: str) -> bool:
    if requested == ["step"]:
        return True
    _, place, *pattern = requested
    if place.isdigit():
        return int(place) == number
    return place == name and fnmatchcase(subject, pattern[0] if pattern else "*")


def _note(log: str, name: str, subject: str) -> None:
    with Path(log).open("a") as file:
        file.write(f"{os.getpid()} {name} {subject}\n")


def _was_stopped(log: str) -> bool:
    return any(line.split()[1] == STOPPED for line in Path(log).read_text().splitlines())
