"""Running a piece of Klip in a process of its own, so that a crash, a hang or a full memory is seen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from klip_assets_tests.fire.stories import Story, tell
from klip_assets_tests.fire.victims import Victims
from klip_assets_tests.made import REPOSITORY

Run = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def run_module() -> Run:
    """Return a function that runs a module of this folder and gives the JSON lines it wrote."""

    def run(module: str, *arguments: str, cwd: Path) -> list[dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-m", f"klip_assets_tests.fire.{module}", *arguments],
            cwd=cwd, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        last = lines[-1] if lines else "nothing"
        assert done.returncode == 0, f"status {done.returncode} after {last}: {done.stderr[-2000:]}"
        return lines

    return run


@pytest.fixture
def shared_or_none() -> Path | None:
    """Public data beside the checkout, None where there is none: what is made here must do then."""
    folder = REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="module")
def victim() -> Iterator[Victims]:
    """A server that forks processes to be stopped and killed."""
    server = Victims()
    yield server
    server.close()


@pytest.fixture(scope="module")
def story(
    request: pytest.FixtureRequest, victim: Victims, tmp_path_factory: pytest.TempPathFactory, dagster_storage: Path
) -> Story:
    """What `klip process` does at each point after what the function `change` of the module has done to the inbox."""
    return tell(victim, tmp_path_factory.mktemp("story"), dagster_storage, request.module.change)
