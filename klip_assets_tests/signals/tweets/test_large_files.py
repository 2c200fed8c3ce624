"""Files that do not fit in memory, with limits made small: what comes out is what would come out of memory."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from klip_assets.signals.tweets import json_values, spill, staging
from klip_assets.signals.tweets.merge import merge_copies
from klip_assets.signals.tweets.staging import Staged, stage
from klip_assets_tests.suite.examples import examples

Drop = Callable[..., Path]
ID = 1380242611781386245
DAY = 86_400_000 << 22


def small(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(spill, "MAX_ROWS", 7)
    patch.setattr(staging, "_ROWS_PER_CHUNK", 3)
    patch.setattr(json_values, "_BLOCK_BYTES", 300)


def said(staged: Staged) -> tuple[dict[date, list[dict[str, Any]]], int, int, int, int]:
    parts = {day: part.to_pylist() for day, part in staged.parts.items()}
    return parts, staged.rows_in, staged.rows_out, staged.duplicates, len(staged.refused)


lines = st.lists(
    st.tuples(
        st.integers(0, 6), st.integers(0, 3), st.sampled_from(["a", "bb", "c &amp; d", "#x"]), st.integers(0, 2),
        st.sampled_from(["good", "good", "good", "broken", "page"]),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(lines)
def test_a_file_that_is_spilled_gives_what_memory_gives(
    drop: Drop, tmp_path: Path, entries: list[tuple[int, int, str, int, str]]
) -> None:
    text = ""
    for number, day, words, likes, kind in entries:
        tweet = {"id": str(ID + day * DAY + number), "text": words, "public_metrics": {"like_count": likes}}
        line = json.dumps({"data": [tweet]} if kind == "page" else tweet)
        text += (line[:-2] if kind == "broken" else line) + "\n"
    path = drop(json.dumps({"id": str(ID), "text": "first"}) + "\n" + text)
    expected = said(stage(path))
    with pytest.MonkeyPatch.context() as patch:
        small(patch)
        assert said(stage(path)) == expected


def test_days_are_read_one_at_a_time_and_as_often_as_asked(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    small(monkeypatch)
    chance = random.Random(3)
    numbers = [chance.randrange(60) for _ in range(200)]
    staged = stage(drop([{"id": str(ID + number % 5 * DAY + number), "text": "x"} for number in numbers]))
    assert (staged.rows_in, staged.rows_out) == (200, len(set(numbers)))
    for day in [*staged.parts, *reversed(list(staged.parts))]:
        assert staged.parts[day].equals(merge_copies(staged.parts[day]))
    with pytest.raises(KeyError):
        staged.parts[date(1999, 1, 1)]


def test_a_scratch_folder_that_is_given_is_the_one_that_is_used(
    drop: Drop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    staged = stage(drop([{"id": str(ID + number), "text": "x"} for number in range(20)]), scratch=scratch)
    assert [path.suffix for path in scratch.iterdir()] == [".arrow"] * len(list(scratch.iterdir()))
    assert list(scratch.iterdir())
    assert staged.rows_out == 20


def test_one_id_from_before_ids_had_times_lands_on_one_day_only(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "id,date,text\n20,3/21/06 20:50,just\n21,3/21/06 20:51,b\n20,3/22/06 3:50,just setting up\n"
    for _ in range(2):
        staged = stage(drop(rows, "x.csv"))
        found = {day: part["tweet_id"].to_pylist() for day, part in staged.parts.items()}
        assert found == {date(2006, 3, 21): ["21"], date(2006, 3, 22): ["20"]}
        assert (staged.rows_in, staged.rows_out, staged.duplicates) == (3, 2, 1)
        small(monkeypatch)


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "MAX_ROWS", 5_000)
    monkeypatch.setattr(json_values, "_BLOCK_BYTES", 1 << 18)
    pool, add = pa.default_memory_pool(), spill.Spill.add
    highest = 0

    def watched(self: spill.Spill, table: pa.Table) -> None:
        nonlocal highest
        highest = max(highest, pool.bytes_allocated())
        add(self, table)

    monkeypatch.setattr(spill.Spill, "add", watched)
    peaks = []
    for rows in (20_000, 100_000):
        path = tmp_path / f"{rows}.jsonl"
        with path.open("w") as file:
            for number in range(rows):
                file.write(json.dumps({"id": str(ID + number * (DAY // 2000)), "text": f"number {number} " * 8}) + "\n")
        before, highest = pool.bytes_allocated(), 0
        staged = stage(path)
        for day in staged.parts:
            highest = max(highest, pool.bytes_allocated() + staged.parts[day].nbytes)
        peaks.append(highest - before)
        assert staged.rows_out == rows
    assert peaks[1] < 1.5 * peaks[0], peaks


def test_a_line_longer_than_a_block_is_read_whole(drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "_BLOCK_BYTES", 64)
    page = {"data": [{"id": str(ID + number), "text": f"number {number}"} for number in range(30)]}
    assert stage(drop([page, {"id": str(ID + 99), "text": "x"}])).rows_out == 31


def test_a_line_too_long_to_be_held_is_refused_and_the_next_is_read(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_values, "_BLOCK_BYTES", 64)
    monkeypatch.setattr(json_values, "MAX_DOCUMENT_CHARS", 200)
    long = {"id": str(ID), "text": "x" * 5_000}
    for entries in ([{"id": str(ID + 1), "text": "a"}, long, {"id": str(ID + 2), "text": "b"}],):
        staged = stage(drop(entries))
        assert staged.rows_out == 2
        assert [(r.position, "a line of more than" in r.reason) for r in staged.refused] == [("line 2", True)]
