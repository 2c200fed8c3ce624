from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from klip_assets.errors import InputError
from klip_assets.signals.chat.authors import salt_version
from klip_assets.store.state.salt import read_salt


def test_a_salt_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "chat_salt"
    salt = read_salt(path)
    assert len(salt) == 32 and path.stat().st_mode & 0o777 == 0o600
    assert read_salt(path) == salt != read_salt(tmp_path / "other" / "chat_salt")
    assert salt_version(salt) == salt_version(read_salt(path))
    assert salt.hex().find(salt_version(salt)) == -1
    assert {found.name for found in path.parent.iterdir()} == {"chat_salt", "chat_salt.lock"}


def test_processes_that_ask_for_a_salt_at_once_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "chat_salt"
    asks = (
        "import sys, pathlib; from klip_assets.store.state.salt import read_salt; "
        "print('ready', flush=True); sys.stdin.read(); print(read_salt(pathlib.Path(sys.argv[1])).hex())"
    )
    command, pipe = [sys.executable, "-c", asks, str(path)], subprocess.PIPE
    asking = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=os.environ) for _ in range(4)]
    assert [process.stdout.readline() for process in asking if process.stdout] == ["ready\n"] * 4
    for process in asking:
        assert process.stdin
        process.stdin.close()
    answers = {process.stdout.read().strip() for process in asking if process.stdout}
    assert [process.wait() for process in asking] == [0] * 4
    assert answers == {path.read_bytes().hex()}


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_file_that_holds_no_salt_is_named_and_not_replaced(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "chat_salt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"chat_salt: {len(content)} bytes"):
        read_salt(path)
    assert path.read_bytes() == content
