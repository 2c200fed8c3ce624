"""Showing tables: with rich for people, as a JSON array of objects for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

Row = Mapping[str, Any]

#: Standard output is for results, which a program may read; notes for people go to standard error.
#: Piped output is 140 columns wide rather than rich's default of 80.
console = Console(width=None if sys.stdout.isatty() else 140)
notes = Console(stderr=True, width=None if sys.stderr.isatty() else 140)

#: Columns that may wrap; the others never do.
_LONG = {"text", "title", "detail", "fix", "error", "top hashtags", "why", "to", "description", "reason"}

json_option = click.option("--json", "as_json", is_flag=True, help="Print a JSON array of objects.")


def show_rows(rows: Sequence[Row], *, as_json: bool, title: str | None = None, empty: str = "no rows") -> None:
    """Print rows as a table or as JSON.

    Args:
        rows: The rows; all have the same columns.
        as_json: JSON instead of a table.
        title: Line above the table.
        empty: Printed instead of an empty table.
    """
    if as_json:
        click.echo(json.dumps([dict(row) for row in rows], default=_plain, ensure_ascii=False, indent=2))
        return
    if not rows:
        console.print(f"[dim]{escape(empty)}[/dim]")
        return
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold", pad_edge=False, box=None)
    for name, value in rows[0].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        table.add_column(name, justify="right" if number else "left", overflow="fold", no_wrap=name not in _LONG)
    for row in rows:
        table.add_row(*(escape(_shown(value)) for value in row.values()))
    console.print(table)


def clock(seconds: float | None) -> str:
    """Return seconds as h:mm:ss, '-' for None."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def duration(seconds: float) -> str:
    """Return a rough duration: "under a second", "about 40 s", "about 12 min", "about 3 h 20 min"."""
    if seconds < 1:
        return "under a second"
    if seconds < 60:
        return f"about {seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 60 else f"about {minutes // 60} h {minutes % 60} min"


def counted(number: int, what: str) -> str:
    """Return a count with its noun: "1 video", "3 videos"."""
    return f"{number} {what}" if number == 1 else f"{number:,} {what}s"


def shortened(text: str | None, length: int) -> str:
    """Return text on one line, truncated to a length; '-' if there is none."""
    line = " ".join((text or "").split())
    return (line if len(line) <= length else line[: length - 1].rstrip() + "…") or "-"


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple):
        return ", ".join(_shown(item) for item in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(item)}" for name, item in value.items())
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)
