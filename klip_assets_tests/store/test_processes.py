from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from klip_assets.store.processes import is_gone, number_of, this_process

CHILD = "import sys; from klip_assets.store.processes import this_process; print(this_process(), flush=True); "


@pytest.fixture
def child() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that waits for its input to end, and its name."""
    command = [sys.executable, "-c", CHILD + "sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process, process.stdout.readline().strip()
        process.kill()


def changed(process: str, **parts: str) -> str:
    named = dict(zip(("number", "start", "boot", "host"), process.split(":"), strict=True))
    return ":".join({**named, **parts}.values())


def test_a_process_that_runs_is_not_gone(child: tuple[subprocess.Popen[str], str]) -> None:
    process, name = child
    assert number_of(name) == str(process.pid)
    assert not is_gone(name) and not is_gone(this_process())


def test_a_process_that_ended_is_gone(child: tuple[subprocess.Popen[str], str]) -> None:
    process, name = child
    process.communicate("")
    assert is_gone(name)


def test_a_process_that_died_and_was_not_collected_is_gone(child: tuple[subprocess.Popen[str], str]) -> None:
    process, name = child
    process.kill()
    # Waits for its end without collecting it.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(name)


def test_a_process_keeps_its_name() -> None:
    assert this_process() == this_process()


def test_a_later_process_with_the_same_number_is_not_taken_for_the_one_before() -> None:
    start = this_process().split(":")[1]
    assert is_gone(changed(this_process(), start=str(int(start) - 1)))


def test_a_process_from_before_this_host_was_switched_off_is_gone() -> None:
    # Even one with the number and the start of a process of today.
    assert is_gone(changed(this_process(), boot="00000000"))


def test_of_a_process_of_another_host_nothing_is_known() -> None:
    there = changed(this_process(), boot="00000000", host="11111111")
    assert not is_gone(there) and not is_gone(changed(there, number="999999999"))


def test_a_host_that_got_another_name_meanwhile_knows_its_processes() -> None:
    renamed = changed(this_process(), host="11111111")
    assert not is_gone(renamed) and is_gone(changed(renamed, number="999999999"))


def test_names_that_older_versions_wrote_are_understood() -> None:
    number, start, *_ = this_process().split(":")
    assert not is_gone(f"{number}:{start}") and not is_gone(number) and not is_gone(f"{number}:running")
    assert is_gone(f"{number}:{int(start) - 1}")
    assert is_gone("999999999:1") and is_gone("999999999") and is_gone("999999999:running")


@pytest.mark.parametrize("text", ["", ":", "worker", "-1:2:3:4"])
def test_what_names_no_process_is_not_called_gone(text: str) -> None:
    assert not is_gone(text)


def test_a_name_holds_after_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux psutil adds the time of boot to when a process started, and that time changes with the clock."""
    name, booted, started = this_process(), psutil.boot_time(), psutil.Process().create_time()
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: booted + 3600)
    assert psutil.Process().create_time() == pytest.approx(started + 3600)
    assert this_process() == name and not is_gone(name)


def test_a_clock_that_is_set_while_somebody_looks_changes_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    name, booted = this_process(), psutil.boot_time()
    shown = iter([booted, booted + 3600, booted + 3600, booted + 3600])
    monkeypatch.setattr(psutil, "boot_time", lambda: next(shown))
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: booted + 3600)
    assert this_process() == name


PARENT = f"""
import signal, subprocess, sys
if sys.argv[1] == "ignored":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
from klip_assets.store.processes import end_with_parent
subprocess.run([sys.executable, "-c", {CHILD + "import signal; signal.pause()"!r}], preexec_fn=end_with_parent())
"""


@pytest.mark.parametrize("the_signal_to_end", ["handled", "ignored"])
def test_a_child_that_is_to_end_with_its_parent_ends_when_that_is_killed(the_signal_to_end: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, the_signal_to_end], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout and number_of(parent.stdout.readline()) != str(parent.pid)
        parent.kill()
        # The output ends when the last who has it does.
        assert parent.stdout.read() == ""
