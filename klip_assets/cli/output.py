"""Showing tables and sentences: with rich for people, as a JSON array of objects for programs.

All that a command writes goes through here: texts of strangers can't steer the terminal, and nothing is read as markup.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from klip_assets.formats.screen import shown, shown_json

Row = Mapping[str, Any]

#: A text, or a text with its style ("bold", "red").
Part = str | tuple[str, str]

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
        text = json.dumps([_in_json(dict(row)) for row in rows], ensure_ascii=False, indent=2, allow_nan=False)
        click.echo(shown_json(text))
        return
    if not rows:
        say((empty, "dim"))
        return
    heading = None if title is None else Text(shown(title))
    table = Table(
        title=heading, title_justify="left", title_style="bold", header_style="bold", pad_edge=False, box=None
    )
    for name, value in rows[0].items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        heading = Text(shown(name))
        table.add_column(heading, justify="right" if number else "left", overflow="fold", no_wrap=name not in _LONG)
    for row in rows:
        table.add_row(*(Text(shown(_shown(value), lines=True)) for value in row.values()))
    console.print(table)


def say(*parts: Part, to: Console = console, wrap: bool = True) -> None:
    """Print a sentence.

    Args:
        parts: Its texts, in order; control characters in them are shown as escapes.
        to: Where.
        wrap: Wrap at the width of the terminal; False for paths and the like, to be copied.
    """
    styled = [(part, "") if isinstance(part, str) else part for part in parts]
    line = Text.assemble(*((shown(text, lines=True), style) for text, style in styled))
    to.print(line, soft_wrap=not wrap)


def note(*parts: Part, wrap: bool = True) -> None:
    """Print a sentence for people to standard error; see `say`."""
    say(*parts, to=notes, wrap=wrap)


def write_text(text: str) -> None:
    """Write a text for another program to standard output as it is; it must not hold control characters."""
    click.echo(text, nl=False)


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


def _in_json(value: Any) -> Any:
    """Return a value as RFC 8259 has it: numbers as numbers, null for NaN and infinity, text for all that is neither.

    Sums of integers come from DuckDB as DECIMAL (they are HUGEINT), at any depth of lists and structs.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        if not value.is_finite():
            return None
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {_key(name): _in_json(found) for name, found in value.items()}
    if isinstance(value, list | tuple):
        return [_in_json(item) for item in value]
    return _key(value)


def _key(value: Any) -> str:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return str(value)
