from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from klip_assets.cli import main
from klip_assets.settings import Settings
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.processed import query

README = (REPOSITORY / "README.md").read_text()
DOCUMENTS = [
    str(path.relative_to(REPOSITORY)) for folder in (".", "docs") for path in sorted((REPOSITORY / folder).glob("*.md"))
]


def statements() -> list[str]:
    block = README.split("<!-- queries:")[1].split("```sql\n")[1].split("```")[0]
    return [part.strip() for part in block.split(";\n") if part.strip()]


def test_every_query_of_the_readme_runs_on_a_published_warehouse(published: Settings) -> None:
    assert len(statements()) == 13
    for statement in statements():
        query(published, statement)
    recomputed = query(published, statements()[2])
    assert recomputed and all(abs(row["score"] - row["recomputed"]) < 1e-9 for row in recomputed)


def test_every_setting_is_in_the_readme_and_every_variable_there_is_a_setting() -> None:
    documented = set(re.findall(r"KLIP_[A-Z_]+[A-Z]", README.split("## Configuration")[1]))
    assert documented == {f"KLIP_{name.upper()}" for name in Settings.model_fields}


def test_every_command_of_the_readme_exists() -> None:
    commands = " ".join(re.findall(r"`[^`]*`|^klip .*$", README, re.M))
    named = set(re.findall(r"\bklip ([a-z]+)\b", commands))
    context = main.make_context("klip", ["--help"], resilient_parsing=True)
    assert named and named <= set(main.list_commands(context)), named


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_between_documents_lead_somewhere(document: str) -> None:
    path = REPOSITORY / document
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_makefile_has_the_targets_the_readme_names() -> None:
    targets = set(re.findall(r"^([a-z-]+):", Path(REPOSITORY / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`?make ([a-z-]+)", README)) <= targets


def test_help_of_every_command_is_a_sentence() -> None:
    context = main.make_context("klip", ["--help"], resilient_parsing=True)
    for name in main.list_commands(context):
        result = CliRunner().invoke(main, [name, "--help"])
        assert result.exit_code == 0 and "Usage:" in result.output
