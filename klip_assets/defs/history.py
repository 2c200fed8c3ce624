"""What Dagster keeps of runs that are over: their events, logs and files, and the ticks of sensors and schedules.

Dagster deletes the rows of a run, but not its files: each run has a SQLite file of its own, and a folder with the
output of its steps. What is shown of assets comes from the rows, and goes with them, here as in Dagster: an asset stays
materialized, its partitions do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time

import dagster as dg
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.event_log import SqliteEventLogStorage

from klip_assets.defs.instance import dagster_instance, fail_runs_of_dead_processes
from klip_assets.defs.tags import FINISHED_RUNS, UNFINISHED_RUNS
from klip_assets.failpoints import fail_point
from klip_assets.settings import Settings
from klip_assets.store.locks import is_held, service_lock
from klip_assets.work.leftovers import Freed, bytes_of, compacted, free
from klip_assets.work.sizes import LOGS, RUN_HISTORY, is_run_id, walk

#: Files of runs that Dagster does not know any more are in use for as long as a run may last: `max_runtime_seconds`.
_LONGEST_RUN = timedelta(hours=48)

TICKS = "ticks"

#: Ticks that are over. Dagster itself only ever deletes those of sensors that found nothing to do.
_OVER = [TickStatus.SUCCESS, TickStatus.FAILURE, TickStatus.SKIPPED]

#: Runs asked for at once.
_PAGE = 100


class History:
    """The history of one installation, while its instance is open.

    Args:
        instance: The instance.
        settings: The installation.
        dry_run: Only say what would be deleted.
    """

    def __init__(self, instance: dg.DagsterInstance, settings: Settings, *, dry_run: bool = False) -> None:
        self._instance, self._settings, self._dry_run = instance, settings, dry_run
        self._folder = settings.dagster_storage_dir
        events = instance.event_log_storage
        #: Where each run has its own SQLite file; None: nowhere, its events are rows among others.
        self._shards = Path(events.path_for_shard("_")).parent if isinstance(events, SqliteEventLogStorage) else None

    def delete_finished(self, before: datetime) -> Iterator[Freed]:
        """Delete the runs that are over and were created before a time, with all that belongs to them."""
        filters = dg.RunsFilter(statuses=FINISHED_RUNS, created_before=before)
        cursor = None
        while ids := self._instance.get_run_ids(filters, limit=_PAGE, cursor=cursor):
            for run_id in ids:
                yield free(LOGS, self._folders_of(run_id), dry_run=self._dry_run)
                yield self._delete(run_id)
            cursor = ids[-1] if self._dry_run else None

    def delete_forgotten(self, older_than: timedelta) -> Iterator[Freed]:
        """Delete the files of runs that Dagster does not know (any more) and nothing has written to for a while."""
        # The files first: a run that begins now is recorded before it has any.
        shards = {path.name.partition(".")[0] for path in self._shards.glob("*.db*")} if self._shards else set()
        folders = {path.name for where in self._places() if where.is_dir() for path in where.iterdir()}
        found = set(filter(is_run_id, shards | folders))
        known = set(self._instance.get_run_ids()) if found else set()
        until = time() - max(older_than, _LONGEST_RUN).total_seconds()
        for run_id in sorted(found - known):
            if self._shards is None and self._is_kept_for_sqlite(run_id):
                continue
            logs, shard = self._folders_of(run_id), self._files_of(run_id)
            if _written(logs + shard) < until:
                yield free(LOGS, logs, dry_run=self._dry_run)
                yield _as_files(free(RUN_HISTORY, shard, dry_run=self._dry_run))

    def delete_ticks(self, before: datetime) -> int:
        """Delete the ticks before a time that are over; the last one of each sensor and schedule stays.

        From its last tick a schedule knows which ones it missed.

        Returns:
            Number of ticks.
        """
        deleted = 0
        for state in self._instance.all_instigator_state():
            mine = (state.instigator_origin_id, state.selector_id)
            for last in self._instance.get_ticks(*mine, limit=1):
                until = min(before.timestamp(), last.timestamp)
                deleted += len(self._instance.get_ticks(*mine, before=until, statuses=_OVER))
                if not self._dry_run:
                    self._instance.purge_ticks(*mine, before=until, tick_statuses=_OVER)
        return deleted

    def compact(self) -> Iterator[Freed]:
        """Make Dagster's SQLite files as small as what is still in them."""
        if self._shards != self._folder / "history" / "runs":
            return
        busy = is_held(service_lock(self._settings.state_dir)) or self._is_running()
        for name in ("history/runs/index.db", "history/runs.db", "schedules/schedules.db"):
            yield _as_files(compacted(self._folder / name, RUN_HISTORY, busy=busy, dry_run=self._dry_run))

    def _delete(self, run_id: str) -> Freed:
        size = bytes_of(self._files_of(run_id))
        if not self._dry_run:
            # What a kill leaves is found again by the row of the run, which goes last. In the file of the run Dagster
            # deletes rows; where the file is gone already, it makes a new one.
            self._instance.event_log_storage.delete_events(run_id)
            fail_point("prune.events", run_id)
            free(RUN_HISTORY, self._files_of(run_id))
            self._instance.run_storage.delete_run(run_id)
            fail_point("prune.run", run_id)
        return Freed(RUN_HISTORY, size, 1)

    def _is_running(self) -> bool:
        return bool(self._instance.get_runs_count(dg.RunsFilter(statuses=UNFINISHED_RUNS)))

    def _places(self) -> tuple[Path, Path]:
        # Output of steps, and what `LocalArtifactStorage` keeps.
        return self._folder, self._folder / "storage"

    def _folders_of(self, run_id: str) -> list[Path]:
        return [place / run_id for place in self._places()]

    def _files_of(self, run_id: str) -> list[Path]:
        if self._shards is None:
            return []
        # The file itself last: by its name the others are found again.
        return [self._shards / f"{run_id}.db{suffix}" for suffix in ("-wal", "-shm", "-journal", "")]

    def _is_kept_for_sqlite(self, run_id: str) -> bool:
        # From before a move to PostgreSQL: unsetting two variables brings that history back.
        return (self._folder / "history" / "runs" / f"{run_id}.db").exists()


def prune_history(settings: Settings, *, older_than: timedelta, dry_run: bool = False) -> Iterator[Freed]:
    """Delete what Dagster keeps of runs that are over.

    Args:
        settings: The installation.
        older_than: Minimum age of a run since its creation, and of a tick.
        dry_run: Only say what would be deleted.

    Yields:
        What was deleted; the count of run history is that of runs.
    """
    before = datetime.now(UTC) - older_than
    with dagster_instance(settings) as instance:
        if not dry_run:
            fail_runs_of_dead_processes(instance)
        history = History(instance, settings, dry_run=dry_run)
        yield from history.delete_finished(before)
        yield from history.delete_forgotten(older_than)
        yield Freed(TICKS, count=history.delete_ticks(before))
        yield from history.compact()


def _as_files(freed: Freed) -> Freed:
    # Only what was a run counts as one.
    return Freed(freed.kind, freed.bytes, 0, freed.left)


def _written(paths: list[Path]) -> float:
    """Return when any of these, or what is below them, was last written to."""
    found = 0.0
    for path in paths:
        for entry in (path, *(Path(below.path) for below in walk(path))):
            try:
                found = max(found, entry.stat().st_mtime)
            except OSError:
                continue
    return found
