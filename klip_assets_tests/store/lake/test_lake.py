from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path, PurePath

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.contracts import SEGMENT_SENTIMENT, SEGMENTS, TABLES, TWEET_DAILY, VIDEOS, Subject, Table, key_of
from klip_assets.errors import ContractError, InputError, NotFoundError
from klip_assets.store.files import write_atomically
from klip_assets.store.lake.generations import Generation, accepted_generation
from klip_assets.store.lake.lake import Lake, provenance_of
from klip_assets.store.lake.provenance import Provenance, column_hashes, columns_version, data_version

RECORD = Provenance("run", "1", {"recording": "abc"})


def segment(index: int = 0, **more: object) -> dict[str, object]:
    return {"video_id": "v", "segment_index": index, "start_s": 30.0 * index, "end_s": 30.0 * index + 30, **more}


def test_what_is_written_is_read_back(lake: Lake) -> None:
    rows = SEGMENTS.from_rows([segment(0, text="hello"), segment(1)])
    lake.write(SEGMENTS, "v", rows, RECORD)
    assert lake.read(SEGMENTS, "v").equals(rows)
    assert lake.keys(SEGMENTS) == ["v"]


def test_the_footer_says_where_the_rows_come_from(lake: Lake) -> None:
    lake.write(SEGMENTS, "v", SEGMENTS.from_rows([segment()]), replace(RECORD, notes={"engine": "captions"}))
    found = lake.provenance(SEGMENTS, "v")
    assert found is not None
    assert (found.run_id, found.rows, found.input_versions, found.notes) == (
        "run", 1, {"recording": "abc"}, {"engine": "captions"}
    )  # fmt: skip
    assert datetime.fromisoformat(found.written_at)


def test_failed_rows_are_counted(lake: Lake) -> None:
    rows = SEGMENT_SENTIMENT.from_rows(
        [{"video_id": "v", "segment_index": i, "status": status} for i, status in enumerate(["ok", "failed", "failed"])]
    )
    assert lake.write(SEGMENT_SENTIMENT, "v", rows, RECORD).failed_rows == 2


@pytest.mark.parametrize("status", ["failed", "skipped"])
def test_a_row_that_no_model_read_can_have_no_score(lake: Lake, status: str) -> None:
    row = {"video_id": "v", "segment_index": 0, "status": status, "joy": 0.5}
    with pytest.raises(ContractError, match=f"column joy, row 0: 0.5 in a row with status {status}"):
        lake.write(SEGMENT_SENTIMENT, "v", SEGMENT_SENTIMENT.from_rows([row]), RECORD)


def test_an_empty_partition_keeps_its_schema(lake: Lake) -> None:
    lake.write(SEGMENTS, "v", SEGMENTS.empty(), RECORD)
    assert lake.read(SEGMENTS, "v").schema.equals(SEGMENTS.schema)


def test_a_missing_partition_is_named(lake: Lake) -> None:
    with pytest.raises(NotFoundError, match="segments has no partition 'nope'"):
        lake.read(SEGMENTS, "nope")
    assert lake.provenance(SEGMENTS, "nope") is None


@pytest.mark.parametrize("key", ["", "..", "../x", "a/b", ".hidden", "-dash", "a\nb", "a b", "ü", "x=1"])
def test_a_key_never_names_another_folder(lake: Lake, key: str) -> None:
    with pytest.raises(InputError):
        lake.path(SEGMENTS, key)


def test_a_refused_write_leaves_the_old_rows(lake: Lake) -> None:
    good = SEGMENTS.from_rows([segment()])
    lake.write(SEGMENTS, "v", good, RECORD)
    with pytest.raises(ContractError):
        lake.write(SEGMENTS, "v", SEGMENTS.from_rows([segment(), segment()]), RECORD)
    assert lake.read(SEGMENTS, "v").equals(good)
    assert [path.name for path in lake.path(SEGMENTS, "v").parent.iterdir()] == ["part-0.parquet"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"segment_index": None}, "column segment_index, row 1: NULL in a key"),
        ({"segment_index": 0}, "duplicate key {'"),
        ({"speech_share": 1.5}, "column speech_share, row 1: 1.5 is out of bounds (0.0 to 1.0)"),
        ({"start_s": -1.0}, "column start_s, row 1: -1.0 is out of bounds"),
        ({"loudness_lufs": float("nan")}, "column loudness_lufs, row 1: nan"),
        ({"loudness_lufs": float("-inf")}, "column loudness_lufs, row 1: -inf"),
    ],
)
def test_a_broken_row_is_named_with_table_column_and_row(lake: Lake, change: dict[str, object], message: str) -> None:
    with pytest.raises(ContractError, match="table segments") as caught:
        lake.write(SEGMENTS, "v", SEGMENTS.from_rows([segment(0), segment(1) | change]), RECORD)
    assert message in str(caught.value)


def test_missing_unknown_and_mistyped_columns_are_named(lake: Lake) -> None:
    rows = SEGMENTS.from_rows([segment()])
    with pytest.raises(ContractError, match=r"missing columns \['text'\]"):
        lake.write(SEGMENTS, "v", rows.drop_columns(["text"]), RECORD)
    with pytest.raises(ContractError, match=r"unknown columns \['extra'\]"):
        lake.write(SEGMENTS, "v", rows.append_column("extra", pa.array([1])), RECORD)
    with pytest.raises(ContractError, match="column start_s: type is int64, expected double"):
        lake.write(SEGMENTS, "v", rows.set_column(2, "start_s", pa.array([0])), RECORD)


def test_column_order_of_the_writer_does_not_matter(lake: Lake) -> None:
    rows = SEGMENTS.from_rows([segment(text="a", speech_share=0.25)])
    lake.write(SEGMENTS, "v", rows.select(rows.schema.names[::-1]), RECORD)
    assert lake.read(SEGMENTS, "v").equals(rows)


def test_volatile_columns_are_outside_the_data_version() -> None:
    early, late = (
        VIDEOS.from_rows([{"video_id": "v", "title": "t", "ingested_at": datetime(2026, 1, day)}]) for day in (1, 2)
    )
    other = VIDEOS.from_rows([{"video_id": "v", "title": "u", "ingested_at": datetime(2026, 1, 1)}])
    assert data_version(VIDEOS, early) == data_version(VIDEOS, late) != data_version(VIDEOS, other)


@given(
    st.lists(
        st.tuples(st.text(max_size=5) | st.none(), st.floats(0, 1) | st.none(), st.integers(0, 9) | st.none()),
        max_size=6,
    ),
    st.integers(0, 6),
)
def test_equal_rows_have_equal_versions_however_they_are_cut(rows: list[tuple], cut: int) -> None:
    whole = SEGMENTS.from_rows(
        segment(i, text=text, speech_share=share, word_count=count) for i, (text, share, count) in enumerate(rows)
    )
    padded = SEGMENTS.from_rows([segment(99, text="before", word_count=3), *whole.to_pylist()]).slice(1)
    pieces = pa.concat_tables([padded.slice(0, cut), padded.slice(cut)])
    assert data_version(SEGMENTS, whole) == data_version(SEGMENTS, pieces)


@given(st.permutations(["", "a", "b", "ab"]).flatmap(lambda t: st.tuples(st.just(t), st.permutations(t))))
def test_different_texts_have_different_versions(pair: tuple[list[str], list[str]]) -> None:
    versions = [
        data_version(SEGMENTS, SEGMENTS.from_rows(segment(i, text=text) for i, text in enumerate(texts)))
        for texts in pair
    ]
    assert (versions[0] == versions[1]) == (pair[0] == pair[1])


def test_null_and_zero_have_different_versions() -> None:
    null, zero = (data_version(SEGMENTS, SEGMENTS.from_rows([segment(word_count=n)])) for n in (None, 0))
    assert null != zero


def test_nested_columns_enter_the_version() -> None:
    def day(tags: list[dict[str, object]]) -> str:
        return data_version(TWEET_DAILY, TWEET_DAILY.from_rows([{"day": datetime(2026, 1, 1), "top_hashtags": tags}]))

    assert day([{"tag": "a", "n": 1}]) != day([{"tag": "a", "n": 2}])


def test_a_write_that_dies_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_text("old")

    def write(temporary: Path) -> None:
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, write)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_without_provenance_has_none(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "plain.parquet")
    assert provenance_of(tmp_path / "plain.parquet") is None
    assert provenance_of(tmp_path / "absent.parquet") is None


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.partition], ids=lambda table: table.name)
def test_a_column_that_a_file_was_written_without_is_null(lake: Lake, table: Table) -> None:
    """Whatever table gets a column: old files go on being read."""
    old = [name for name in table.schema.names if name in table.key] or table.schema.names[:1]
    rows = pa.table({name: pa.nulls(2, table.schema.field(name).type) for name in old})
    path = lake.path(table, "k")
    path.parent.mkdir(parents=True)
    pq.write_table(rows.append_column("of_a_newer_klip", pa.array(["x", "y"])), path)
    read = lake.read(table, "k")
    assert read.schema.names == table.schema.names and read.num_rows == 2
    assert [field.type for field in read.schema] == [field.type for field in table.schema]
    assert all(read[name].null_count == 2 for name in table.schema.names if name not in old)


def test_the_version_of_columns_stays_when_another_column_changes_or_comes(lake: Lake) -> None:
    rows = SEGMENTS.from_rows([{"video_id": "a", "segment_index": 0, "text": "x", "speech_share": 0.5}])
    other = rows.set_column(rows.schema.get_field_index("speech_share"), "speech_share", pa.array([0.25]))
    first, second = column_hashes(rows), column_hashes(other)
    assert columns_version(first, ["text", "video_id"]) == columns_version(second, ["video_id", "text"])
    assert columns_version(first, ["speech_share"]) != columns_version(second, ["speech_share"])
    written = lake.write(SEGMENTS, "a", rows.cast(SEGMENTS.schema), Provenance("r", "0.1.0/1"), by_column=True)
    assert written.columns == first
    assert lake.write(SEGMENTS, "a", rows, Provenance("r", "0.1.0/1")).columns == {}


@pytest.mark.parametrize(("code", "stage"), [("0.1.0/3", "3"), ("0.2.0/3", "3"), ("1", "1"), ("0.1.0/a/b", "b")])
def test_only_what_stands_behind_the_slash_is_the_version_of_a_stage(code: str, stage: str) -> None:
    assert Provenance("r", code).stage_version == stage


def test_a_record_of_a_newer_klip_is_read_as_far_as_it_is_known(lake: Lake) -> None:
    record = Provenance("r", "0.1.0/3", {"recording": "x"})
    accepted = Generation("video_id", "a", {"videos": record}, "source")
    path = lake.root / "_accepted" / "video_id" / "a.json"
    path.parent.mkdir(parents=True)
    entry = asdict(accepted) | {"of_a_newer_klip": 1}
    entry["tables"]["videos"]["of_a_newer_klip"] = [1]
    path.write_text(json.dumps(entry))
    assert accepted_generation(lake, Subject.video("a")) == accepted


@given(st.text(st.sampled_from("abc019-_"), min_size=1, max_size=12))
def test_a_key_is_told_from_the_name_of_its_folder(key: str) -> None:
    subject = Subject.of(key)
    assert key_of(subject.folder) == key and key_of(PurePath("lake", "videos", subject.folder)) == key
    assert Subject.of("2026-06-12").is_day and not Subject.of(f"{key}2026-06-12").is_day
