"""Running Klip's Dagster jobs in this process, with progress for people.

Put here: starting jobs and saying how they went. Keep out: choosing what to run (`process`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from klip_assets.cli.instance import PROCESS_TAG, process_tag
from klip_assets.cli.output import notes
from klip_assets.definitions import build_defs
from klip_assets.resources import RANGE_END_TAG, RANGE_START_TAG, REUSE_TAG
from klip_assets.work.progress import LogProgress, Pace


@dataclass(frozen=True)
class Outcome:
    """How a run went.

    Attributes:
        ok: Whether it succeeded.
        run_id: Its id in Dagster.
        problems: What went wrong, a sentence each.
        failed_checks: Names of blocking checks that did not pass.
    """

    ok: bool
    run_id: str
    problems: list[str] = field(default_factory=list)
    failed_checks: list[str] = field(default_factory=list)


class BarProgress:
    """Shows stages as bars on the terminal: what is being made, how far it is, how fast.

    Where there is no terminal, the long stages tell their progress in lines.
    """

    def __init__(self, bars: Progress, *, quiet: bool) -> None:
        self._bars = bars
        self._quiet = quiet
        self._task: TaskID | None = None

    def begin(self, subject: str, table: str) -> None:
        """Show what is being made now."""
        if self._task is None:
            self._task = self._bars.add_task("", total=None, pace="")
        self._bars.reset(self._task, total=None, description=f"{subject}: {table}", pace="")

    def reporter(
        self, subject: str, table: str, total: float | None, log: Callable[[str], Any]
    ) -> Callable[[float], None]:
        """Return a function that moves the bar."""
        task = self._task
        assert task is not None
        if self._bars.disable:
            tell = (lambda text: None) if self._quiet else (lambda text: notes.print(f"{subject}: {text}"))
            tell(f"{table} ...")
            return LogProgress().reporter(subject, table, total, tell)

        pace = Pace(total)

        def report(done: float) -> None:
            self._bars.update(task, total=total, completed=min(done, total or done), pace=pace.tell(done))

        return report

    def clear(self) -> None:
        """Take the bar away."""
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None


class Runner:
    """Runs jobs of Klip in this process.

    Args:
        instance: Where the runs are recorded.
        quiet: No bars (for JSON output).
        reuse: Take over stages whose inputs and code have not changed.
    """

    def __init__(self, instance: dg.DagsterInstance, *, quiet: bool, reuse: bool = True) -> None:
        self.instance = instance
        self.reuse = reuse
        self._bars = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), TimeElapsedColumn(),
            TextColumn("{task.fields[pace]}"), console=notes, transient=True, disable=quiet or not notes.is_terminal,
        )  # fmt: skip
        self._progress = BarProgress(self._bars, quiet=quiet)
        self._defs = build_defs({"progress": self._progress})

    def run(
        self,
        job: str,
        *,
        partition: str | None = None,
        days: tuple[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Run one job to its end.

        Args:
            job: Its name.
            partition: The video.
            days: First and last day, for jobs on tweets.
            config: Run configuration.
        """
        tags = {PROCESS_TAG: process_tag()}
        if self.reuse:
            tags[REUSE_TAG] = "true"
        if days:
            tags |= {RANGE_START_TAG: days[0], RANGE_END_TAG: days[1]}
        with self._bars:
            result = self._defs.resolve_job_def(job).execute_in_process(
                instance=self.instance,
                partition_key=partition,
                tags=tags,
                raise_on_error=False,
                run_config={**(config or {}), "loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
            self._progress.clear()
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
            [check.check_name for check in checks],
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
