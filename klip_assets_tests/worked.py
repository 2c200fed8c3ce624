"""Working in a test as `klip process` does, without Dagster: the order of its steps, each a call of `work/`."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import uuid4

from klip_assets.contracts import Subject
from klip_assets.errors import KlipError
from klip_assets.settings import Settings
from klip_assets.work.due import day_ranges, dirty_days
from klip_assets.work.ingest import ingest, pending
from klip_assets.work.installation import Installation
from klip_assets.work.invariants import INVARIANTS
from klip_assets.work.publishing import publish_accepted, publish_due
from klip_assets.work.recorded_weights import record_weights
from klip_assets.work.scan import scan
from klip_assets.work.stages.catalogue import STAGES_OF, downstream
from klip_assets.work.stages.run import run_stage
from klip_assets.work.stages.stage import Run
from klip_assets.work.subject_run import check_whether, run_on


@dataclass
class Worked:
    """What became of each video, ingest, range of days and publish.

    Attributes:
        outcomes: What -> "done" or "failed".
        problems: What failed -> what went wrong.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether everything that was done succeeded."""
        return not self.problems

    def add(self, what: str, problems: Sequence[str] = ()) -> None:
        """Note how something went."""
        self.outcomes[what] = "failed" if problems else "done"
        if problems:
            self.problems[what] = "; ".join(problems)


def work(
    settings: Settings,
    *,
    videos: Collection[str] = (),
    days: Sequence[str] = (),
    force: bool = False,
    accept_removals: bool = False,
) -> Worked:
    """Do what is due, or what is named, and publish."""
    here, worked = Installation(settings), Worked()
    look = scan(here)
    named = bool(videos or days)
    for entry in [entry for entry in look.ready if entry.video_id in videos] if named else look.due.videos:
        worked.add(entry.video_id, run_stages(here, [entry.subject], force=force))
    if not named:
        found = pending(here)
        if found.is_any or (found.missing and accept_removals):
            with run_on(here, []):
                ingest(
                    here,
                    only=found.names,
                    accept_removals=accept_removals,
                    run_id=uuid4().hex,
                    log=logging.getLogger("klip"),
                )
            worked.add("tweet files")
        days = sorted(dirty_days(here.lake, here.attempts.all()))
    for first, last in day_ranges(days):
        length = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
        between = [(date.fromisoformat(first) + timedelta(days=n)).isoformat() for n in range(length)]
        worked.add(f"{first} to {last}", run_stages(here, [Subject.day(day) for day in between], force=force))
    if publish_due(here):
        record_weights(here, uuid4().hex)
        publish_accepted(here)
        worked.add("warehouse")
    return worked


def run_stages(
    here: Installation, subjects: Sequence[Subject], tables: Collection[str] | None = None, *, force: bool = False
) -> list[str]:
    """Run the stages of a video or of days as a run of Dagster does; what reads a stopped table is not made.

    Args:
        here: Where.
        subjects: One video, or any number of days.
        tables: Only these; None: all.
        force: Compute also what has not changed.

    Returns:
        What went wrong.
    """
    run, problems, stopped = Run(uuid4().hex, reuse=not force), [], set[str]()
    with run_on(here, subjects, tables) as whole:
        for spec in STAGES_OF[subjects[0].kind]:
            if (tables is not None and spec.name not in tables) or spec.name in downstream(stopped):
                continue
            wrong = []
            for subject in subjects:
                try:
                    run_stage(spec, subject, here, run)
                except (KlipError, OSError) as error:
                    wrong.append(f"{spec.name}: {error}")
                    continue
                whole.note_done(subject, spec.name)
                for rule in INVARIANTS:
                    if rule.table.name == spec.name:
                        wrong += check_whether(rule, subject, here)[0]
            if wrong:
                stopped.add(spec.name)
                problems += wrong
    return problems
