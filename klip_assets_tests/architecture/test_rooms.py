"""What docs/architecture.md and the rooms say of each other."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from klip_assets_tests.made import REPOSITORY

PACKAGE = REPOSITORY / "klip_assets"
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
ROOMS = sorted(str(path.parent.relative_to(PACKAGE)) for path in PACKAGE.rglob("*/__init__.py"))
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_says_what_goes_in_and_what_stays_out(room: str) -> None:
    text = docstring(PACKAGE / room / "__init__.py")
    assert "\nPut here: " in text and "\nKeep out: " in text


def test_only_rooms_say_it_and_every_module_says_what_it_is() -> None:
    for path in MODULES:
        text = docstring(path)
        assert len(text) > 15, path
        assert "Put here" not in text and "Keep out" not in text, path


def test_the_page_has_a_line_for_every_room_of_the_floors() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = [name.strip() for layer in contracts[0]["layers"] for name in layer.split("|")]
    rooms = [name for name in floors if (PACKAGE / name).is_dir()]
    assert len(rooms) > 10
    for room in rooms:
        assert re.search(rf"^\| `{room}/` \| [^|]{{10,}} \| [^|]{{5,}} \|$", PAGE, re.M), room


def test_whatever_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:\w+\.)+\w+|\w+(?:/\w+)*/?(?:\w+\.py)?)`", PAGE))
    dotted = {name for name in named if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", name) and not name.endswith(".py")}
    for name in dotted - {"klip.duckdb", "pyproject.toml", "build.build_defs"}:
        path = PACKAGE / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), name
    for name in (name for name in named if "/" in name and name.rstrip("/").split("/")[0] != "data"):
        inside = [PACKAGE / name, *(PACKAGE / room / name for room in ROOMS)]
        assert any(path.exists() for path in inside), name
    assert len(dotted) > 15
