from __future__ import annotations

import ast
from pathlib import Path

import dagster as dg
import pytest

import klip_assets
from klip_assets.defs import tags

PACKAGE = Path(klip_assets.__file__).parent
MODULES = sorted(path for room in ("defs", "cli") for path in (PACKAGE / room).rglob("*.py") if path.name != "tags.py")


def test_every_state_of_a_run_is_unfinished_or_finished() -> None:
    ends, goes_on = set(tags.FINISHED_RUNS), set(tags.UNFINISHED_RUNS)
    assert not ends & goes_on
    # Runs of Klip are neither managed by another tool nor suspended.
    others = {dg.DagsterRunStatus.MANAGED, dg.DagsterRunStatus.SUSPENDED}
    assert ends | goes_on == set(dg.DagsterRunStatus) - others
    assert set(tags.QUEUED_OR_STARTED_RUNS) | set(tags.RUNS_OF_A_PROCESS) <= goes_on


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_tags_and_states_of_runs_are_named_in_one_module(path: Path) -> None:
    names = {value for name, value in vars(tags).items() if name.endswith("_TAG")}
    assert tags.PARTITION_TAG in names
    for node in ast.walk(ast.parse(path.read_text())):
        assert not (isinstance(node, ast.Constant) and node.value in names), f"{path}:{node.lineno}"
        assert not (isinstance(node, ast.Attribute) and node.attr == "DagsterRunStatus"), f"{path}:{node.lineno}"
