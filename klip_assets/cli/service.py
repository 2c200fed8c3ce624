"""`klip dev` and `klip prune`: the Dagster services on this machine.

Put here: starting, stopping and tidying them. Keep out: what they run.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from klip_assets.cli.output import console, notes
from klip_assets.errors import InputError, NotFoundError
from klip_assets.settings import Settings, project_dir
from klip_assets.store.locks import hold


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the web page listens on.")
@click.option("--port", default=3000, show_default=True, type=click.IntRange(1, 65535), help="Port of the web page.")
def dev(host: str, port: int) -> None:
    """Start the Dagster web page and the daemon that watches the inbox. Ctrl-C stops both."""
    from klip_assets.cli.instance import dagster_environment, dagster_instance, fail_runs_of_dead_processes

    settings = Settings()
    settings.make_folders()
    workspace = project_dir() / "workspace.yaml"
    if not workspace.is_file():
        raise NotFoundError(f"there is no {workspace}", hint="run klip dev in a checkout of Klip")
    # Two daemons on one inbox would start everything twice.
    with hold(settings.state_dir / "dev.lock", what=f"{settings.data_dir}", timeout_s=1.0):
        # One process makes the storage: several at once would stumble over each other's tables.
        with dagster_instance(settings) as instance:
            fail_runs_of_dead_processes(instance)
        environment = {**os.environ, **dagster_environment(settings), "PYTHONUNBUFFERED": "1"}
        flags = ["-w", str(workspace)]
        web = [_script("dagster-webserver"), "-h", host, "-p", str(port), *flags]
        daemon = [_script("dagster-daemon"), "run", *flags]
        console.print(f"Dagster UI: http://{host}:{port}   inbox: {settings.vod_inbox}   Ctrl-C stops.", soft_wrap=True)
        code = _serve([web, daemon], environment)
    if code:
        raise click.exceptions.Exit(code)


@click.command()
@click.option("--older-than", default=30, show_default=True, type=click.IntRange(min=0), metavar="DAYS", help="Age.")
def prune(older_than: int) -> None:
    """Delete finished runs (their logs and events) older than DAYS. Lake and warehouse are not touched."""
    import dagster as dg

    from klip_assets.cli.instance import dagster_instance, fail_runs_of_dead_processes

    finished = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    before = datetime.now(UTC) - timedelta(days=older_than)
    deleted = 0
    with dagster_instance(Settings()) as instance:
        fail_runs_of_dead_processes(instance)
        while ids := instance.get_run_ids(dg.RunsFilter(statuses=finished, created_before=before), limit=100):
            for run_id in ids:
                instance.delete_run(run_id)
            deleted += len(ids)
    console.print(f"Deleted {deleted} finished runs older than {older_than} days.")


def _script(name: str) -> str:
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise InputError(f"{name} is not installed beside {sys.executable}", hint="pip install -e .")
    return str(path)


def _serve(commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> int:
    # A signal to this process ends both services; one that ends by itself ends the other.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    services: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            services.append(
                subprocess.Popen(command, env=environment, cwd=project_dir(), preexec_fn=_end_with_parent())
            )
        while not (ended := [service for service in services if service.poll() is not None]):
            time.sleep(0.3)
        name, code = Path(commands[services.index(ended[0])][0]).name, ended[0].returncode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        notes.print(f"[red]{name} {how}[/red]; klip dev ends too. Runs that are on go on; start klip dev again.")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        for service in services:
            if service.poll() is None:
                service.send_signal(signal.SIGINT)
        for service in services:
            try:
                service.wait(timeout=30)
            except subprocess.TimeoutExpired:
                service.kill()


def _end_with_parent() -> Callable[[], object] | None:
    # What the kernel sends a service when this process is killed: without it, it would stay, and be there twice.
    if sys.platform != "linux":
        return None
    prctl, set_parent_death_signal = ctypes.CDLL(None).prctl, 1
    return lambda: prctl(set_parent_death_signal, signal.SIGTERM)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
