from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from klip_assets.store.files import scratch_folder, sweep, write_atomically

WRITER = (
    "import sys; from pathlib import Path; from klip_assets.store.files import write_atomically; "
    "write_atomically(Path(sys.argv[1]), lambda to: to.write_text('new'))"
)


def killed_in_the_middle_of_a_write(path: Path) -> Path:
    environment = {**os.environ, "KLIP_FAILPOINT": "kill write.filled *"}
    done = subprocess.run([sys.executable, "-c", WRITER, str(path)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = path.parent.glob(".*.tmp")
    return left


def test_what_a_killed_write_left_is_swept(tmp_path: Path) -> None:
    left = killed_in_the_middle_of_a_write(tmp_path / "a.parquet")
    sweep(tmp_path)
    assert not left.exists()


def test_what_another_host_writes_is_not_swept(tmp_path: Path) -> None:
    left = killed_in_the_middle_of_a_write(tmp_path / "a.parquet")
    pid, start, _, _, random = left.suffixes[-2].removeprefix(".").split("-")
    other = left.with_name(f".a.parquet.{pid}-{start}-00000000-11111111-{random}.tmp")
    left.rename(other)
    sweep(tmp_path)
    with scratch_folder(tmp_path):
        pass
    assert other.exists()


def test_what_is_being_written_is_not_swept(tmp_path: Path) -> None:
    def write(to: Path) -> None:
        to.write_text("new")
        sweep(tmp_path)

    write_atomically(tmp_path / "a", write)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_temporary_files_of_older_versions_are_swept_once_their_process_is_gone(tmp_path: Path) -> None:
    dead, alive = tmp_path / ".a.999999999-00000000.tmp", tmp_path / f".a.{os.getppid()}-00000000.tmp"
    for path in (dead, alive):
        path.touch()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == [alive]


@pytest.mark.parametrize("name", ["a" * 251 + ".mp4", "配" * 83 + ".mp4", "🎮" * 62 + ".mp4"])
def test_a_file_may_have_the_longest_name_there_is(name: str, tmp_path: Path) -> None:
    """`klip add` could not copy a file whose name left no room for what the temporary one adds."""
    write_atomically(tmp_path / name, lambda to: to.write_text("new"))
    assert [path.name for path in tmp_path.iterdir()] == [name]
