"""Tweets from delimited text: CSV, semicolons, tabs or another delimiter, with a header or a map of columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

from klip_assets.formats.refused import Refused, RowRefused
from klip_assets.formats.text import MAX_LINE_CHARS, BrokenRecord, bounded_lines, delimited_records, open_text
from klip_assets.signals.tweets.clock import Clock
from klip_assets.signals.tweets.columns import NUMBERED, columns_of, holds_tweets
from klip_assets.signals.tweets.counts import COUNTS, Unread, decimal_signs, thousands_signs, three_decimals
from klip_assets.signals.tweets.rows import Row, row_of_fields
from klip_assets.signals.tweets.values import shown

_DELIMITERS = (",", ";", "\t", "|", "\x01", "^", "~", ":")
#: The line with which spreadsheets are told the delimiter: `sep=;`, in quotes or not, filled up with delimiters or not.
_SEPARATOR = re.compile(r"""["']?sep ?= ?["']?(\\t|tab|[^\w\s"']|\t)["']?\1*["']?""", re.IGNORECASE)
_TAB = re.compile(r"\\t|tab", re.IGNORECASE)
_PROBED_LINES = 10
#: Rows that show how a column of counts is written.
_COMPARED_ROWS = 200


def read_csv(
    path: Path, *, clock: Clock, mapped: Mapping[str, str] | None = None, unread: Unread | None = None
) -> Iterator[Row | Refused]:
    """Read tweets from delimited text, streaming. Rows are numbered as in a spreadsheet: the header is row 1.

    Args:
        path: The file.
        clock: Determines each tweet's time.
        mapped: Column names given by the user, see `columns_of`; if by number, the file has no header.
        unread: Notes the counts that are there, but can't be read.
    """
    pairs = frozenset(mapped.items()) if mapped else frozenset()
    numbered = bool(mapped) and all(NUMBERED.fullmatch(name) for name in mapped.values())  # type: ignore[union-attr]
    with open_text(path) as stream:
        lines = (line for line in bounded_lines(stream, MAX_LINE_CHARS) if isinstance(line, str) and line.strip())
        probed = list(islice(lines, _PROBED_LINES if numbered else 2))
    declared = _SEPARATOR.fullmatch(probed[0].strip(" \r\n\ufeff")) if probed else None
    delimiters: tuple[str, ...] = _DELIMITERS
    if declared:
        del probed[0]
        # The one it names comes first, if the header does not show another.
        delimiters = (_TAB.sub("\t", declared[1]), *_DELIMITERS)
    if numbered:
        delimiter = max(delimiters, key=lambda d: min((len(_names(line, d)) for line in probed), default=0))
    else:
        delimiter = max(delimiters, key=lambda d: len(columns_of(_names("".join(probed[:1]), d), pairs)))
    # Tab-separated text is often written without quoting: quotes are then part of the text.
    bare_width = len(_names(probed[0], delimiter)) if probed and delimiter == "\t" else None
    with open_text(path) as stream:
        records = (
            (number, record)
            for number, record in enumerate(delimited_records(stream, delimiter, bare_width=bare_width), start=1)
            if isinstance(record, BrokenRecord) or any(field and not field.isspace() for field in record)
        )
        if declared:
            next(records, None)
        if numbered:
            widest = max(int(name[1:]) for _, name in pairs)
            width = len(_names(probed[0], delimiter)) if probed else 0
            names = tuple(f"#{number}" for number in range(1, max(widest, width) + 1))
        else:
            _, header = next(records, (1, []))
            names = () if isinstance(header, BrokenRecord) else tuple(header)
            if not holds_tweets(columns_of(names, pairs)):
                found = header.reason if isinstance(header, BrokenRecord) else "columns: " + shown(", ".join(header))
                yield Refused("file", "no header with a column for the tweet's id (or url) and one for its text", found)
                return
        columns = columns_of(names, pairs)
        first = list(islice(records, _COMPARED_ROWS))
        decimals = _decimals((record for _, record in first), names, columns)
        for number, record in chain(first, records):
            try:
                fields = _fields(record, names)
                yield row_of_fields(fields, columns, clock=clock, unread=unread, decimals=decimals)
            except RowRefused as refusal:
                yield Refused(f"row {number}", refusal.reason, refusal.detail)


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        return tuple(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return ()


def _fields(record: list[str] | BrokenRecord, names: tuple[str, ...]) -> dict[str, object]:
    if isinstance(record, BrokenRecord):
        raise RowRefused(record.reason)
    if any(field.strip() for field in record[len(names) :]):
        raise RowRefused("more fields than columns", f"{len(record)} fields, {len(names)} columns")
    # A row that ends early lacks its last columns; their values are unknown.
    return dict(zip(names, record, strict=False))


def _decimals(
    records: Iterable[list[str] | BrokenRecord], names: tuple[str, ...], columns: Mapping[str, str]
) -> dict[str, str]:
    """Return the signs that separate decimals in each column of counts, as its first rows show."""
    rows = [record for record in records if not isinstance(record, BrokenRecord)]
    places = {name: names.index(columns[name]) for name in COUNTS if name in columns}
    written = {name: [row[at] for row in rows if len(row) > at] for name, at in places.items()}
    # Programs write all columns of a file with as many decimals; "1.234" is no whole number with three.
    shared = {sign for values in written.values() for sign in three_decimals(values)}
    return {
        name: "".join(sorted({*decimal_signs(values), *(shared - set(thousands_signs(values)))}))
        for name, values in written.items()
    }
