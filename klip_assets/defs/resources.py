"""The resource that assets and sensors need: the installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import dagster as dg
from dagster._core.storage.tags import GRPC_INFO_TAG
from pydantic import PrivateAttr

from klip_assets.contracts import Subject
from klip_assets.defs.jobs import INGEST_TWEETS
from klip_assets.defs.launcher import worker_tag
from klip_assets.defs.partitions import DAYS
from klip_assets.defs.tags import (
    BACKFILL_TAG,
    FORCE_TAG,
    PARTITION_TAG,
    RANGE_END_TAG,
    RANGE_START_TAG,
    REUSE_TAG,
)
from klip_assets.settings import Settings
from klip_assets.work import installation as work
from klip_assets.work.stages.stage import Run
from klip_assets.work.subject_run import SubjectRun, run_on


class Installation(dg.ConfigurableResource):
    """One Klip installation, with settings from the environment.

    A run on a video or on days of tweets holds their lock from its first step to its last, so that the daemon and the
    command line can't work on the same one at once.
    """

    _held: ExitStack = PrivateAttr(default_factory=ExitStack)
    _here: work.Installation | None = PrivateAttr(default=None)
    _run: SubjectRun | None = PrivateAttr(default=None)

    @property
    def here(self) -> work.Installation:
        """The installation: in a run, as it was when the run began; otherwise, as the environment says now."""
        return self._here or work.Installation(Settings())

    def run_of(self, context: dg.AssetExecutionContext) -> Run:
        """Return the run a stage belongs to: its id, log and progress, and whether it reuses unchanged stages."""
        tags = context.run.tags
        reuse = FORCE_TAG not in tags and (REUSE_TAG in tags or BACKFILL_TAG in tags)
        return Run(context.run.run_id, context.log, context.resources.progress, reuse)

    def note_done(self, subject: Subject, table: str) -> None:
        """Note that a stage of this run is done."""
        if self._run:
            self._run.note_done(subject, table)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Take the lock of the run's subjects, and record that work on them begins."""
        if context.run and context.instance and GRPC_INFO_TAG in context.run.tags:
            # For run monitoring, see `klip_assets.defs.launcher`.
            context.instance.add_run_tags(context.run.run_id, worker_tag(context.run.run_id))
        run = context.run
        tags = run.tags if run else {}
        self._here = work.Installation(Settings())
        subjects = _subjects_of(tags)
        if subjects or (run and run.job_name == INGEST_TWEETS):
            chosen = run.asset_selection if run else None
            tables = {key.path[-1] for key in chosen} if chosen else None
            notify = context.log.info if context.log else None
            self._run = self._held.enter_context(run_on(self._here, subjects, tables, on_wait=notify))

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Record how the work ended, and release the lock."""
        try:
            self._held.close()
        finally:
            self._run = self._here = None


def _subjects_of(tags: Mapping[str, str]) -> Sequence[Subject]:
    if RANGE_START_TAG in tags:
        days = DAYS.get_partition_keys_in_range(dg.PartitionKeyRange(tags[RANGE_START_TAG], tags[RANGE_END_TAG]))
        return [Subject.day(day) for day in days]
    key = tags.get(PARTITION_TAG)
    return [Subject.of(key)] if key else []
