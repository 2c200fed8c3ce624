"""The registry of inbox files: video ids, known content, and tweet files whose content is in the lake."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from klip_assets.store.state.memory import Memory
from klip_assets.store.state.video_ids import video_id_for


@dataclass(frozen=True)
class Known:
    """The registry entry of a recording."""

    video_id: str
    path: PurePath
    signature: str
    fingerprint: str


class Registry(Memory):
    """The registry of one installation."""

    def known(self) -> dict[PurePath, Known]:
        """Return the entries of all recordings, by path relative to the inbox."""
        with self.reading() as db:
            rows = db.execute("SELECT path, video_id, signature, fingerprint FROM recordings").fetchall()
        return {(p := PurePath(os.fsdecode(path))): Known(video_id, p, *rest) for path, video_id, *rest in rows}

    def register(self, name: PurePath, signature: str, fingerprint: str) -> str:
        """Record the current state of a recording, assigning an id if it is new.

        Returns:
            The video id.
        """
        with self.writing() as db:
            row = db.execute("SELECT video_id FROM recordings WHERE path = ?", (os.fsencode(name),)).fetchone()
            taken = {video_id for (video_id,) in db.execute("SELECT video_id FROM recordings")}
            video_id = str(row[0]) if row else video_id_for(name, taken)
            db.execute(
                "INSERT INTO recordings (path, video_id, signature, fingerprint) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (path) DO UPDATE SET signature = excluded.signature, fingerprint = excluded.fingerprint",
                (os.fsencode(name), video_id, signature, fingerprint),
            )
        return video_id

    def path_of(self, video_id: str) -> PurePath | None:
        """Return the path of a video relative to the inbox, None if the id is unknown."""
        with self.reading() as db:
            row = db.execute("SELECT path FROM recordings WHERE video_id = ?", (video_id,)).fetchone()
        return PurePath(os.fsdecode(row[0])) if row else None

    def fingerprint_of(self, video_id: str) -> str:
        """Return the fingerprint of a video at the last inbox scan, '' if the id is unknown."""
        with self.reading() as db:
            row = db.execute("SELECT fingerprint FROM recordings WHERE video_id = ?", (video_id,)).fetchone()
        return str(row[0]) if row else ""

    def claim_content(self, sha256: str, video_id: str) -> str:
        """Record that a video has this content.

        Returns:
            The video that had it first: `video_id` itself, unless it is a duplicate.
        """
        with self.writing() as db:
            db.execute("DELETE FROM contents WHERE video_id = ? AND sha256 <> ?", (video_id, sha256))
            db.execute(
                "INSERT INTO contents (sha256, video_id) VALUES (?, ?) ON CONFLICT DO NOTHING", (sha256, video_id)
            )
            holder = db.execute("SELECT video_id FROM contents WHERE sha256 = ?", (sha256,)).fetchone()[0]
        return str(holder)

    def contents(self) -> dict[str, str]:
        """Return the video that has each known content, by the content's SHA-256."""
        with self.reading() as db:
            return dict(db.execute("SELECT sha256, video_id FROM contents").fetchall())

    def release_content(self, video_id: str) -> None:
        """Forget the content of a video, so that another file with the same content is no longer a duplicate."""
        with self.writing() as db:
            db.execute("DELETE FROM contents WHERE video_id = ?", (video_id,))

    def staged_files(self) -> dict[PurePath, tuple[str, str]]:
        """Return the tweet files whose content is in the lake: path -> (signature, sha256)."""
        with self.reading() as db:
            rows = db.execute("SELECT path, signature, sha256 FROM tweet_files").fetchall()
        return {PurePath(os.fsdecode(path)): (signature, sha256) for path, signature, sha256 in rows}

    def missing_files(self) -> set[PurePath]:
        """Return the staged tweet files that are gone, but whose tweets stay until a person says otherwise."""
        with self.reading() as db:
            rows = db.execute("SELECT path FROM missing_tweet_files").fetchall()
        return {PurePath(os.fsdecode(path)) for (path,) in rows}

    def record_missing(self, names: Iterable[PurePath]) -> None:
        """Record which staged tweet files are gone without counting as removed; replaces what was recorded before."""
        with self.writing() as db:
            db.execute("DELETE FROM missing_tweet_files")
            db.executemany(
                "INSERT INTO missing_tweet_files (path) VALUES (?)", [(os.fsencode(name),) for name in names]
            )

    def begin_staging(self, sha256: str) -> None:
        """Record that content is being staged: it counts as a leftover until `record_staged`."""
        with self.writing() as db:
            db.execute("INSERT OR IGNORE INTO leftovers (sha256) VALUES (?)", (sha256,))

    def record_staged(self, name: PurePath, signature: str, sha256: str) -> None:
        """Record that the content of a tweet file is in the lake; its previous content becomes a leftover."""
        with self.writing() as db:
            self._leave_over(db, name, sha256)
            db.execute(
                "INSERT OR REPLACE INTO tweet_files (path, signature, sha256) VALUES (?, ?, ?)",
                (os.fsencode(name), signature, sha256),
            )
            db.execute("DELETE FROM leftovers WHERE sha256 = ?", (sha256,))

    def forget_staged(self, name: PurePath) -> None:
        """Forget a tweet file; its content becomes a leftover."""
        with self.writing() as db:
            self._leave_over(db, name, "")
            db.execute("DELETE FROM tweet_files WHERE path = ?", (os.fsencode(name),))
            db.execute("DELETE FROM missing_tweet_files WHERE path = ?", (os.fsencode(name),))

    def leftovers(self) -> list[str]:
        """Return the hashes of content in the lake that is no longer in any tweet file."""
        with self.reading() as db:
            rows = db.execute("SELECT sha256 FROM leftovers WHERE sha256 NOT IN (SELECT sha256 FROM tweet_files)")
            return sorted(sha256 for (sha256,) in rows)

    def forget_leftover(self, sha256: str) -> None:
        """Record that a leftover was removed from the lake."""
        with self.writing() as db:
            db.execute("DELETE FROM leftovers WHERE sha256 = ?", (sha256,))

    @staticmethod
    def _leave_over(db: sqlite3.Connection, name: PurePath, sha256: str) -> None:
        db.execute(
            "INSERT OR IGNORE INTO leftovers (sha256) SELECT sha256 FROM tweet_files WHERE path = ? AND sha256 <> ?",
            (os.fsencode(name), sha256),
        )
