"""Running Klip's Dagster jobs in this process, with progress for people."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

import dagster as dg

from klip_assets.defs.build import build_defs
from klip_assets.defs.tags import FORCE_TAG, PROCESS_TAG, RANGE_END_TAG, RANGE_START_TAG, REUSE_TAG
from klip_assets.store.processes import this_process
from klip_assets.work.progress import Progress


@dataclass(frozen=True)
class Outcome:
    """How a run went.

    Attributes:
        ok: Whether it succeeded.
        run_id: Its id in Dagster.
        problems: What went wrong, one sentence each.
    """

    ok: bool
    run_id: str
    problems: list[str] = field(default_factory=list)


class RunProgress(Progress, Protocol):
    """Progress shown during a run: entered when the run begins, exited when it ends."""

    def __enter__(self) -> Self:
        """Show it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hide it."""


class Runner:
    """Runs jobs of Klip in this process.

    Args:
        instance: Where the runs are recorded.
        progress: Shows how far each run is; entered and exited with it.
        reuse: Reuse stages whose version and inputs have not changed; otherwise recompute every stage.
    """

    def __init__(self, instance: dg.DagsterInstance, progress: RunProgress, *, reuse: bool = True) -> None:
        self.instance = instance
        self.reuse = reuse
        self._progress = progress
        self._defs = build_defs(resources={"progress": progress})

    def run(
        self,
        job: str,
        *,
        partition: str | None = None,
        days: tuple[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        tables: Collection[str] | None = None,
    ) -> Outcome:
        """Run one job to its end.

        Args:
            job: Its name.
            partition: The video.
            days: First and last day, for jobs on tweets.
            config: Run configuration.
            tables: Only the assets of these tables; default: all assets of the job.
        """
        tags = {PROCESS_TAG: this_process(), (REUSE_TAG if self.reuse else FORCE_TAG): "true"}
        if days:
            tags |= {RANGE_START_TAG: days[0], RANGE_END_TAG: days[1]}
        with self._progress:
            result = self._defs.resolve_job_def(job).execute_in_process(
                instance=self.instance,
                partition_key=partition,
                tags=tags,
                asset_selection=[dg.AssetKey([name]) for name in tables] if tables else None,
                raise_on_error=False,
                run_config={**(config or {}), "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        checks = [
            evaluation
            for evaluation in result.get_asset_check_evaluations()
            if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR
        ]
        problems = [f"{check.check_name}: {check.description}" for check in checks]
        return Outcome(
            result.success,
            result.run_id,
            problems or ([] if result.success else _failures(result)),
        )


def _failures(result: dg.ExecuteInProcessResult) -> list[str]:
    found = []
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            failure = data.user_failure_data
            error = data.error
            cause = error.cause if error and error.cause else error
            text = failure.description if failure and failure.description else (cause.message if cause else "")
            found.append(f"{event.step_key}: {str(text).strip()}")
        elif event.event_type_value == "PIPELINE_FAILURE" and not found:
            error = getattr(event.job_failure_data, "error", None)
            found.append(error.message.strip() if error else (event.message or "the run failed"))
    return found or ["the run failed; its log is in the Dagster UI"]
