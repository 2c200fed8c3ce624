"""Working without root's right to read everything, so that permissions hold as they do for other users."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

#: `_LINUX_CAPABILITY_VERSION_3`, see capget(2).
_VERSION = 0x20080522
_DAC_OVERRIDE, _DAC_READ_SEARCH = 1 << 1, 1 << 2


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextmanager
def bound_by_permissions() -> Iterator[None]:
    """Let this thread be refused what permissions refuse, also if it is root's."""
    found = (_Capabilities * 2)()
    _call("capget", found)
    before = found[0].effective
    found[0].effective = before & ~(_DAC_OVERRIDE | _DAC_READ_SEARCH)
    _call("capset", found)
    try:
        yield
    finally:
        found[0].effective = before
        _call("capset", found)


def _call(name: str, data: ctypes.Array[_Capabilities]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(ctypes.byref(_Header(_VERSION, 0)), data) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
