"""How the daemon starts runs, and how it learns that one died.

Dagster's own launcher leaves that to the code server that started the worker. Where the code server dies too (the
machine was switched off, or short of memory), nobody would tell: the run would seem to be on for ever, in its slot.
"""

from __future__ import annotations

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from klip_assets.defs.tags import WORKER_TAG
from klip_assets.store.processes import is_alive, this_process


class WatchedRunLauncher(dg.DefaultRunLauncher):
    """Starts runs as Dagster does by default, and lets run monitoring see whether the worker still exists."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Tell run monitoring to ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Say whether the process that works on a run is there."""
        run_id, _, process = run.tags.get(WORKER_TAG, "").partition(":")
        if run_id == run.run_id and not is_alive(process):
            number = process.partition(":")[0]
            return CheckRunHealthResult(WorkerStatus.FAILED, f"the process {number} that ran it is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def worker_tag(run_id: str) -> dict[str, str]:
    """Return the tag that names this process as the worker of a run."""
    return {WORKER_TAG: f"{run_id}:{this_process()}"}
