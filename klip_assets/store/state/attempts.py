"""What was tried and how it ended, so that failing work is tried again neither never nor for ever.

A run can end in four ways. It succeeds: nothing is remembered. It fails on its content: nobody tries that content
again until it changes or a person names it. It fails on the machine (a full disk, a file that is locked): it is
tried again after a while, a few times. Or its process dies without a word (killed, out of memory, a decoder that
crashes): it is tried again, but a content on which three processes died is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from klip_assets.store.state.memory import Memory

#: Processes that may die on one content.
MAX_DEATHS = 3

#: Seconds to wait after the first, second, ... failure of the machine; after the last one, a person has to ask.
WAITS_S = (300, 900, 3600, 4 * 3600, 12 * 3600)


@dataclass(frozen=True)
class Attempt:
    """What is remembered of a video or day.

    Attributes:
        version: Content that was tried.
        begun: Runs that began on it and have not ended.
        failures: Runs that failed on the machine, one after the other.
        failed_at: When the last of them did, in seconds since 1970.
        permanent: Whether the content itself fails.
    """

    version: str = ""
    begun: int = 0
    failures: int = 0
    failed_at: float = 0.0
    permanent: bool = False

    @property
    def crash_looping(self) -> bool:
        """Whether so many processes died on this content that it is left alone."""
        return self.begun >= MAX_DEATHS

    def is_given_up(self, version: str) -> bool:
        """Say whether this content fails by itself, or was taken out by a person."""
        return self.permanent and self.version == version

    def allows(self, version: str, *, now: float | None = None) -> bool:
        """Say whether a version may be tried.

        Args:
            version: The present content.
            now: Seconds since 1970; left out, waiting times don't count (a person asked).
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
    """How a run on a video or day ended by itself."""

    #: It is whole now.
    DONE = "done"
    #: All that the run was to do is done; it was to do a part.
    OPEN = "open"
    FAILED = "failed"


class Attempts(Memory):
    """The memory of attempts. Callers hold the lock of the video or the days."""

    def all(self) -> dict[str, Attempt]:
        """Return everything remembered, by video or day."""
        with self.reading() as db:
            rows = db.execute("SELECT subject, version, begun, failures, failed_at, permanent FROM attempts").fetchall()
        return {
            subject: Attempt(version, begun, failures, failed_at, bool(permanent))
            for subject, version, begun, failures, failed_at, permanent in rows
        }

    def begin(self, versions: Mapping[str, str]) -> None:
        """Note that a run begins: subject -> content. Another content than before makes a new start."""
        with self.writing() as db:
            db.executemany(
                "INSERT INTO attempts (subject, version, begun) VALUES (?, ?, 1) ON CONFLICT (subject) DO UPDATE SET "
                "begun = CASE WHEN version = excluded.version THEN begun + 1 ELSE 1 END, "
                "failures = CASE WHEN version = excluded.version THEN failures ELSE 0 END, "
                "permanent = 0, version = excluded.version",
                list(versions.items()),
            )

    def end(self, endings: Mapping[str, Ending]) -> None:
        """Note how a run ended by itself: subject -> ending. Work that is done forgets what was before."""
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

    def give_up(self, subject: str, version: str) -> None:
        """Note that this content fails, so that nobody tries it again until it changes or a person asks."""
        with self.writing() as db:
            db.execute(
                "INSERT INTO attempts (subject, version, permanent) VALUES (?, ?, 1) ON CONFLICT (subject) "
                "DO UPDATE SET version = excluded.version, permanent = 1",
                (subject, version),
            )
