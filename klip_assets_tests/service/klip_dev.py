"""`klip dev` as a person starts it, on a data folder of its own; for tests and benchmarks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import psutil
import pytest

from klip_assets.defs.instance import dagster_instance
from klip_assets.settings import Settings
from klip_assets.store.warehouse.query import run_sql
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.suite.processes import (
    command_of,
    describe,
    end,
    let_them_dump_their_stacks,
    processor_seconds,
    with_variable,
)
from klip_assets_tests.suite.waiting import until

T = TypeVar("T")


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for a process, and return what it wrote and how it ended."""
    said, complained = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, said, complained)


@dataclass
class Service:
    """One `klip dev` with its own data folder.

    Attributes:
        data_dir: The data folder.
        home: DAGSTER_HOME.
        extra: More environment variables.
        port: Port of the web page, once started.
        folder: The working folder.
    """

    data_dir: Path
    home: Path
    extra: dict[str, str] = field(default_factory=dict)
    port: int = 0
    folder: Path = REPOSITORY
    process: subprocess.Popen[bytes] | None = None
    _opened: ExitStack = field(default_factory=ExitStack)
    _instance: dg.DagsterInstance | None = None

    @property
    def settings(self) -> Settings:
        return Settings(data_dir=self.data_dir)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home.parent / "klip_dev.log"

    @property
    def environment(self) -> dict[str, str]:
        mine = {
            "KLIP_DATA_DIR": str(self.data_dir),
            "DAGSTER_HOME": str(self.home),
            "KLIP_DAGSTER_STORAGE": str(self.data_dir / ".dagster"),
            "KLIP_ENV_FILE": "",
            **self.extra,
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("KLIP_")}
        return {**others, **mine}

    def klip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `klip` beside the service, until it ends."""
        return ended(self.klip_beside(*arguments))

    def klip_beside(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `klip` beside the service; to be given to `ended`."""
        return subprocess.Popen(
            [sys.executable, "-m", "klip_assets.cli", *arguments],
            env=self.environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def start(self, *, daemon: bool = True, plain: bool = False) -> None:
        """Start `klip dev`, or only its web page, and wait until that shows our assets.

        `plain` starts `dagster dev` instead, as in a checkout and without the variables that `klip` sets. (It runs in
        `home`, beside copies of the two files it looks for: it makes a temporary folder where it runs.)
        """
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        command = [sys.executable, "-m", "klip_assets.cli", "dev", "--port", str(self.port)]
        if not daemon:
            web = str(Path(sys.executable).with_name("dagster-webserver"))
            command = [web, "-p", str(self.port), "-w", str(REPOSITORY / "workspace.yaml")]
        environment, folder = self.environment, self.folder
        if plain:
            folder = self.home
            shutil.copy(REPOSITORY / "workspace.yaml", folder)
            dagster = str(Path(sys.executable).with_name("dagster"))
            command = [dagster, "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(self.port)]
            environment = {k: v for k, v in environment.items() if k not in ("DAGSTER_HOME", "KLIP_DAGSTER_STORAGE")}
        with self.log.open("wb") as log:
            # A session of its own: a Ctrl-C in a terminal reaches the whole group, a signal in a test must not.
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
            )
        # Until it serves, nothing but processor time tells that it is on its way.
        self.wait(self._answers, "the code location to be served", moves=lambda: processor_seconds(self._all()))

    def stop(self, *, whole_group: bool = False) -> int:
        """End it as Ctrl-C does, and wait until it and everything it started have ended; return its exit code."""
        self._close()
        if self.process is None:
            return 0
        process, self.process = self.process, None
        if whole_group:
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
        code = process.wait()
        self.wait(lambda: not self.processes(), "the services to end", moves=lambda: frozenset(self.processes()))
        return code

    def kill(self) -> None:
        """End it and all its processes at once, where its own way out is not what a test is about."""
        self._close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        while left := self._all():
            end(left)

    def wait(self, happened: Callable[[], T], what: str, *, moves: Callable[[], Any] | None = None) -> T:
        """Wait until something is true and return it, as long as the service moves; see `until`."""

        def unless_ended() -> T:
            assert self.process is None or self.process.poll() is None, f"klip dev ended\n{self.tail()}"
            return happened()

        # Asking costs processor time, which the service needs.
        return until(unless_ended, what, moves=moves or self.moves, explain=self._explain, every_s=1.0)

    def moves(self) -> tuple[Any, ...]:
        """Return what changes as long as there is progress; what sensors do while nothing happens is none."""
        # Dagster's code server starts a process for each run by multiprocessing.
        processes = self._all()
        workers = [process for process in processes if "spawn_main" in command_of(process)]
        log = Path(self.extra.get("KLIP_FAILPOINT_LOG", os.devnull))
        return (
            [(record.dagster_run.run_id, record.dagster_run.status) for record in self.runs()],
            round(processor_seconds(workers), 1),
            frozenset(process.pid for process in processes),
            self.settings.warehouse_path.resolve(),
            log.stat().st_size if log.exists() else 0,
        )

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Open its Dagster instance; once opened it stays open until the service ends, since tests ask often."""
        if self._instance is None:
            mine = {"KLIP_DATA_DIR", "DAGSTER_HOME", "KLIP_DAGSTER_STORAGE", *self.extra}
            with pytest.MonkeyPatch.context() as patch:
                for name in mine:
                    patch.setenv(name, self.environment[name])
                self._instance = self._opened.enter_context(dagster_instance(self.settings))
        yield self._instance

    def _close(self) -> None:
        self._opened.close()
        self._instance = None

    def runs(self, job: str | None = None, partition: str | None = None) -> list[dg.RunRecord]:
        """Return run records, oldest first."""
        tags = {"dagster/partition": partition} if partition else None
        with self.instance() as instance:
            return list(instance.get_run_records(dg.RunsFilter(job_name=job, tags=tags), ascending=True))

    def processes(self) -> dict[int, str]:
        """Return the processes that work on its data folder, children and orphans alike: pid -> command."""
        commands = {process.pid: command_of(process) for process in self._all()}
        return {pid: command for pid, command in commands.items() if command}

    def unfinished(self) -> list[str]:
        return [record.dagster_run.job_name for record in self.runs() if not record.dagster_run.is_finished]

    def wait_for_runs(self) -> None:
        """Wait until all runs have ended."""
        self.wait(lambda: not self.unfinished(), "all runs to end")

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Ask the published file; [] while there is none."""
        if not self.settings.warehouse_path.exists():
            return []
        return run_sql(self.settings.warehouse_path, statement).to_pylist()

    def wait_for_scans(self, sensor: str, scans: int, *, since: float) -> list[Any]:
        """Wait until a sensor has ended that many scans which began after a time; return their ticks."""
        what = f"{scans} scans of the sensor {sensor}"
        moves = [self.moves, lambda: len(self._scans(sensor, since))]
        self.wait(lambda: len(self._scans(sensor, since)) >= scans, what, moves=lambda: [each() for each in moves])
        return self._scans(sensor, since)

    def _scans(self, sensor: str, since: float) -> list[Any]:
        with self.instance() as instance:
            return [
                tick
                for state in instance.all_instigator_state()
                if state.instigator_name == sensor
                for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, after=since)
                if tick.timestamp > since and tick.status.value in ("SUCCESS", "SKIPPED", "FAILURE")
            ]

    def ask(self, query: str) -> dict[str, Any]:
        """Ask the web page's GraphQL; return the data of its answer."""
        request = urllib.request.Request(
            f"{self.url}/graphql", json.dumps({"query": query}).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return dict(json.load(reply)["data"])

    def _answers(self) -> bool:
        query = "{workspaceOrError {... on Workspace {locationEntries {loadStatus locationOrLoadError {__typename}}}}}"
        try:
            entries = self.ask(query)["workspaceOrError"]["locationEntries"]
        except (urllib.error.URLError, TimeoutError, ConnectionError, KeyError, ValueError):
            return False
        loaded = [entry["locationOrLoadError"]["__typename"] for entry in entries if entry["locationOrLoadError"]]
        assert "PythonError" not in loaded, f"the code location can't be loaded\n{self.tail()}"
        return loaded == ["RepositoryLocation"]

    def tail(self, lines: int = 40) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def _explain(self) -> str:
        processes = self._all()
        said = f"unfinished runs: {dict(Counter(self.unfinished()))}\n{describe(processes)}"
        let_them_dump_their_stacks(processes)
        return f"{said}\n{self.tail(400)}"

    def _all(self) -> list[psutil.Process]:
        return with_variable("KLIP_DATA_DIR", str(self.data_dir))
