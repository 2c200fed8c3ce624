"""The Dagster instance used by the command line: the same one `klip dev` serves."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterInvalidConfigError
from dagster._core.storage.tags import GRPC_INFO_TAG

from klip_assets.defs.tags import PROCESS_TAG, RUNS_OF_A_PROCESS
from klip_assets.env_files import FILE_VARIABLE, named_file
from klip_assets.errors import InputError
from klip_assets.settings import TOML_SETTINGS, Settings, is_toml_file, project_dir
from klip_assets.store.files import write_atomically
from klip_assets.store.processes import is_gone, number_of


def dagster_environment(settings: Settings) -> dict[str, str]:
    """Return the environment variables with which Dagster's processes, wherever they run, find what this one found."""
    home = str(_without_patterns(Path(os.environ.get("DAGSTER_HOME") or project_dir()).resolve()))
    storage = str(settings.dagster_storage_dir)
    found = {"DAGSTER_HOME": home, "KLIP_DAGSTER_STORAGE": storage, "KLIP_DATA_DIR": str(settings.data_dir)}
    if FILE_VARIABLE in os.environ or not settings.env_files:
        # With KLIP_DATA_DIR set, a default data folder would look like one that a person named.
        found[FILE_VARIABLE] = str(named_file() or "")
    for name in TOML_SETTINGS:
        value = getattr(settings, name)
        if f"KLIP_{name.upper()}" in os.environ and is_toml_file(value):
            found[f"KLIP_{name.upper()}"] = value
    if "KLIP_GOLDEN_DIR" in os.environ and settings.golden_dir:
        found["KLIP_GOLDEN_DIR"] = str(settings.golden_dir.absolute())
    return found


def _without_patterns(home: Path) -> Path:
    """Return a folder with the same dagster.yaml whose path is no pattern.

    Dagster looks for the file as if its path were a pattern, so that it would miss the one in a folder `[bold]`, and
    keep its state beside it in silence.
    """
    if glob.escape(str(home)) == str(home) or not (home / "dagster.yaml").is_file():
        return home
    place = Path.home() / ".cache" / "klip" / hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    if glob.escape(str(place)) != str(place):
        raise InputError(f"Dagster can't use {home}: its name is a pattern", hint="set DAGSTER_HOME to another folder")
    place.mkdir(parents=True, exist_ok=True)
    write_atomically(place / "dagster.yaml", lambda to: to.write_bytes((home / "dagster.yaml").read_bytes()))
    return place


@contextmanager
def dagster_instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    """Open the instance, creating its storage if needed.

    Raises:
        InputError: There is no dagster.yaml, or the storage it configures can't be opened.
    """
    environment = dagster_environment(settings)
    os.environ.update(environment)
    if not (Path(environment["DAGSTER_HOME"]) / "dagster.yaml").is_file():
        raise InputError(
            f"there is no dagster.yaml in {environment['DAGSTER_HOME']}", hint="set DAGSTER_HOME to the project folder"
        )
    Path(environment["KLIP_DAGSTER_STORAGE"]).mkdir(parents=True, exist_ok=True)
    try:
        opened = dg.DagsterInstance.get()
    except Exception as error:
        raise InputError(
            f"Dagster's storage can't be opened: {_reason(error)}",
            hint=f"see {environment['DAGSTER_HOME']}/dagster.yaml",
        ) from error
    with opened as instance:
        yield instance


def _reason(error: BaseException) -> str:
    # Dagster wraps the cause, and for a configuration error lists everything that would have been valid.
    if isinstance(error, DagsterInvalidConfigError):
        return error.errors[0].message.partition("PostProcessingError: ")[2] or error.errors[0].message
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return str(error).strip().partition("\n")[0]


def fail_runs_of_dead_processes(instance: dg.DagsterInstance) -> list[str]:
    """Mark runs whose `klip process` died as failed, since nothing else would. Runs on other hosts are skipped.

    Returns:
        Ids of the runs marked.
    """
    found = []
    for run in instance.get_runs(dg.RunsFilter(statuses=RUNS_OF_A_PROCESS)):
        process = run.tags.get(PROCESS_TAG)
        # A run of the daemon has this tag only if someone re-executed a run of the command line in the UI.
        if process and GRPC_INFO_TAG not in run.tags and is_gone(process):
            instance.report_run_failed(run, f"the process {number_of(process)} that ran it is gone")
            found.append(run.run_id)
    return found
