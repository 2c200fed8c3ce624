"""The frame of a run on a video or on days: their lock, the recorded attempt, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from klip_assets.contracts import Subject
from klip_assets.store.locks import hold, subject_lock
from klip_assets.store.state.attempts import Ending
from klip_assets.work.acceptance import is_complete
from klip_assets.work.installation import Installation
from klip_assets.work.invariants import Found, Invariant
from klip_assets.work.stages.catalogue import STAGES_OF


@dataclass
class SubjectRun:
    """A run on one video, or on some days.

    Attributes:
        installation: The installation.
        subjects: The video or the days.
        tables: Which of their tables to build.
    """

    installation: Installation
    subjects: Sequence[Subject]
    tables: Collection[str]
    _done: set[tuple[Subject, str]] = field(default_factory=set)

    def note_done(self, subject: Subject, table: str) -> None:
        """Note that a stage is done."""
        self._done.add((subject, table))

    def ending(self, subject: Subject) -> Ending:
        """Return how the run ended for a video or day."""
        # Not "a stage of this run failed": a run that ends between stages has not done its work either.
        if any((subject, table) not in self._done for table in self.tables):
            return Ending.FAILED
        return Ending.OPEN if is_complete(self.installation.lake, subject) else Ending.DONE


@contextmanager
def run_on(
    installation: Installation,
    subjects: Sequence[Subject],
    tables: Collection[str] | None = None,
    *,
    on_wait: Callable[[str], None] | None = None,
) -> Iterator[SubjectRun]:
    """Hold the lock of a video, or of all days, from the first stage to the last, and record the attempt.

    Args:
        installation: The installation.
        subjects: One video, or any number of days; empty: tweet files, from which days are made.
        tables: The tables to make; None: all tables of such a subject.
        on_wait: Called with a message that names the holder of the lock, if there is a wait.

    Raises:
        LockHeldError: Another process did not finish in time; the message names it.
    """
    first = subjects[0] if subjects else Subject.day("")
    names = {spec.name for spec in STAGES_OF[first.kind]}
    run = SubjectRun(installation, subjects, names if tables is None else names & set(tables))
    with hold(
        subject_lock(installation.lake.root, first),
        what="the tweet data" if first.is_day else str(first),
        timeout_s=installation.settings.lock_timeout_s,
        on_wait=on_wait,
    ):
        contents = {subject.key: installation.content_of(subject) for subject in subjects}
        tried = installation.attempts.all()
        given_up = {key for key, content in contents.items() if key in tried and tried[key].is_given_up(content)}
        if contents:
            installation.attempts.begin(contents)
        try:
            yield run
        finally:
            for subject in _end(run):
                if subject.key in given_up:
                    # A part that succeeded must not cause the rest to be retried: the video may have been removed.
                    installation.attempts.give_up(subject.key, contents[subject.key])


def check_whether(rule: Invariant, subject: Subject, installation: Installation) -> Found:
    """Check whether a rule holds for a video; if not, its content is not retried automatically."""
    problems, warnings = rule.find(installation.lake, subject.key)
    if problems:
        installation.attempts.give_up(subject.key, installation.content_of(subject))
    return problems, warnings


def _end(run: SubjectRun) -> list[Subject]:
    """Record how a run ended, and return the videos or days that it did only in part."""
    endings = {subject: run.ending(subject) for subject in run.subjects}
    if endings:
        run.installation.attempts.end({subject.key: ending for subject, ending in endings.items()})
    for subject, ending in endings.items():
        if ending is Ending.DONE and not subject.is_day:
            # A run that was killed after it wrote the transcript could not remove it.
            run.installation.settings.chunk_log(subject.key).unlink(missing_ok=True)
    return [subject for subject, ending in endings.items() if ending is Ending.OPEN]
