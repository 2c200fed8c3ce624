"""The SQLite file in which Klip remembers things between runs: `state/inbox.sqlite`.

It is written by the sensors, by runs and by the command line at once; every change is one transaction, so that a
kill leaves it before or after the change.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from klip_assets.store.state.database import open_database, transaction

#: See `database` for what a migration may do.
MIGRATIONS = (
    """
CREATE TABLE IF NOT EXISTS recordings (
    path BLOB PRIMARY KEY,             -- relative to the inbox, as the file system has it
    video_id TEXT NOT NULL UNIQUE,
    signature TEXT NOT NULL DEFAULT '', -- sizes and times when the fingerprint was taken
    fingerprint TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS contents (
    sha256 TEXT PRIMARY KEY,
    video_id TEXT NOT NULL             -- the video that was there first
);
CREATE TABLE IF NOT EXISTS tweet_files (
    path BLOB PRIMARY KEY,
    signature TEXT NOT NULL,
    sha256 TEXT NOT NULL               -- content that is staged in the lake
);
CREATE TABLE IF NOT EXISTS leftovers (
    sha256 TEXT PRIMARY KEY            -- content that is staged in the lake and belongs to no file any more
);
CREATE TABLE IF NOT EXISTS attempts (
    subject TEXT PRIMARY KEY,          -- video id or day
    version TEXT NOT NULL,             -- content that was tried
    begun INTEGER NOT NULL DEFAULT 0,  -- runs that began and have not ended: one is on, or its process died
    failures INTEGER NOT NULL DEFAULT 0,
    failed_at REAL NOT NULL DEFAULT 0, -- seconds since 1970
    permanent INTEGER NOT NULL DEFAULT 0
);
""",
)


class Memory:
    """One such file.

    Args:
        path: The SQLite file; made with its folder when first used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open it for reading; waits for nobody."""
        with self._connection() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open it for one transaction; what the block raises undoes it."""
        with self._connection() as connection, transaction(connection, point="memory", subject=self.path.name):
            yield connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(open_database(self.path, MIGRATIONS)) as connection:
            yield connection
