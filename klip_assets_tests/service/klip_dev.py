"""`klip dev` as a person starts it, on a data folder of its own; for tests and benchmarks."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from klip_assets.defs.instance import dagster_instance
from klip_assets.settings import Settings
from klip_assets.store.warehouse.query import run_sql
from klip_assets_tests.made import REPOSITORY


@dataclass
class Service:
    """One `klip dev` with its own data folder.

    Attributes:
        data_dir: The data folder.
        home: DAGSTER_HOME.
        extra: More environment variables.
        port: Port of the web page, once started.
    """

    data_dir: Path
    home: Path
    extra: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

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
            **self.extra,
        }
        others = {name: value for name, value in os.environ.items() if not name.startswith("KLIP_")}
        return {**others, **mine}

    def klip(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "klip_assets.cli", *arguments],
            env=self.environment,
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            timeout=300,
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
        environment, folder = self.environment, REPOSITORY
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
        self.wait(self._answers, "the code location to be served", at_most_s=300)

    def stop(self, *, whole_group: bool = False) -> tuple[int, list[str]]:
        """End it as Ctrl-C does; return its exit code and the processes that outlived it by more than 20 s."""
        if self.process is None:
            return 0, []
        process, self.process = self.process, None
        if whole_group:
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
        try:
            code = process.wait(timeout=60)
            deadline = time.monotonic() + 20
            while (left := processes_of(self.data_dir)) and time.monotonic() < deadline:
                time.sleep(0.2)
        finally:
            left = processes_of(self.data_dir)
            for pid in left:
                _kill(pid)
            if process.poll() is None:
                process.kill()
        return code, list(left.values())

    def kill(self) -> None:
        """End it and all its processes at once, where its own way out is not what a test is about."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
        while left := self.processes():
            for pid in left:
                _kill(pid)

    def wait(self, happened: Callable[[], Any], what: str, *, at_most_s: float = 600) -> Any:
        """Wait until something is true and return it; fail with the tail of the log otherwise."""
        deadline = time.monotonic() + at_most_s
        while True:
            assert self.process is None or self.process.poll() is None, f"klip dev ended\n{self.tail()}"
            if result := happened():
                return result
            assert time.monotonic() < deadline, f"waited {at_most_s:.0f} s in vain for {what}\n{self.tail()}"
            time.sleep(1.0)

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        mine = {"KLIP_DATA_DIR", "DAGSTER_HOME", "KLIP_DAGSTER_STORAGE", *self.extra}
        with pytest.MonkeyPatch.context() as patch:
            for name in mine:
                patch.setenv(name, self.environment[name])
            with dagster_instance(self.settings) as found:
                yield found

    def runs(self, job: str | None = None, partition: str | None = None) -> list[dg.RunRecord]:
        """Return run records, oldest first."""
        tags = {"dagster/partition": partition} if partition else None
        with self.instance() as instance:
            return list(instance.get_run_records(dg.RunsFilter(job_name=job, tags=tags), ascending=True))

    def processes(self) -> dict[int, str]:
        """Return the processes that work on its data folder: pid -> command."""
        return processes_of(self.data_dir)

    def unfinished(self) -> list[str]:
        return [record.dagster_run.job_name for record in self.runs() if not record.dagster_run.is_finished]

    def wait_for_runs(self, *, at_most_s: float = 600) -> None:
        """Wait until all runs have ended; fail when none has for a while. How long a queue takes is the machine's."""
        ended, since = -1, time.monotonic()
        while unfinished := self.unfinished():
            assert self.process is None or self.process.poll() is None, f"klip dev ended\n{self.tail()}"
            if (now := len(self.runs()) - len(unfinished)) != ended:
                ended, since = now, time.monotonic()
            assert time.monotonic() - since < at_most_s, (
                f"no run ended for {at_most_s:.0f} s; still there: {Counter(unfinished)}\n{self.tail()}"
            )
            time.sleep(1.0)

    def sql(self, statement: str) -> list[dict[str, Any]]:
        """Ask the published file; [] while there is none."""
        if not self.settings.warehouse_path.exists():
            return []
        return run_sql(self.settings.warehouse_path, statement).to_pylist()

    def wait_for_looks(self, sensor: str, looks: int, *, since: float) -> list[Any]:
        """Wait until a sensor has ended that many looks which began after a time; return their ticks."""

        def ended() -> list[Any] | None:
            with self.instance() as instance:
                states = [s for s in instance.all_instigator_state() if s.instigator_name == sensor]
                ticks = [
                    tick
                    for state in states
                    for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, after=since)
                    if tick.timestamp > since and tick.status.value in ("SUCCESS", "SKIPPED", "FAILURE")
                ]
            return ticks if len(ticks) >= looks else None

        return list(self.wait(ended, f"{looks} looks of the sensor {sensor}", at_most_s=300))

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

    def tail(self) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-40:]) if self.log.exists() else ""


def processes_of(data_dir: Path) -> dict[int, str]:
    """Return processes that work on a data folder, children and orphans alike: pid -> command."""
    wanted = f"KLIP_DATA_DIR={data_dir}".encode()
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            continue
    return {pid: command for pid, command in found.items() if command}


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
