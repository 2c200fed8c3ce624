"""A real PostgreSQL server for tests: in a temporary folder, behind a socket in that folder, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from klip_assets_tests.suite.processes import MARK, processor_seconds
from klip_assets_tests.suite.waiting import until

_USER = "klip"


@contextmanager
def serve(bin_dir: Path) -> Iterator[Callable[[str], str]]:
    """Serve until the block ends; gives a function that makes a database and returns its URL.

    Args:
        bin_dir: Where the server's programs are.
    """
    folder, owner = Path(tempfile.mkdtemp(prefix="klip-postgres-")), _owner()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    environment = {"PATH": os.defpath, "LC_ALL": "C", MARK: os.environ[MARK]}
    run: dict[str, Any] = {**owner, "cwd": folder, "env": environment}
    data, log = folder / "data", folder / "log"
    made = subprocess.run(
        [bin_dir / "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync"],
        **run, capture_output=True, text=True,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    flags = ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    with log.open("wb") as output:
        server = subprocess.Popen([bin_dir / "postgres", *flags], **run, stdout=output, stderr=output)
    try:
        asking = [bin_dir / "pg_isready", "-h", folder, "-U", _USER]

        def is_ready() -> bool:
            assert server.poll() is None, log.read_text()
            return subprocess.run(asking, capture_output=True).returncode == 0

        process = psutil.Process(server.pid)
        until(
            is_ready, "PostgreSQL to answer", explain=log.read_text,
            moves=lambda: processor_seconds([process, *process.children(recursive=True)]),
        )  # fmt: skip

        def new_database(name: str) -> str:
            subprocess.run([bin_dir / "createdb", "-h", folder, "-U", _USER, name], **run, check=True)
            return f"postgresql+psycopg2://{_USER}@/{name}?host={folder}"

        yield new_database
    finally:
        # "Fast shutdown": clients that are still there are sent away.
        with suppress(ProcessLookupError):
            server.send_signal(signal.SIGINT)
        server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> dict[str, Any]:
    # The server refuses to run as root.
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
