"""Tweets from delimited text: CSV, semicolons or tabs, with a header.

Put here: header, delimiter and rows of such files. Keep out: cutting text into records (`textfile`) and names
of columns (`tweets.columns`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from klip_assets.refused import Refused, RowRefused
from klip_assets.textfile import MAX_LINE_CHARS, BrokenRecord, bounded_lines, delimited_records, open_text
from klip_assets.tweets.columns import columns_of, holds_tweets
from klip_assets.tweets.rows import Row, row_of_fields
from klip_assets.tweets.values import shown

_DELIMITERS = (",", ";", "\t", "|")


def read_csv(path: Path, *, now: datetime) -> Iterator[Row | Refused]:
    """Read tweets from delimited text, streaming. Rows are counted as in a spreadsheet: the header is row 1."""
    with open_text(path) as stream:
        lines = (line for line in bounded_lines(stream, MAX_LINE_CHARS) if isinstance(line, str) and line.strip())
        header_line = next(lines, "")
    delimiter = max(_DELIMITERS, key=lambda d: len(columns_of(_names(header_line, d))))
    with open_text(path) as stream:
        records = (
            (number, record)
            for number, record in enumerate(delimited_records(stream, delimiter), start=1)
            if isinstance(record, BrokenRecord) or any(field and not field.isspace() for field in record)
        )
        _, header = next(records, (1, []))
        if isinstance(header, BrokenRecord) or not holds_tweets(columns_of(tuple(header))):
            found = header.reason if isinstance(header, BrokenRecord) else "columns: " + shown(", ".join(header))
            yield Refused("file", "no header with a column for the tweet's id (or url) and one for its text", found)
            return
        names = tuple(header)
        columns = columns_of(names)
        for number, record in records:
            try:
                yield _row(record, names, columns, now)
            except RowRefused as refusal:
                yield Refused(f"row {number}", refusal.reason, refusal.detail)


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return ()


def _row(record: list[str] | BrokenRecord, names: tuple[str, ...], columns: Mapping[str, str], now: datetime) -> Row:
    if isinstance(record, BrokenRecord):
        raise RowRefused(record.reason)
    if any(field.strip() for field in record[len(names) :]):
        raise RowRefused("more fields than columns", f"{len(record)} fields, {len(names)} columns")
    # A row that ends early lacks its last columns; what they hold is not known.
    fields = dict(zip(names, record, strict=False))
    return row_of_fields(fields, columns, now=now)
