"""The Dagster instance of the command line: the same one `klip dev` serves.

Put here: its environment, and what is done to it from outside runs. Keep out: running jobs (`runner`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from klip_assets.errors import InputError
from klip_assets.settings import Settings, project_dir

#: Runs of the command line carry their process here, so that a later one can tell when it died.
PROCESS_TAG = "klip/process"

_STARTED = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.NOT_STARTED]


def dagster_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that Dagster's processes need: where its configuration and its state lie."""
    home = os.environ.get("DAGSTER_HOME") or str(project_dir())
    storage = os.environ.get("KLIP_DAGSTER_STORAGE") or str(settings.dagster_storage_dir)
    return {"DAGSTER_HOME": home, "KLIP_DAGSTER_STORAGE": storage, "KLIP_DATA_DIR": str(settings.data_dir)}


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the instance, making its storage if it is new.

    Raises:
        InputError: There is no dagster.yaml.
    """
    environment = dagster_environment(settings)
    os.environ.update(environment)
    if not (Path(environment["DAGSTER_HOME"]) / "dagster.yaml").is_file():
        raise InputError(
            f"there is no dagster.yaml in {environment['DAGSTER_HOME']}", hint="set DAGSTER_HOME to the project folder"
        )
    Path(environment["KLIP_DAGSTER_STORAGE"]).mkdir(parents=True, exist_ok=True)
    with dg.DagsterInstance.get() as instance:
        yield instance


def process_tag() -> str:
    """Name this process so that it can't be mistaken for a later one with the same number."""
    return f"{os.getpid()}:{_started(os.getpid())}"


def fail_runs_of_dead_processes(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs whose `klip process` died as failed: nobody else would.

    Returns:
        Their ids.
    """
    found = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_STARTED)):
        process = run.tags.get(PROCESS_TAG)
        if process and not _alive(process):
            instance.report_run_failed(run, f"the process {process.partition(':')[0]} that ran it is gone")
            found.append(run.run_id)
    return found


def _alive(process: str) -> bool:
    number, _, started = process.partition(":")
    return number.isdigit() and _started(int(number)) == started


def _started(pid: int) -> str:
    # The 22nd field of /proc/<pid>/stat: clock ticks from boot to the start of the process; '' if it is gone.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return ""
        except PermissionError:
            pass
        return "running"
