"""What Klip remembers about the inbox: ids, content it has seen, and what failed.

One SQLite file (`state/inbox.sqlite`), written by the sensors, by runs and by the command line at once; every change
is one transaction.

Put here: the memory. Keep out: reading the inbox (`inbox.recordings`) and deciding what to run (`inbox.changes`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from klip_assets.inbox.slugs import video_id_for

_SCHEMA = """
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
CREATE TABLE IF NOT EXISTS poison (
    video_id TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL          -- content that failed and would fail again
);
CREATE TABLE IF NOT EXISTS tweet_files (
    path BLOB PRIMARY KEY,
    signature TEXT NOT NULL,
    sha256 TEXT NOT NULL               -- content that is staged in the lake
);
"""


@dataclass(frozen=True)
class Known:
    """What is remembered of a recording."""

    video_id: str
    path: PurePath
    signature: str
    fingerprint: str


class Registry:
    """The memory of one installation.

    Args:
        path: The SQLite file; made with its folder when first used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=30, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_SCHEMA)
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def known(self) -> dict[PurePath, Known]:
        """Return everything remembered of recordings, by path relative to the inbox."""
        with self._open() as db:
            rows = db.execute("SELECT path, video_id, signature, fingerprint FROM recordings").fetchall()
        return {(p := PurePath(os.fsdecode(path))): Known(video_id, p, *rest) for path, video_id, *rest in rows}

    def register(self, name: PurePath, signature: str, fingerprint: str) -> str:
        """Remember the present state of a recording, giving it an id if it is new.

        Returns:
            The video id.
        """
        with self._open() as db:
            row = db.execute("SELECT video_id FROM recordings WHERE path = ?", (os.fsencode(name),)).fetchone()
            taken = {video_id for (video_id,) in db.execute("SELECT video_id FROM recordings")}
            video_id = str(row[0]) if row else video_id_for(name, taken)
            db.execute(
                "INSERT INTO recordings VALUES (?, ?, ?, ?) ON CONFLICT (path) DO UPDATE "
                "SET signature = excluded.signature, fingerprint = excluded.fingerprint",
                (os.fsencode(name), video_id, signature, fingerprint),
            )
        return video_id

    def path_of(self, video_id: str) -> PurePath | None:
        """Return the path of a video relative to the inbox, None if the id is unknown."""
        with self._open() as db:
            row = db.execute("SELECT path FROM recordings WHERE video_id = ?", (video_id,)).fetchone()
        return PurePath(os.fsdecode(row[0])) if row else None

    def claim_content(self, sha256: str, video_id: str) -> str:
        """Say that a video holds this content.

        Returns:
            The video that held it first: `video_id` itself, unless it is a duplicate.
        """
        with self._open() as db:
            db.execute("DELETE FROM contents WHERE video_id = ? AND sha256 <> ?", (video_id, sha256))
            db.execute("INSERT INTO contents VALUES (?, ?) ON CONFLICT DO NOTHING", (sha256, video_id))
            holder = db.execute("SELECT video_id FROM contents WHERE sha256 = ?", (sha256,)).fetchone()[0]
        return str(holder)

    def release_content(self, video_id: str) -> None:
        """Forget what a video holds, so that another file with the same content is no duplicate any more."""
        with self._open() as db:
            db.execute("DELETE FROM contents WHERE video_id = ?", (video_id,))

    def record_poison(self, video_id: str, fingerprint: str) -> None:
        """Remember that this content fails, so that nobody tries it again until it changes or a person asks."""
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO poison VALUES (?, ?)", (video_id, fingerprint))

    def poison(self) -> dict[str, str]:
        """Return the content that fails, by video."""
        with self._open() as db:
            return dict(db.execute("SELECT video_id, fingerprint FROM poison").fetchall())

    def staged_files(self) -> dict[PurePath, tuple[str, str]]:
        """Return the tweet files whose content is in the lake: path -> (signature, sha256)."""
        with self._open() as db:
            rows = db.execute("SELECT path, signature, sha256 FROM tweet_files").fetchall()
        return {PurePath(os.fsdecode(path)): (signature, sha256) for path, signature, sha256 in rows}

    def record_staged(self, name: PurePath, signature: str, sha256: str) -> None:
        """Remember that the content of a tweet file is in the lake."""
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO tweet_files VALUES (?, ?, ?)", (os.fsencode(name), signature, sha256))

    def forget_staged(self, name: PurePath) -> None:
        """Forget a tweet file."""
        with self._open() as db:
            db.execute("DELETE FROM tweet_files WHERE path = ?", (os.fsencode(name),))
