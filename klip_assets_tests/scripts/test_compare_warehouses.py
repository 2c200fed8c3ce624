from __future__ import annotations

import sys
from pathlib import Path

import duckdb
import pytest

from klip_assets_tests.programs import load

program = load("scripts/compare_warehouses.py")

WEIGHTS = "CREATE TABLE weights AS SELECT 'klip-2' AS weights_version, 'chat_term' AS term, 0.5 AS weight"


@pytest.fixture
def make(tmp_path: Path):
    def warehouse(name: str, *statements: str) -> Path:
        with duckdb.connect(str(tmp_path / name)) as connection:
            for statement in statements:
                connection.execute(statement)
        return tmp_path / name

    return warehouse


def test_a_file_is_the_same_as_itself(make) -> None:
    a, b = make("a", WEIGHTS), make("b", WEIGHTS)
    ((entry,), new) = program.compare(a, b)
    assert entry.same and entry.rows == (1, 1) and entry.columns == ["weights_version", "term", "weight"]
    assert new == []


@pytest.mark.parametrize(
    "change",
    ["UPDATE weights SET weight = 0.6", "UPDATE weights SET term = NULL", "DELETE FROM weights",
     "INSERT INTO weights FROM weights", "ALTER TABLE weights DROP weight", "DROP TABLE weights"],
)  # fmt: skip
def test_every_change_of_a_value_row_column_or_table_is_a_difference(
    make, change: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = make("a", WEIGHTS), make("b", WEIGHTS, change)
    assert [entry.same for entry in program.compare(a, b)[0]] == [False]
    monkeypatch.setattr(sys, "argv", ["compare_warehouses.py", str(a), str(b)])
    assert program.main() == 1
    assert "1 different: weights" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["compare_warehouses.py", str(a), str(b), "--skip", "weights"])
    assert program.main() == 0


def test_null_equals_null_and_nan_equals_nan(make) -> None:
    rows = "CREATE TABLE segments AS SELECT 'v' AS video_id, NULL::DOUBLE AS a, 'nan'::DOUBLE AS b"
    assert program.compare(make("a", rows), make("b", rows))[0][0].same


def test_what_only_the_newer_file_has_is_named_and_no_difference(make) -> None:
    a = make("a", WEIGHTS)
    b = make("b", WEIGHTS, "ALTER TABLE weights ADD COLUMN more INTEGER", "CREATE TABLE other (x INTEGER)")
    ((entry,), new) = program.compare(a, b)
    assert entry.same and entry.added == ["more"] and new == ["other"]


def test_volatile_columns_are_left_aside(make) -> None:
    made = "CREATE TABLE quarantine AS SELECT 'f' AS source_file, TIMESTAMP '2026-06-1{}' AS seen_at"
    ((entry,), _) = program.compare(make("a", made.format(1)), make("b", made.format(2)))
    assert entry.same and entry.columns == ["source_file"]


def test_a_column_named_on_the_command_line_is_left_aside(make) -> None:
    a, b = make("a", WEIGHTS), make("b", WEIGHTS, "UPDATE weights SET weight = 0.6")
    assert program.compare(a, b, skip=frozenset({"weights.weight"}))[0][0].same


def test_runs_and_times_of_provenance_are_left_aside(make) -> None:
    made = "CREATE TABLE provenance AS SELECT 'tweets' AS table_name, '{0}' AS run_id, '{0}' AS written_at, 1 AS rows"
    ((entry,), _) = program.compare(make("a", made.format("x")), make("b", made.format("y")))
    assert entry.same and entry.columns == ["table_name", "rows"]


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["compare_warehouses.py", str(tmp_path / "a.duckdb"), str(tmp_path)])
    with pytest.raises(SystemExit, match="2"):
        program.main()
    assert "a.duckdb: no such file" in capsys.readouterr().err
