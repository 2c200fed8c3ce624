"""What commands answer programs: JSON that any parser reads, and scores that can be taken apart while they stand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from klip_assets.cli import main
from klip_assets.cli.output import show_rows
from klip_assets.contracts import TABLES
from klip_assets.contracts.table import text_of
from klip_assets.settings import Settings
from klip_assets_tests.processed import query
from klip_assets_tests.worked import work


def klip(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="klip")


def strict(text: str) -> Any:
    """Parse JSON as RFC 8259 has it: NaN and infinity are none."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def answer(statement: str) -> dict[str, Any]:
    result = klip("sql", "--json", statement)
    assert result.exit_code == 0, result.output
    (row,) = strict(result.stdout)
    return dict(row)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("sum(n)", 3), ("[sum(n)]", [3]), ("{'a': sum(n), 'b': [sum(n)]}", {"a": 3, "b": [3]}),
        ("1.50::DECIMAL(4, 2)", 1.5),
        ("170141183460469231731687303715884105727::HUGEINT", 2**127 - 1), ("count(*)", 2), ("avg(n)", 1.5),
        ("'nan'::DOUBLE", None), ("['inf'::DOUBLE, 1]", [None, 1.0]), ("'-inf'::FLOAT", None), ("true", True),
        ("NULL", None),
        ("DATE '2026-06-13'", "2026-06-13"), ("TIME '18:00:05'", "18:00:05"),
        ("TIMESTAMP '2026-06-13 18:00:05'", "2026-06-13T18:00:05"),
        ("'0.5'", "0.5"), ("{'x': 'nan'::DOUBLE}", {"x": None}),
    ],
)  # fmt: skip
def test_an_answer_in_json_has_numbers_as_numbers_and_null_for_what_is_none(
    published_to_read: Settings, expression: str, value: object
) -> None:
    found = answer(f"SELECT {expression} AS x FROM (VALUES (1), (2)) AS t(n) LIMIT 1")["x"]
    assert found == value and type(found) is type(value)


@given(st.recursive(st.floats() | st.integers() | st.text() | st.none() | st.decimals(), st.lists, max_leaves=5))
def test_any_answer_is_json(value: object) -> None:
    import io
    from contextlib import redirect_stdout

    with redirect_stdout(io.StringIO()) as printed:
        show_rows([{"x": value}], as_json=True)
    strict(printed.getvalue())


def test_columns_of_the_same_name_are_all_there(published_to_read: Settings) -> None:
    assert answer("SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a") == {"a": 1, "a_1": 2, "a_1_1": 3, "a_2": 4}


#: Values that comments list.
_VALUES = {"no_audio", "tweet_inbox"}


def test_every_column_that_a_comment_names_exists() -> None:
    """Words such as `base_score` in descriptions are columns or tables."""
    names = {table.name for table in TABLES.values()} | {
        name for table in TABLES.values() for name in table.schema.names
    }
    for table in TABLES.values():
        for column in table.schema:
            for word in re.findall(r"\b[a-z]+(?:_[a-z0-9]+)+\b", text_of(column.metadata, "description")):
                assert word in names or word in _VALUES, f"{table.name}.{column.name} speaks of {word}"


OWN = '[mine-1]\nemotion = "max"\n[mine-1.weights]\nrelative_loudness_term = 1.0\nmodel_score = 0.25\n'


@pytest.mark.slow
def test_scores_of_a_set_that_is_no_longer_in_use_can_still_be_taken_apart(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.toml"
    rule = re.search(r'emotion = "(\w+)"', Path("klip_assets/products/highlights/weights.toml").read_text())
    assert rule
    file.write_text(OWN.replace('"max"', f'"{rule[1]}"'))
    monkeypatch.setenv("KLIP_WEIGHTS", str(file))
    assert work(Settings(), videos=["stream"]).ok
    assert query(published, "SELECT DISTINCT weights_version FROM highlights") == [{"weights_version": "mine-1"}]
    monkeypatch.delenv("KLIP_WEIGHTS")
    file.unlink()
    assert work(Settings()).ok
    assert query(published, "SELECT DISTINCT weights_version FROM highlights") == [{"weights_version": "mine-1"}]
    sets = query(published, "SELECT weights_version FROM weights WHERE weights_version = 'mine-1'")
    assert len(sets) == 2
    why = klip("highlights", "stream", "--why")
    assert why.exit_code == 0 and "relative loudness" in why.stdout


@pytest.mark.parametrize("minutes", [7, 25, 40, 45, 50])
def test_minutes_that_do_not_divide_the_hour_are_refused_with_those_that_do(
    minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_X_EVERY_MIN", str(minutes))
    with pytest.raises(ValidationError, match="it can be 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60"):
        Settings()
    result = klip("doctor")
    assert result.exit_code == 1 and f"{minutes} does not divide the hour" in result.output
