"""A real PostgreSQL server for tests: in a temporary folder, behind a socket in that folder, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

#: Debian keeps the server's programs apart from the search path, by version.
_DEBIAN = Path("/usr/lib/postgresql")
_USER = "klip"


def programs() -> Path | None:
    """Return the folder of the newest server that is installed, if any."""
    found = [path.parent for path in _DEBIAN.glob("*/bin/initdb") if path.with_name("postgres").exists()]
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


@contextmanager
def serve() -> Iterator[Callable[[str], str]]:
    """Serve until the block ends; gives a function that makes a database and returns its URL."""
    folder, owner = Path(tempfile.mkdtemp(prefix="klip-postgres-")), _owner()
    if owner:
        os.chown(folder, owner["user"], owner["group"])
    bin_dir = programs()
    assert bin_dir is not None
    run: dict[str, Any] = {**owner, "cwd": folder, "env": {"PATH": os.defpath, "LC_ALL": "C"}}
    data, log = folder / "data", folder / "log"
    made = subprocess.run(
        [bin_dir / "initdb", "-D", data, "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync"],
        **run, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    flags = ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    with log.open("wb") as output:
        server = subprocess.Popen([bin_dir / "postgres", *flags], **run, stdout=output, stderr=output)
    try:
        _wait_until_ready(server, [bin_dir / "pg_isready", "-h", folder, "-U", _USER], log)

        def new_database(name: str) -> str:
            subprocess.run([bin_dir / "createdb", "-h", folder, "-U", _USER, name], **run, check=True, timeout=60)
            return f"postgresql+psycopg2://{_USER}@/{name}?host={folder}"

        yield new_database
    finally:
        # "Fast shutdown": clients that are still there are sent away.
        with suppress(ProcessLookupError):
            server.send_signal(signal.SIGINT)
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _owner() -> dict[str, Any]:
    # The server refuses to run as root.
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _wait_until_ready(server: subprocess.Popen[bytes], asking: Sequence[Any], log: Path) -> None:
    deadline = time.monotonic() + 60
    while (said := subprocess.run(asking, capture_output=True, text=True, timeout=30)).returncode:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"{said.stdout}{said.stderr}\n{log.read_text()}"
        time.sleep(0.1)
