"""Processes to be killed: one server that has everything imported and forks a `klip process` for each request.

Starting an interpreter and importing Dagster takes seconds, and there are hundreds of kills.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from klip_assets.cli.process import run_process
from klip_assets.settings import Settings
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.processed import drop_stream, drop_tweets


class Victims:
    """The server, seen from a test."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "klip_assets_tests.fire.victims"], cwd=REPOSITORY, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def run(self, home: Path, **environment: str) -> dict[str, Any]:
        """Run `klip process` in an installation until it ends or stops itself.

        Returns:
            pid, and either `stopped`: True, or `code`: its exit status.
        """
        return self._ask({"run": str(home), "environment": environment})

    def kill(self, pid: int) -> int:
        """Kill a process that stopped itself; return the signal it died of."""
        return -int(self._ask({"kill": pid})["code"])

    def resume(self, pid: int) -> dict[str, Any]:
        """Let a process that stopped itself go on; return what `run` returns."""
        return self._ask({"resume": pid})

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin and self._server.stdout
        self._server.stdin.close()
        self._server.wait()
        self._server.stdout.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._server.stdin and self._server.stdout
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        line = self._server.stdout.readline()
        assert line, "the server of victims died"
        return dict(json.loads(line))


def installation(home: Path) -> dict[str, str]:
    """Return the environment of an installation."""
    return {
        "KLIP_DATA_DIR": str(home / "data"),
        "DAGSTER_HOME": str(home),
        "KLIP_DAGSTER_STORAGE": str(home / "data" / ".dagster"),
    }


def _serve() -> None:
    _warm_up()
    for line in sys.stdin:
        request = json.loads(line)
        if "kill" in request:
            os.kill(request["kill"], signal.SIGKILL)
            pid = request["kill"]
        elif "resume" in request:
            os.kill(request["resume"], signal.SIGCONT)
            pid = request["resume"]
        else:
            pid = os.fork()
            if pid == 0:
                _process(Path(request["run"]), request["environment"])
        _, status = os.waitpid(pid, os.WUNTRACED)
        ended = {"stopped": True} if os.WIFSTOPPED(status) else {"code": os.waitstatus_to_exitcode(status)}
        sys.stdout.write(json.dumps({"pid": pid, **ended}) + "\n")
        sys.stdout.flush()


def _warm_up() -> None:
    # A first `klip process` spends seconds on importing and compiling; what it imports, every fork has.
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shutil.copy(REPOSITORY / "dagster.yaml", home)
        before = dict(os.environ)
        os.environ.update(installation(home))
        settings = Settings()
        settings.make_folders()
        drop_stream(settings)
        drop_tweets(settings)
        run_process(settings, quiet=True)
        gc.collect()
        os.environ.clear()
        os.environ.update(before)


def _process(home: Path, environment: dict[str, str]) -> None:
    with (home / "output.txt").open("a") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ |= installation(home) | environment
    from klip_assets.cli import main

    sys.argv = ["klip", "process", "--json"]
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    else:
        code = 0
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    _serve()
