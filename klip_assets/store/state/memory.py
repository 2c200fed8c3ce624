"""The SQLite file of inbox registry and attempts: `state/inbox.sqlite`.

Sensors, runs and the command line write to it concurrently; every change is one transaction, so that a kill leaves it
either before or after the change.
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
    """
CREATE TABLE IF NOT EXISTS missing_tweet_files (
    path BLOB PRIMARY KEY              -- staged, and gone with all others: a person has to say that it was removed
);
""",
)


class Memory:
    """One such file.

    Args:
        path: The SQLite file; created with its folder when first used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open it for reading; never waits."""
        with self._connection() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open it for one transaction; an error in the block rolls it back."""
        with self._connection() as connection, transaction(connection, point="memory", subject=self.path.name):
            yield connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(open_database(self.path, MIGRATIONS)) as connection:
            yield connection
