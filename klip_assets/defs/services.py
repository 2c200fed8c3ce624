"""The Dagster services on this machine: starting and stopping them."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from klip_assets.defs.instance import dagster_environment, dagster_instance, fail_runs_of_dead_processes
from klip_assets.errors import InputError, NotFoundError
from klip_assets.settings import Settings, project_dir
from klip_assets.store.locks import hold, service_lock
from klip_assets.store.processes import end_with_parent


def refuse_public(host: str) -> None:
    """Refuse an address that other machines can reach: whoever reaches Dagster's web UI can do all that it can.

    Args:
        host: An address or a name; a name is one of this machine only if each of its addresses is.

    Raises:
        InputError: Other machines may be able to reach it, or it is no address.
    """
    try:
        # An empty name means all addresses.
        found = {entry[4][0] for entry in socket.getaddrinfo(host, None)} if host else {"::"}
    except OSError as error:
        raise InputError(f"--host {host!r} is no address of this machine: {error.strerror}") from error
    public = sorted(str(address) for address in found if not _is_loopback(str(address)))
    if public:
        named = f"{host} ({', '.join(public)})" if host and public != [host] else public[0]
        raise InputError(
            f"the web UI asks for no password: whoever reaches {named} could start runs, read everything and delete it",
            hint="leave out --host and use an SSH tunnel or a proxy that asks, or say --insecure-public if only people "
            "you trust can reach it, as in a container whose port is published on 127.0.0.1",
        )


def _is_loopback(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_loopback


def serve(settings: Settings, *, host: str, port: int, on_start: Callable[[], None]) -> str | None:
    """Run the web UI and the daemon until this process is told to stop or one of them exits on its own.

    Args:
        settings: The installation they serve.
        host: Address the web UI listens on; see `refuse_public`.
        port: Port of the web UI.
        on_start: Called just before they are started.

    Returns:
        Which service exited on its own, and how ("dagster-daemon was killed by signal 9"); None if this process was
        told to stop.

    Raises:
        NotFoundError: There is no workspace.yaml: this is not a checkout of Klip.
        InputError: Dagster's storage can't be opened, or a service is not installed.
        LockHeldError: Another process serves the same data folder.
    """
    workspace = project_dir() / "workspace.yaml"
    if not workspace.is_file():
        raise NotFoundError(f"there is no {workspace}", hint="run klip dev in a checkout of Klip")
    # Two daemons on one inbox would start everything twice.
    with hold(service_lock(settings.state_dir), what=f"{settings.data_dir}", timeout_s=1.0):
        # One process creates the storage first: several at once would collide on its tables.
        with dagster_instance(settings) as instance:
            fail_runs_of_dead_processes(instance)
        environment = {**os.environ, **dagster_environment(settings), "PYTHONUNBUFFERED": "1"}
        folder = _place_without_settings(settings)
        flags = ["-w", str(workspace)]
        web = [_script("dagster-webserver"), "-h", host, "-p", str(port), *flags]
        daemon = [_script("dagster-daemon"), "run", *flags]
        on_start()
        return _serve([web, daemon], environment, folder)


def _script(name: str) -> str:
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        raise InputError(f"{name} is not installed beside {sys.executable}", hint="pip install -e .")
    return str(path)


def _place_without_settings(settings: Settings) -> Path:
    """Return the folder the services run in.

    Each process of Dagster puts all of the `.env` of its working folder into the environment, before whatever is set
    there. Where there is none, the rules of `klip_assets.env_files` hold for the services as for the command line.
    """
    folder = settings.dagster_storage_dir
    if (folder / ".env").exists():
        raise InputError(
            f"{folder / '.env'} would be read by Dagster only, not by klip",
            hint=f"move it to {settings.data_dir / '.env'}, or remove it",
        )
    for name, models in (
        ("KLIP_WHISPER_MODEL", [settings.whisper_model or ""]),
        ("KLIP_TEXT_MODEL", settings.text_model_names),
    ):
        if relative := [model for model in models if model and not Path(model).is_absolute() and Path(model).is_dir()]:
            raise InputError(
                f"{name} names the folder {relative[0]}, which the services would not find",
                hint=f"give its full path: {Path(relative[0]).absolute()}",
            )
    return folder


def _serve(commands: Sequence[Sequence[str]], environment: Mapping[str, str], folder: Path) -> str | None:
    # A signal to this process stops both services; if one exits on its own, the other is stopped too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    services: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            # A service that outlived this process would run twice after the next start.
            services.append(subprocess.Popen(command, env=environment, cwd=folder, preexec_fn=end_with_parent()))
        while not (ended := [service for service in services if service.poll() is not None]):
            time.sleep(0.3)
        name, code = Path(commands[services.index(ended[0])][0]).name, ended[0].returncode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"{name} {how}"
    except KeyboardInterrupt:
        return None
    finally:
        for service in services:
            if service.poll() is None:
                service.send_signal(signal.SIGINT)
        for service in services:
            try:
                service.wait(timeout=30)
            except subprocess.TimeoutExpired:
                service.kill()


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
