"""Which process did something, and whether it is known to be gone.

A process is named by its number, its start, the boot and the host it belongs to: "4711:181522:1f2e3d4c:9a8b7c6d". Boot
means one start of one machine and one space of process numbers, of which each container has its own. A process of the
boot that asks is looked up. One of another boot that carries this host's name is gone: the machine was switched off,
or the container started again. Of other hosts nothing can be known. So hosts and containers that share a data folder
need host names of their own, and a container that is to find what its predecessor left needs the same name again.
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
    """Name this process so that no other is ever taken for it: digits, lower-case letters and colons."""
    pid = os.getpid()
    return f"{pid}:{_start(pid) or ''}:{_boot()}:{_host()}"


def number_of(process: str) -> str:
    """Return the number of a named process, for messages."""
    return process.partition(":")[0]


def is_gone(process: str) -> bool:
    """Say whether a process is known to be gone. One that died and was not collected (a zombie) is.

    False for a process of another host, and for what is not a name: what it left behind is not touched.

    Args:
        process: A name by `this_process`. Two older forms are understood, as processes of this host: number and start,
            and the number alone.
    """
    number, start, boot, host = (process.split(":") + [""] * 3)[:4]
    if not number.isdecimal():
        return False
    is_here = boot == _boot() if boot else host in ("", _host())
    if not is_here:
        return host == _host()
    found = _start(int(number))
    # In the older form, a start that is not a number means that it was not known.
    return found is None or (start.isdecimal() and found not in ("", start))


def end_with_parent() -> Callable[[], object] | None:
    """Return what a child is to call between fork and exec (`preexec_fn`) so that it ends when this process is killed.

    None where the system offers no such thing.
    """
    if sys.platform != "linux":
        return None
    prctl, set_parent_death_signal = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(set_parent_death_signal, signal.SIGTERM)


def _start(pid: int) -> str | None:
    # None if no such process runs, '' if that can't be seen.
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if sys.platform != "linux":
            # What psutil compares processes by: unlike `create_time`, no change of the clock changes it.
            return str(hash(process) & 0xFFFF_FFFF_FFFF)
        while True:
            # Clock ticks from boot to start. The clock may be set meanwhile; what psutil adds is taken off again.
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
    # '' elsewhere than on Linux: there, starts differ from boot to boot.
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
