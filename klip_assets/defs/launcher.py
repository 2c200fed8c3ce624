"""How the daemon starts runs, and how it learns that one died.

Dagster's own launcher leaves that to the code server that started the worker. Where the code server dies too (the
machine was switched off, or short of memory), nobody would tell: the run would seem to be on for ever, in its slot.
"""

from __future__ import annotations

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

from klip_assets.defs.tags import WORKER_TAG
from klip_assets.store.processes import is_gone, number_of, this_process


class WatchedRunLauncher(dg.DefaultRunLauncher):
    """Starts runs as Dagster does by default, and lets run monitoring see whether the worker still exists."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Tell run monitoring to ask."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Say whether the process that works on a run is known to be gone; of other hosts' workers nobody knows."""
        run_id, _, process = run.tags.get(WORKER_TAG, "").partition(":")
        if run_id == run.run_id and is_gone(process):
            message = f"the process {number_of(process)} that ran it is gone"
            return CheckRunHealthResult(WorkerStatus.FAILED, message)
        return CheckRunHealthResult(WorkerStatus.RUNNING)


def worker_tag(run_id: str) -> dict[str, str]:
    """Return the tag that names this process as the worker of a run."""
    return {WORKER_TAG: f"{run_id}:{this_process()}"}
