"""Lists of what Klip knows several of: whoever adds one finds here what it still lacks."""

from __future__ import annotations

import pytest

from klip_assets.contracts import DERIVED_TABLES, MARTS, Table
from klip_assets.products.editing import EXPORTS, Export
from klip_assets.store.warehouse.marts.statements import MACROS, statement
from klip_assets_tests.made import REPOSITORY

SQL = REPOSITORY / "klip_assets" / "store" / "warehouse" / "marts"


def texts_below(folder: str) -> str:
    return "\n".join(
        path.read_text(encoding="utf-8") for path in (REPOSITORY / "klip_assets_tests" / folder).rglob("*.py")
    )


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_every_mart_has_its_statement_a_test_and_a_line_in_the_docs(mart: Table) -> None:
    assert mart.reads and mart.published_as == "table"
    assert "SELECT" in statement(mart.name)
    assert mart.name in texts_below("store/warehouse/marts")
    assert f"`{mart.name}`" in (REPOSITORY / "docs" / "tweets.md").read_text(encoding="utf-8")


def test_every_statement_belongs_to_a_table() -> None:
    assert tuple(mart.name for mart in MARTS) == DERIVED_TABLES
    # The day's roll-up is made when the day is processed, by the statement of its name.
    assert {path.stem for path in SQL.glob("*.sql")} == {*DERIVED_TABLES, MACROS, "tweet_daily"}


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.name)
def test_every_list_for_editors_has_a_test_and_stands_in_the_readme(export: Export) -> None:
    assert export.described
    assert f'"{export.name}"' in texts_below("cli")
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (line,) = (line for line in readme.splitlines() if line.startswith("klip highlights") and "--export" in line)
    assert export.name in line.replace(",", " ").split()


def test_no_two_lists_share_a_name() -> None:
    assert len({export.name for export in EXPORTS}) == len(EXPORTS)
