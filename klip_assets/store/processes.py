"""Identifying processes, and telling whether one is known to be gone.

A process is identified by its number, start time, boot and host: "4711:181522:1f2e3d4c:9a8b7c6d". A boot is one start
of one machine together with one PID namespace, of which each container has its own. A process of this boot is looked
up. A process of another boot with this host's name is gone: the machine was switched off, or the container restarted.
Nothing can be known about processes of other hosts. So hosts and containers that share a data folder need distinct host
names, and a container that should clean up after its predecessor needs the same name.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import socket
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import psutil


def this_process() -> str:
    """Return a unique name of this process: digits, lower-case letters and colons."""
    pid = os.getpid()
    return f"{pid}:{_start(pid) or ''}:{_boot()}:{_host()}"


def number_of(process: str) -> str:
    """Return the number (PID) in a process name, for messages."""
    return process.partition(":")[0]


def is_gone(process: str) -> bool:
    """Return whether a process is known to be gone. A zombie counts as gone.

    False for a process of another host and for an invalid name: their files must not be touched.

    Args:
        process: A name from `this_process`. Two older forms are understood, for processes of this host: number and
            start, and the number alone.
    """
    number, start, boot, host = (process.split(":") + [""] * 3)[:4]
    if not number.isdecimal():
        return False
    is_here = boot == _boot() if boot else host in ("", _host())
    if not is_here:
        return host == _host()
    found = _start(int(number))
    # In the older form, a start that is not a number means that it was unknown.
    return found is None or (start.isdecimal() and found not in ("", start))


def end_with_parent() -> Callable[[], object] | None:
    """Return a `preexec_fn` that ends a child process when this one is killed, None if the system has no such thing."""
    if sys.platform != "linux":
        return None
    prctl, set_parent_death_signal = ctypes.CDLL(None).prctl, 1

    def end_with_it() -> None:
        # Children inherit ignored signals from their parent.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        prctl(set_parent_death_signal, signal.SIGTERM)

    return end_with_it


def _start(pid: int) -> str | None:
    # None if no such process runs, '' if that can't be seen.
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if sys.platform != "linux":
            # The identity that psutil compares: unlike `create_time`, it does not depend on the clock.
            return str(hash(process) & 0xFFFF_FFFF_FFFF)
        while True:
            # Clock ticks from boot to start. The clock may be set meanwhile; the boot time psutil adds is subtracted.
            booted = psutil.boot_time()
            since_boot = psutil.Process(pid).create_time() - booted
            if psutil.boot_time() == booted:
                return str(round(since_boot * os.sysconf("SC_CLK_TCK")))
    except psutil.NoSuchProcess:
        return None
    except psutil.Error:
        return ""


@cache
def _boot() -> str:
    # '' on systems other than Linux, where starts differ from boot to boot.
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
        numbers = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return _digest(f"{boot} {numbers}")


@cache
def _host() -> str:
    return _digest(socket.gethostname())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
