"""The plugins of the suite, in a pytest of their own: a test that hangs, processes left behind, programs missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.suite.missing import summary
from klip_assets_tests.suite.waiting import until

# Each starts a pytest of its own, which is to stand still for seconds.
pytestmark = pytest.mark.slow

PLUGINS = ("-p", "klip_assets_tests.suite.watchdog", "-p", "klip_assets_tests.suite.reaper", "-p", "no:cacheprovider")


def start(folder: Path, test: str, **environment: str) -> subprocess.Popen[str]:
    """Run a file of tests in a pytest of its own that has the plugins."""
    (folder / "test_it.py").write_text(test)
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *PLUGINS, "-c", "/dev/null", "--rootdir", str(folder), "test_it.py"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_a_test_in_which_nothing_moves_is_ended_with_all_stacks_and_the_next_one_runs(tmp_path: Path) -> None:
    hangs = """
import subprocess, sys, threading
def stand_still():
    threading.Event().wait()
def test_hangs():
    child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
    threading.Thread(target=stand_still, daemon=True).start()
    child.wait()
    threading.Event().wait()
def test_next():
    pass
"""
    output, _ = start(tmp_path, hangs, KLIP_TESTS_STILL_S="2").communicate()
    assert "1 failed, 1 passed" in output, output
    assert "nothing moved for 2 s" in output and "in stand_still" in output and "in test_hangs" in output
    assert "threading.Event().wait()" in output, "the child is named, by its command"
    assert "Fatal Python error: Aborted" in output, "and says where it stood"


def test_a_test_that_moves_is_left_alone(tmp_path: Path) -> None:
    works = """
import time
def test_works():
    began = time.monotonic()
    while time.monotonic() - began < 6:
        sum(range(1000))
"""
    output, _ = start(tmp_path, works, KLIP_TESTS_STILL_S="2").communicate()
    assert "1 passed" in output, output


@pytest.mark.parametrize("end", ["killed", "killed with who reads its output", "by itself"])
def test_processes_that_tests_start_end_with_them(tmp_path: Path, end: str) -> None:
    # A session of its own, a child of a process that is gone, and stopped: what no signal to a group reaches.
    leaves = f"""
import os, signal, subprocess, sys, pathlib
def test_leaves():
    code = "import os, signal; print(os.getpid(), flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    shell = ["sh", "-c", '"$0" -c "$1" & exit', sys.executable, code]
    started = subprocess.Popen(shell, stdout=subprocess.PIPE, text=True, start_new_session=True)
    pathlib.Path("pid.new").write_text(started.stdout.readline())
    os.rename("pid.new", "pid")
    if {end != "by itself"}:
        signal.pause()
"""
    process = start(tmp_path, leaves)
    noted = tmp_path / "pid"
    until(noted.exists, "the test to start a process", moves=lambda: psutil.Process(process.pid).cpu_times())
    left = psutil.Process(int(noted.read_text()))
    if end != "by itself":
        if end != "killed":
            assert process.stdout
            process.stdout.close()
        process.send_signal(signal.SIGKILL)
    until(lambda: not left.is_running(), "the process to end", moves=left.is_running)
    assert process.wait() == (0 if end == "by itself" else -signal.SIGKILL)


def test_a_child_that_pytest_never_collects_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    leaves = """
import subprocess, sys
def test_leaves():
    subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
"""
    process = start(tmp_path, leaves)
    process.communicate()
    assert process.returncode == 0


def test_what_was_skipped_for_want_of_a_program_is_one_line() -> None:
    skipped = ["Skipped: for want of flite", "Skipped: for want of a browser", "Skipped: for want of flite", "no set"]
    assert summary(skipped) == "Skipped for want of a browser: 1, flite: 2"
    assert summary(["no set"]) == "Nothing was skipped for want of a browser, PostgreSQL, flite or the right to mount."


def test_neither_a_file_of_a_developer_nor_their_variables_reach_the_suite(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KLIP_WEIGHTS=mine\n")
    code = f"""
import sys; sys.path.insert(0, {str(REPOSITORY)!r})
import klip_assets_tests.conftest
from klip_assets.settings import Settings
print(Settings().weights, Settings().whisper_model)
"""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KLIP_")}
    environment["KLIP_WHISPER_MODEL"] = "mine"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["klip-2", "None"], done.stderr


def test_no_two_processes_of_tests_compile_into_one_cache() -> None:
    code = "import klip_assets_tests.conftest, numba; print(numba.config.CACHE_DIR)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)
    other = Path(done.stdout.strip())
    assert other.is_absolute() and other != Path(os.environ["NUMBA_CACHE_DIR"]), done.stderr
    assert Path(os.environ["NUMBA_CACHE_DIR"]).is_dir() and not other.exists(), "it ends with its process"
