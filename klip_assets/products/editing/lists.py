"""Highlights as lists for other programs: CSV, subtitles, JSON, Markdown."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

from klip_assets.formats.screen import shown_json, without_controls
from klip_assets.products.editing.export import Export, Row
from klip_assets.products.editing.timecode import clock_ms

CSV_COLUMNS = ("rank", "start_s", "end_s", "start", "end", "score", "emotion", "sentiment", "why", "text")

#: What a spreadsheet takes for the begin of a formula, in either width.
_FORMULA = tuple("=+-@＝＋－＠")
_MARKDOWN = re.compile(r"([\\`*_|<>\[\]~])")


def as_csv(video: Row, highlights: Sequence[Row]) -> str:
    """Return highlights as CSV (RFC 4180), best first; unknown values are empty.

    A text that a spreadsheet would run as a formula begins with an apostrophe, as OWASP recommends for CSV injection.
    """
    text = io.StringIO()
    # The writer quotes fields that contain a character of its line terminator: with CR and LF, both are safe in a text.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for row in highlights:
        shown = {
            **row,
            "start": clock_ms(row["start_s"]),
            "end": clock_ms(row["end_s"]),
            "emotion": row["dominant_emotion"],
        }
        writer.writerow([_cell(shown[name]) for name in CSV_COLUMNS])
    return text.getvalue()


def as_srt(video: Row, highlights: Sequence[Row]) -> str:
    """Return highlights as SubRip subtitles, in time order: rank and why on one line, the text below."""
    cues = []
    for number, row in enumerate(sorted(highlights, key=lambda row: (row["start_s"], row["rank"])), start=1):
        times = f"{clock_ms(row['start_s'], ',')} --> {clock_ms(row['end_s'], ',')}"
        said = [f"{line}\n" for line in (_cue_line(row["text"]),) if line]
        cues.append(f"{number}\n{times}\n#{row['rank']} {_cue_line(row['why'])}\n{''.join(said)}")
    return "\n".join(cues)


def as_json(video: Row, highlights: Sequence[Row]) -> str:
    """Return highlights as a JSON array of objects with the columns of the table, best first."""
    return shown_json(json.dumps([dict(row) for row in highlights], ensure_ascii=False, indent=2)) + "\n"


def as_markdown(video: Row, highlights: Sequence[Row]) -> str:
    """Return highlights as a Markdown table, best first."""
    lines = ["| # | Start | End | Score | Emotion | Why | Said |", "| ---: | --- | --- | ---: | --- | --- | --- |"]
    for row in highlights:
        cells = [
            str(row["rank"]),
            clock_ms(row["start_s"]),
            clock_ms(row["end_s"]),
            f"{row['score']:.3f}",
            *(_MARKDOWN.sub(r"\\\1", _one_line(row[name])) for name in ("dominant_emotion", "why", "text")),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


CSV = Export("csv", "spreadsheet", as_csv)
SRT = Export("srt", "subtitles", as_srt)
JSON = Export("json", "JSON", as_json)
MARKDOWN = Export("md", "Markdown", as_markdown)


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = without_controls(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


def _one_line(text: str | None) -> str:
    return " ".join(without_controls(text or "").split())


def _cue_line(text: str | None) -> str:
    # An arrow inside a cue would be read as its times.
    return _one_line(text).replace("-->", "->")
