"""How the daemon starts runs, and how it learns that one died.

Dagster's own launcher leaves that to the code server that started the worker. If the code server dies too (the machine
was switched off, or ran out of memory), no one reports it: the run would stay "started" forever and keep its slot.
"""

from __future__ import annotations

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from klip_assets.defs.tags import WORKER_TAG
from klip_assets.store.processes import is_gone, number_of, this_process


class WatchedRunLauncher(dg.DefaultRunLauncher):
    """Dagster's default run launcher, plus a check for run monitoring whether the worker still exists."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Tell run monitoring that worker health can be checked."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Report whether the worker process of a run is known to be gone; workers on other hosts count as running."""
        run_id, _, process = run.tags.get(WORKER_TAG, "").partition(":")
        if run_id == run.run_id and is_gone(process):
            message = f"the process {number_of(process)} that ran it is gone"
            return CheckRunHealthResult(WorkerStatus.FAILED, message)
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def worker_tag(run_id: str) -> dict[str, str]:
    """Return the tag that marks this process as the worker of a run."""
    return {WORKER_TAG: f"{run_id}:{this_process()}"}
