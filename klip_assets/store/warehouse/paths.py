"""Folders of any name for DuckDB, to which `*`, `?` and `[` in a path are more than letters."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def writable(database: Path) -> Iterator[Path]:
    """Yield where DuckDB can write a database file; it lies in its own place afterwards.

    DuckDB puts the suffix of its log before a question mark, as if the path were a URL with a query: where a folder's
    name has one, the file is written in a temporary folder.
    """
    if "?" not in str(database):
        yield database
        return
    with TemporaryDirectory(prefix="klip-") as folder:
        elsewhere = Path(folder, "klip.duckdb")
        if database.exists():
            shutil.copyfile(database, elsewhere)
        yield elsewhere
        shutil.copyfile(elsewhere, database)
