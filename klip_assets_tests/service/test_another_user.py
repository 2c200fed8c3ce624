"""Another user of the machine: reads what is published, with the Python client and with an older command line.

A process of uid 65534 opens the file. It is started by root, so these tests need root; the interpreter and the
command line may lie where nobody else may enter, so the one lets go of its rights after its imports, and the other is
copied to the folder that everybody may enter.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from klip_assets.contracts import PUBLISHED_TABLES, TABLES
from klip_assets.settings import Settings
from klip_assets_tests.processed import publish_again

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user"),
]

NOBODY = 65534

#: Reads a whole row of everything there is: a count alone would not open the files behind a view.
LISTED = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY ALL"
READ = "SELECT count(*) AS n, bit_xor(hash(t)) AS everything FROM {name} AS t"

_CLIENT = f"""
import json, os, sys
import duckdb
os.setgroups([])
os.setgid({NOBODY})
os.setuid({NOBODY})
path, read_only = sys.argv[1], sys.argv[2] == "read_only"
with duckdb.connect(path, read_only=read_only) as connection:
    names = [name for (name,) in connection.execute({LISTED!r}).fetchall()]
    print(json.dumps({{name: connection.execute({READ!r}.format(name=name)).fetchone()[0] for name in names}}))
"""


@pytest.fixture
def shared(published: Settings) -> Iterator[Settings]:
    """The published installation, moved to where everybody may look; views hold absolute paths, so published there."""
    root = Path(tempfile.mkdtemp(prefix="klip-shared-"))
    try:
        root.chmod(0o755)
        if _as_nobody("test", "-x", str(root)).returncode:
            pytest.skip(f"{root} can't be entered by another user")
        shutil.copytree(published.data_dir, root / "data", symlinks=True)
        settings = Settings(data_dir=root / "data")
        publish_again(settings)
        yield settings
    finally:
        shutil.rmtree(root)


@pytest.fixture
def command_line(shared: Settings) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run PyPI's `duckdb` as another user."""
    package = pytest.importorskip("duckdb_cli", reason="duckdb-cli is not installed (pip install -e .[dev])")
    program = shutil.copy(Path(package.__file__).with_name("duckdb"), shared.data_dir.parent)
    return lambda *arguments: _as_nobody(program, "-batch", "-no-init", "-json", *arguments)


def test_the_python_client_reads_every_table_and_view(shared: Settings) -> None:
    done = _python(shared.warehouse_path, "read_only")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == _rows(shared)


def test_the_command_line_of_an_older_version_reads_every_table_and_view(
    shared: Settings, command_line: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    version = command_line("-version").stdout.split()[0].lstrip("v")
    assert _number(version) < _number(duckdb.__version__), "the command line is to be older than our DuckDB"
    expected = _rows(shared)
    listed = command_line("-readonly", str(shared.warehouse_path), LISTED)
    assert [row["table_name"] for row in json.loads(listed.stdout)] == sorted(expected), listed.stderr
    for name, rows in expected.items():
        done = command_line("-readonly", str(shared.warehouse_path), READ.format(name=name))
        assert done.returncode == 0, f"{name}: {done.stderr}"
        assert json.loads(done.stdout)[0]["n"] == rows, name


def test_opening_it_for_writing_says_permission_denied_and_harms_nothing(
    shared: Settings, command_line: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    before = _everything(shared.data_dir)
    writing = "CREATE TABLE mine AS SELECT 1 AS n"
    refused = [_python(shared.warehouse_path, "read_write"), command_line(str(shared.warehouse_path), writing)]
    for done in refused:
        assert done.returncode != 0
        assert "Permission denied" in done.stderr
    assert _everything(shared.data_dir) == before
    assert _python(shared.warehouse_path, "read_only").returncode == 0


def test_the_publish_after_a_refused_write_is_read_by_the_other_user(shared: Settings) -> None:
    first = shared.warehouse_path.resolve().name
    assert _python(shared.warehouse_path, "read_write").returncode != 0
    publish_again(shared)
    assert shared.warehouse_path.resolve().name != first
    done = _python(shared.warehouse_path, "read_only")
    assert json.loads(done.stdout) == _rows(shared), done.stderr


def _as_nobody(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "HOME": "/nonexistent"}
    rights = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    return subprocess.run(command, **rights, cwd="/", env=environment, capture_output=True, text=True)  # type: ignore[call-overload]


def _python(path: Path, mode: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", _CLIENT, str(path), mode], cwd="/", capture_output=True, text=True)


def _rows(settings: Settings) -> dict[str, int]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        names = [name for (name,) in connection.execute(LISTED).fetchall()]
        found = {name: connection.execute(READ.format(name=name)).fetchone()[0] for name in names}
    assert found.keys() == set(PUBLISHED_TABLES)
    assert any(found[name] for name in PUBLISHED_TABLES if TABLES[name].published_as == "view")
    return found


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")[:2]]


def _everything(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
