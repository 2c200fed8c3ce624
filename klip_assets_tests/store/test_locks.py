from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from klip_assets.errors import LockHeldError
from klip_assets.store.locks import hold, holder_of, is_held, release, take
from klip_assets.store.processes import number_of

HOLDER = """
import signal, sys
from pathlib import Path
from klip_assets.store.locks import hold
with hold(Path(sys.argv[1]), what="video x", timeout_s=5):
    print("held", flush=True)
    signal.pause()
"""


@pytest.fixture
def other_process(tmp_path: Path):
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / "a.lock")], stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_holder_is_named_when_the_time_is_up(tmp_path: Path, other_process: subprocess.Popen) -> None:
    waits: list[str] = []
    with (
        pytest.raises(LockHeldError, match=f"process {other_process.pid} .*video x"),
        hold(tmp_path / "a.lock", what="video x", timeout_s=0.3, on_wait=waits.append),
    ):
        pass
    assert len(waits) == 1 and str(other_process.pid) in waits[0]
    assert is_held(tmp_path / "a.lock")


def test_a_killed_holder_leaves_no_lock(tmp_path: Path, other_process: subprocess.Popen) -> None:
    os.kill(other_process.pid, signal.SIGKILL)
    other_process.wait()
    assert not is_held(tmp_path / "a.lock")
    with hold(tmp_path / "a.lock", what="video x", timeout_s=1):
        assert is_held(tmp_path / "a.lock")


def test_the_same_thread_may_hold_it_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with hold(path, what="x", timeout_s=1):
        with hold(path, what="x", timeout_s=1):
            pass
        assert is_held(path)
    assert not is_held(path)


def test_another_thread_of_the_process_has_to_wait(tmp_path: Path) -> None:
    path, seen = tmp_path / "a.lock", []

    def attempt() -> None:
        try:
            with hold(path, what="x", timeout_s=0.2):
                seen.append("held")
        except LockHeldError:
            seen.append("refused")

    with hold(path, what="x", timeout_s=1):
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    assert seen == ["refused"]


def test_a_lock_nobody_ever_took_is_free(tmp_path: Path) -> None:
    assert not is_held(tmp_path / "never.lock")


def test_a_holder_on_another_host_is_named_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with hold(path, what="video x", timeout_s=1):
        note = json.loads(path.read_text())
        assert number_of(note["process"]) == str(os.getpid())
        assert holder_of(path).startswith(f"process {os.getpid()} (video x, since ")
    path.write_text(json.dumps({**note, "host": "studio"}))
    assert holder_of(path).startswith(f"process {os.getpid()} on host studio (video x, since ")


def test_a_note_of_an_older_version_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.lock").write_text('{"pid": 7, "what": "video x", "since": "2026-06-13 10:00:00"}')
    assert holder_of(tmp_path / "a.lock") == "process 7 (video x, since 2026-06-13 10:00:00 UTC)"


@pytest.mark.parametrize("note", ["", "{", "[]", "7", '{"pid": 7}'])
def test_a_note_that_says_nothing_names_nobody(note: str, tmp_path: Path) -> None:
    (tmp_path / "a.lock").write_text(note)
    assert holder_of(tmp_path / "a.lock") == "another process"


LOOKER = """
import sys
from pathlib import Path
from klip_assets.store.locks import is_held
path = Path(sys.argv[1])
print("looking", flush=True)
while True:
    if is_held(path):
        print("held", flush=True)
"""


def test_looking_takes_a_lock_from_nobody(tmp_path: Path) -> None:
    """Regression: of two processes that looked at once, one saw the other, and a video was passed over for ever."""
    path = tmp_path / "a.lock"
    path.touch()
    lookers = [
        subprocess.Popen([sys.executable, "-c", LOOKER, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        for looker in lookers:
            assert looker.stdout and looker.stdout.readline() == "looking\n"
        assert not any(is_held(path) for _ in range(5_000))
        for _ in range(300):
            take(path, what="x", timeout_s=0)
            release(path)
    finally:
        for looker in lookers:
            looker.kill()
    # They may have seen it while it was taken, but never before.
    for looker in lookers:
        looker.communicate()


def test_a_free_lock_is_never_held_for_those_who_only_look(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    path.touch()
    looker = subprocess.Popen([sys.executable, "-c", LOOKER, str(path)], stdout=subprocess.PIPE, text=True)
    assert looker.stdout and looker.stdout.readline() == "looking\n"
    seen = sum(is_held(path) for _ in range(20_000))
    looker.kill()
    rest, _ = looker.communicate()
    assert (seen, rest) == (0, "")
