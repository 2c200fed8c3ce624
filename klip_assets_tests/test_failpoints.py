from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from klip_assets_tests.made import REPOSITORY

SCRIPT = """
from klip_assets.failpoints import fail_point
for name, subject in (("a.begin", "x/1"), ("a.end", "x/1"), ("a.begin", "x/2")):
    fail_point(name, subject)
    print(name, subject, flush=True)
"""


def start(**environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        text=True,
        stdout=subprocess.PIPE,
    )


def test_nothing_stops_where_nobody_asks() -> None:
    process = start()
    output, _ = process.communicate()
    assert process.returncode == 0 and output.count("\n") == 3


def test_a_named_point_kills_with_the_subject_asked_for() -> None:
    process = start(KLIP_FAILPOINT="kill a.begin x/2")
    output, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert output.splitlines() == ["a.begin x/1", "a.end x/1"]


def test_a_point_stops_once_and_is_noted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start(KLIP_FAILPOINT="stop 2", KLIP_FAILPOINT_LOG=str(log))
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    lines = log.read_text().splitlines()
    assert lines == [f"{process.pid} a.begin x/1", f"{process.pid} a.end x/1", f"{process.pid} stopped a.end x/1"]
    os.kill(process.pid, signal.SIGCONT)
    assert process.communicate()[0].count("\n") == 3
    again = start(KLIP_FAILPOINT="stop 2", KLIP_FAILPOINT_LOG=str(log))
    assert again.communicate()[0].count("\n") == 3


def test_a_stepping_process_stops_at_every_point(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start(KLIP_FAILPOINT="step", KLIP_FAILPOINT_LOG=str(log))
    for number in (1, 2, 3):
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert len(log.read_text().splitlines()) == number
        os.kill(process.pid, signal.SIGCONT)
    assert process.communicate()[0].count("\n") == 3
