"""Rows of a file of any size, spilled to disk by day and read back one day at a time.

Rows that do not fit in memory go to Arrow files in a scratch folder, one record batch per day; memory holds one chunk
of rows, one day, and the location of each batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from klip_assets.contracts import TWEETS_RAW
from klip_assets.failpoints import fail_point

#: Rows, or bytes, held in memory before they are spilled.
MAX_ROWS = 100_000
MAX_BYTES = 96 << 20

_EPOCH = date(1970, 1, 1)


class Spill:
    """Rows by day.

    Args:
        folder: Folder for the files; it must exist, and be used by nothing else.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: list[pa.Table] = []
        self._rows = self._bytes = 0
        self._files: list[Path] = []
        #: Day (as days since 1970) -> its batches: number of the file, and of the batch in it.
        self._batches: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._held: dict[int, pa.Table] = {}

    def add(self, rows: pa.Table) -> None:
        """Add rows of TWEETS_RAW, of any days."""
        self._waiting.append(rows)
        self._rows += rows.num_rows
        self._bytes += rows.nbytes
        if self._rows >= MAX_ROWS or self._bytes >= MAX_BYTES:
            self._store()

    def close(self) -> None:
        """Finish adding. Rows that are waiting stay in memory if nothing has been spilled so far."""
        if self._files:
            self._store()
        elif self._waiting:
            self._held = dict(_by_day(pa.concat_tables(self._waiting)))
            self._waiting = []

    def days(self) -> list[date]:
        """Return the days that have rows, in order; call `close` first."""
        return [_EPOCH + timedelta(days=day) for day in sorted({*self._batches, *self._held})]

    def rows(self, day: date, columns: list[str] | None = None) -> pa.Table:
        """Read the rows of a day in the order they were added."""
        number = (day - _EPOCH).days
        if number in self._held:
            return self._held[number] if columns is None else self._held[number].select(columns)
        schema = TWEETS_RAW.schema
        included = [schema.get_field_index(name) for name in columns or schema.names]
        options = pa.ipc.IpcReadOptions(included_fields=included)
        batches = []
        for file, batch in self._batches.get(number, ()):
            with pa.OSFile(str(self._files[file])) as source:
                batches.append(pa.ipc.open_file(source, options=options).get_batch(batch))
        return pa.Table.from_batches(batches, schema=pa.schema([schema.field(index) for index in included]))

    def _store(self) -> None:
        if not self._waiting:
            return
        rows = pa.concat_tables(self._waiting)
        self._waiting, self._rows, self._bytes = [], 0, 0
        path = self._folder / f"{len(self._files)}.arrow"
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, TWEETS_RAW.schema, options=options) as writer:
            for number, (day, part) in enumerate(_by_day(rows)):
                writer.write_batch(part.combine_chunks().to_batches()[0])
                self._batches[day].append((len(self._files), number))
        self._files.append(path)
        fail_point("spill.laid", path.name)


def _by_day(rows: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """Split a table by day (days since 1970), keeping the order of rows within each."""
    if rows.num_rows == 0:
        return
    days = rows["day"].cast(pa.int32()).to_numpy()
    order = np.argsort(days, kind="stable")
    sorted_rows = rows.take(pa.array(order)).combine_chunks()
    distinct, starts, lengths = np.unique(days[order], return_index=True, return_counts=True)
    for day, start, length in zip(distinct, starts, lengths, strict=True):
        yield int(day), sorted_rows.slice(int(start), int(length))
