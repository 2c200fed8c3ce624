"""The floors of the house: that they hold is `make lint`'s to say; here, that a wrong arrow breaks them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from klip_assets_tests.made import REPOSITORY

LINT = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package alone, with the contracts."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", "*.onnx", "tokenizer.json")
    shutil.copytree(REPOSITORY / "klip_assets", folder / "klip_assets", ignore=ignored)
    shutil.copy(REPOSITORY / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINT, cwd=folder, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True)


def test_the_arrows_of_the_package_as_it_is_hold(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("signals/audio/pitch", "from klip_assets.store.lake.lake import Lake", "tables in, tables out"),
        ("signals/chat/lag", "from klip_assets.signals.speech import words", "Senses do not know each other"),
        ("store/files", "from klip_assets.inbox import recordings", "Floors"),
        ("store/state/memory", "from klip_assets.store.lake import lake", "Inside the store"),
        (
            "products/tweet_days",
            "from klip_assets.products.highlights import picking",
            "Products do not know each other",
        ),
        ("work/due", "import dagster", "Dagster only in defs and definitions"),
    ],
)
def test_a_wrong_import_breaks_its_rule_and_is_named(copy: Path, module: str, line: str, broken: str) -> None:
    path = copy / "klip_assets" / f"{module}.py"
    text = path.read_text()
    path.write_text(
        text.replace("from __future__ import annotations\n", f"from __future__ import annotations\n{line}\n")
    )
    try:
        done = lint(copy)
    finally:
        path.write_text(text)
    assert done.returncode == 1, done.stdout + done.stderr
    assert any(broken in line and "BROKEN" in line for line in done.stdout.splitlines()), done.stdout
    assert f"klip_assets.{module.replace('/', '.')} -> " in done.stdout


def test_a_room_that_no_floor_names_is_an_error(copy: Path) -> None:
    room = copy / "klip_assets" / "attic"
    room.mkdir()
    (room / "__init__.py").write_text("")
    try:
        done = lint(copy)
    finally:
        shutil.rmtree(room)
    assert done.returncode == 1 and "attic" in done.stdout + done.stderr
