"""Tests that need what may not be there: they are skipped, and one line at the end says so."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest

_PREFIX = "for want of "
BROWSER, POSTGRES, FLITE, MOUNT = "a browser", "PostgreSQL", "flite", "the right to mount"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
#: Debian keeps the server's programs apart from the search path, by version.
_DEBIAN = Path("/usr/lib/postgresql")


def browser() -> str:
    """Return the path of a Chromium; skip the test where there is none."""
    found = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    return found or _skip(BROWSER)


def flite() -> str:
    """Return the path of flite, which speaks; skip the test where it is not."""
    return shutil.which("flite") or _skip(FLITE)


def postgres() -> Path:
    """Return the folder of the programs of the newest PostgreSQL server; skip the test where there is none."""
    found = [path.parent for path in _DEBIAN.glob("*/bin/initdb") if path.with_name("postgres").exists()]
    return max(found, key=lambda folder: int(folder.parent.name), default=None) or _skip(POSTGRES)


def mount(*arguments: str) -> None:
    """Mount something as the command `mount` does; skip the test where that is not allowed."""
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode:
        _skip(MOUNT)


def _skip(what: str) -> NoReturn:
    pytest.skip(_PREFIX + what)


def summary(reasons: Iterable[str]) -> str:
    """Return one line about tests that were skipped, from their reasons."""
    counts = Counter(reason.partition(_PREFIX)[2] for reason in reasons if _PREFIX in reason)
    if not counts:
        return f"Nothing was skipped for want of {BROWSER}, {POSTGRES}, {FLITE} or {MOUNT}."
    return "Skipped for want of " + ", ".join(f"{what}: {count}" for what, count in sorted(counts.items()))
