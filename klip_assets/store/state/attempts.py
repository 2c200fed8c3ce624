"""Attempts and how they ended, so that failing work is retried a bounded number of times.

A run can end in four ways. It succeeds: nothing is recorded. It fails because of its content: that content is not
retried until it changes or a person asks. It fails because of the machine (a full disk, a locked file): it is retried
a few times, with growing waits. Or its process dies (killed, out of memory, a decoder crash): it is retried, but
content on which three processes died is skipped.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from klip_assets.store.state.memory import Memory

#: Content on which this many processes died is skipped.
MAX_DEATHS = 3

#: Seconds to wait after the first, second, ... failure of the machine; after the last, only a person can retry.
WAITS_S = (300, 900, 3600, 4 * 3600, 12 * 3600)


@dataclass(frozen=True)
class Attempt:
    """The recorded attempts on a video or day.

    Attributes:
        version: Content that was tried.
        begun: Runs that began on it and have not ended.
        failures: Consecutive runs that failed because of the machine.
        failed_at: When the last of them failed, in seconds since 1970.
        permanent: Whether the content itself fails.
    """

    version: str = ""
    begun: int = 0
    failures: int = 0
    failed_at: float = 0.0
    permanent: bool = False

    @property
    def crash_looping(self) -> bool:
        """Whether this content is skipped because too many processes died on it."""
        return self.begun >= MAX_DEATHS

    def is_given_up(self, version: str) -> bool:
        """Return whether this content itself fails, or was removed by a person."""
        return self.permanent and self.version == version

    def allows(self, version: str, *, now: float | None = None) -> bool:
        """Return whether a version may be tried.

        Args:
            version: The current content.
            now: Seconds since 1970; if not given, waits are ignored (a person asked).
        """
        if version != self.version:
            return True
        if self.permanent or self.crash_looping:
            return False
        if now is None or self.failures == 0:
            return True
        return self.failures <= len(WAITS_S) and now >= self.failed_at + WAITS_S[self.failures - 1]


NEVER_TRIED = Attempt()


class Ending(Enum):
    """How a run on a video or day ended, unless its process died."""

    #: The video or day is complete.
    DONE = "done"
    #: The run did everything it was meant to do, but that was only a part.
    OPEN = "open"
    FAILED = "failed"


class Attempts(Memory):
    """The memory of attempts on videos, days and tweet files. Callers hold the lock of the video, days or ingest."""

    def all(self) -> dict[str, Attempt]:
        """Return all recorded attempts, by video, day or tweet file."""
        with self.reading() as db:
            rows = db.execute("SELECT subject, version, begun, failures, failed_at, permanent FROM attempts").fetchall()
        return {
            subject: Attempt(version, begun, failures, failed_at, bool(permanent))
            for subject, version, begun, failures, failed_at, permanent in rows
        }

    def begin(self, versions: Mapping[str, str]) -> None:
        """Record that a run begins: subject -> content. New content resets the counts."""
        with self.writing() as db:
            db.executemany(
                "INSERT INTO attempts (subject, version, begun) VALUES (?, ?, 1) ON CONFLICT (subject) DO UPDATE SET "
                "begun = CASE WHEN version = excluded.version THEN begun + 1 ELSE 1 END, "
                "failures = CASE WHEN version = excluded.version THEN failures ELSE 0 END, "
                "permanent = 0, version = excluded.version",
                list(versions.items()),
            )

    def end(self, endings: Mapping[str, Ending]) -> None:
        """Record how a run ended: subject -> ending. Completed work clears the record."""
        now = time.time()
        by = {ending: [subject for subject, found in endings.items() if found is ending] for ending in Ending}
        with self.writing() as db:
            db.executemany("UPDATE attempts SET begun = 0 WHERE subject = ?", [(subject,) for subject in endings])
            db.executemany(
                "UPDATE attempts SET failures = failures + 1, failed_at = ? WHERE subject = ? AND permanent = 0",
                [(now, subject) for subject in by[Ending.FAILED]],
            )
            db.executemany(
                "DELETE FROM attempts WHERE subject = ? AND permanent = 0", [(subject,) for subject in by[Ending.DONE]]
            )

    def forget(self, subject: str) -> None:
        """Forget the attempts on a subject."""
        with self.writing() as db:
            db.execute("DELETE FROM attempts WHERE subject = ?", (subject,))

    def give_up(self, subject: str, version: str) -> None:
        """Record that this content fails, so that it is not retried until it changes or a person asks."""
        with self.writing() as db:
            db.execute(
                "INSERT INTO attempts (subject, version, permanent) VALUES (?, ?, 1) ON CONFLICT (subject) "
                "DO UPDATE SET version = excluded.version, permanent = 1",
                (subject, version),
            )
