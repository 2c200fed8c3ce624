"""The recipes of docs/extending.md name files that are there."""

from __future__ import annotations

import re

import pytest

from klip_assets_tests.made import REPOSITORY

PAGE = (REPOSITORY / "docs" / "extending.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## (.+?)\n(.+?)(?=^## |\Z)", PAGE, re.M | re.S))


def test_there_is_a_recipe_for_each_of_the_eight_changes() -> None:
    assert list(RECIPES) == [
        "A feature column", "A chat format", "A caption format", "A highlight term", "A table per video", "A mart",
        "An emotion", "An export",
    ]  # fmt: skip


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_names_files_that_are_there_and_a_test(recipe: str) -> None:
    named = re.findall(r"`((?:klip_assets|klip_assets_tests)/[^`]+)`", RECIPES[recipe])
    assert [name for name in named if not (REPOSITORY / name).exists()] == []
    modules = [name.replace(".", "/") for name in re.findall(r"`(klip_assets\.[\w.]+)`", RECIPES[recipe])]
    places = [REPOSITORY / name for name in modules]
    assert [place for place in places if not place.is_dir() and not place.with_suffix(".py").is_file()] == []
    assert any(name.startswith("klip_assets/") for name in named)
    assert "test" in RECIPES[recipe] or recipe == "An emotion"
