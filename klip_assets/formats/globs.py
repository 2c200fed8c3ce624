"""Paths where a program expects a pattern."""

from __future__ import annotations

import re
from pathlib import Path


def literally(path: Path) -> str:
    """Return a pattern of DuckDB that matches this path alone."""
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))
