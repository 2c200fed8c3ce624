from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from klip_assets.cli import main
from klip_assets.env_files import FILE_VARIABLE, KEYS_VARIABLE
from klip_assets.settings import Settings
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.processed import query

README = (REPOSITORY / "README.md").read_text()
QUERIES = (REPOSITORY / "docs" / "queries.md").read_text()
SETTINGS = (REPOSITORY / "docs" / "settings.md").read_text()
DOCUMENTS = [
    str(path.relative_to(REPOSITORY)) for folder in (".", "docs") for path in sorted((REPOSITORY / folder).glob("*.md"))
]


def statements(document: str) -> list[str]:
    blocks = "".join(re.findall(r"```sql\n(.*?)```", document, re.DOTALL))
    return [re.sub(r"^(--.*\n|\n)*", "", part).strip() for part in blocks.split(";\n") if part.strip()]


def test_every_query_of_the_documents_runs_on_a_published_warehouse(published: Settings) -> None:
    assert len(statements(QUERIES)) == 13
    for statement in statements(QUERIES):
        query(published, statement)
    recomputed = query(published, statements(QUERIES)[2])
    assert recomputed and all(abs(row["score"] - row["recomputed"]) < 1e-9 for row in recomputed)


def test_the_queries_of_the_readme_are_four_of_them() -> None:
    shown = statements(README)
    assert len(shown) == 4 and set(shown) <= set(statements(QUERIES))


def test_every_setting_is_documented_and_every_documented_variable_is_a_setting() -> None:
    documented = set(re.findall(r"KLIP_[A-Z_]+[A-Z]", SETTINGS))
    assert documented == {f"KLIP_{name.upper()}" for name in Settings.model_fields} | {FILE_VARIABLE, KEYS_VARIABLE}


def test_the_readme_is_a_page() -> None:
    # What does not fit belongs into docs/.
    assert len(README.split()) < 1_000 and len(README.splitlines()) < 130


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
