"""Progress of runs: bars on a terminal, else lines."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from klip_assets.cli.output import note, notes
from klip_assets.formats.screen import shown
from klip_assets.work.progress import LogProgress, Pace


class BarProgress:
    """Shows stages as progress bars on the terminal: what is running, how far, how fast.

    Without a terminal, long stages print their progress as lines.

    Args:
        quiet: Show neither bars nor lines (for JSON output).
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._bars = Progress(
            SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(24), TimeElapsedColumn(),
            TextColumn("{task.fields[pace]}", markup=False),
            console=notes, transient=True, disable=quiet or not notes.is_terminal,
        )  # fmt: skip
        self._quiet = quiet
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None
        self._bars.stop()

    def begin(self, subject: str, table: str) -> None:
        """Show which stage is running."""
        if self._task is None:
            self._task = self._bars.add_task("", total=None, pace="")
        self._bars.reset(self._task, total=None, description=shown(f"{subject}: {table}"), pace="")

    def reporter(
        self, subject: str, table: str, total: float | None, log: Callable[[str], Any]
    ) -> Callable[[float], None]:
        """Return a function that moves the bar."""
        task = self._task
        assert task is not None
        if self._bars.disable:
            tell = (lambda text: None) if self._quiet else (lambda text: note(f"{subject}: {text}"))
            tell(f"{table} ...")
            return LogProgress().reporter(subject, table, total, tell)

        pace = Pace(total)

        def report(done: float) -> None:
            self._bars.update(task, total=total, completed=min(done, total or done), pace=shown(pace.describe(done)))

        return report
