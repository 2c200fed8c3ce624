"""Parquet files that expand: a kilobyte can hold gigabytes of what repeats."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from klip_assets.formats.text import FREE_EXPANSION_BYTES
from klip_assets.signals.tweets.parquet_size import batch_bytes, pieces_of
from klip_assets.signals.tweets.staging import stage

ID = 1_933_000_000_000_000_000


def repeated(text: str | bytes, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([text]))


def ids(rows: int) -> pa.Array:
    return pa.array([str(ID + number) for number in range(rows)])


def inside_one_row(values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)


BOMBS: dict[str, Callable[[], pa.Table]] = {
    "many long texts": lambda: pa.table({"id": repeated(str(ID), 600_000), "text": repeated("a" * 20_000, 600_000)}),
    "ten gigabytes at once": lambda: pa.table({"id": ids(2000), "text": repeated("a" * 5_000_000, 2000)}),
    "bytes": lambda: pa.table({"id": ids(2000), "text": repeated(b"a" * 5_000_000, 2000)}),
    "a column nobody asked for": lambda: pa.table(
        {"id": ids(2000), "text": repeated("a", 2000), "other": repeated("a" * 5_000_000, 2000)}
    ),
    "inside a list": lambda: pa.table(
        {"id": ids(1), "text": ["a"], "hashtags": inside_one_row(repeated("a" * 5_000_000, 2000))}
    ),
    "numbers inside a list": lambda: pa.table(
        {"id": ids(1), "text": ["a"], "edit_history_ids": inside_one_row(pa.nulls(20_000_000, pa.int64()).fill_null(0))}
    ),
    "fixed width": lambda: pa.table({"id": ids(2000), "text": pa.array([b"a" * 50_000] * 2000, pa.binary(50_000))}),
    "rows of nothing": lambda: pa.table({name: pa.nulls(5_000_000, pa.string()) for name in ("id", "text")}),
    "one long text": lambda: pa.table({"id": ids(1), "text": ["a" * 100_000_000]}),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_parquet_file_that_expands_too_far_is_refused_with_the_reason(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    pq.write_table(BOMBS[name](), path, compression="zstd")
    assert path.stat().st_size < FREE_EXPANSION_BYTES / 100
    before = pa.default_memory_pool().max_memory()
    began = time.process_time()
    staged = stage(path)
    assert time.process_time() - began < 15
    assert pa.default_memory_pool().max_memory() - before < 2 * FREE_EXPANSION_BYTES
    (refusal,) = [entry for entry in staged.refused if "expands" in entry.reason]
    assert refusal.reason.startswith("the Parquet file expands to more than 67 MB")
    assert refusal.position == ("end of file" if staged.rows_in > 1 else "file")
    assert staged.rows_in < 10_000


@pytest.mark.parametrize(
    "written",
    [{}, {"row_group_size": 700}, {"dictionary_pagesize_limit": 2000}, {"use_dictionary": False}],
    ids=["one group", "many groups", "a full dictionary", "no dictionary"],
)
def test_texts_that_repeat_are_read_however_they_are_stored(written: dict[str, int], tmp_path: Path) -> None:
    rows = 3_000
    chooser = random.Random(1)
    tags = [[{"tag": f"t{chooser.randrange(5 if n < 1500 else 10**6)}"}] * (n % 3) for n in range(rows)]
    entities = pa.struct([("hashtags", pa.list_(pa.struct([("tag", pa.string())])))])
    table = pa.table(
        {
            "id": ids(rows),
            "text": pa.array([f"text {n % 7}" for n in range(rows)]).dictionary_encode(),
            "lang": ["en"] * rows,
            "entities": pa.array([{"hashtags": found} for found in tags], entities),
        }
    )
    path = tmp_path / "tweets.parquet"
    pq.write_table(table, path, **written)
    staged = stage(path)
    assert staged.refused == []
    found = {row["tweet_id"]: row for part in staged.parts.values() for row in part.to_pylist()}
    assert len(found) == rows
    for number in range(rows):
        row = found[str(ID + number)]
        assert (row["text"], row["lang"]) == (f"text {number % 7}", "en")
        assert row["hashtags"] == [entry["tag"] for entry in tags[number]]


def test_a_batch_is_measured_as_if_written_out_and_cut_into_pieces_that_fit() -> None:
    batch = pa.record_batch({"id": ids(500), "text": repeated("a" * 200_000, 500)})
    assert 100_000_000 < batch_bytes(batch) < 101_000_000
    pieces = list(pieces_of(batch))
    assert all(batch_bytes(piece) <= 16 << 20 for piece in pieces)
    assert sum(piece.num_rows for piece in pieces) == 500
    single = pa.record_batch({"text": repeated("a" * 20_000_000, 3)})
    assert [piece.num_rows for piece in pieces_of(single)] == [1, 1, 1]
