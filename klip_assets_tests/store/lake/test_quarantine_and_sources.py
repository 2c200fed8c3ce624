from __future__ import annotations

import os
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from klip_assets.contracts import QUARANTINE, TWEETS_DELETED, TWEETS_RAW
from klip_assets.formats.refused import MAX_LISTED, Refused
from klip_assets.store.files import scratch_folder
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.quarantine import quarantine, refused_sources
from klip_assets.store.lake.tweet_sources import (
    add_source,
    day_version,
    day_versions,
    deleted_on,
    remove_source,
    sources_of,
)

DAY = date(2026, 6, 13)


def raw(*ids: str) -> pa.Table:
    return TWEETS_RAW.from_rows(
        {"tweet_id": i, "day": DAY, "created_at": datetime(2026, 6, 13), "text": "x"} for i in ids
    )


def test_a_source_with_any_name_can_be_quarantined(lake: Lake) -> None:
    name = "odd/../näme 'quoted' \n.json"
    quarantine(lake, name, "tweets", [Refused("line 3", "not JSON", "{")], run_id="r")
    assert refused_sources(lake, "tweets") == {name: "not JSON"}
    assert refused_sources(lake, "videos") == {}


def test_a_source_is_replaced_whole_and_cleared_when_it_is_clean(lake: Lake) -> None:
    quarantine(lake, "a", "tweets", [Refused("line 1", "x", ""), Refused("line 2", "x", "")], run_id="r")
    quarantine(lake, "b", "tweets", [Refused("file", "y", "")], run_id="r")
    quarantine(lake, "a", "tweets", [Refused("line 9", "z", "")], run_id="r")
    assert refused_sources(lake, "tweets") == {"a": "z", "b": "y"}
    quarantine(lake, "a", "tweets", [], run_id="r")
    assert refused_sources(lake, "tweets") == {"b": "y"}


def test_a_file_that_is_broken_throughout_does_not_fill_the_table(lake: Lake) -> None:
    quarantine(lake, "a", "tweets", [Refused(f"line {i}", "x", "") for i in range(MAX_LISTED + 5)], run_id="r")
    rows = lake.read(QUARANTINE, lake.keys(QUARANTINE)[0])
    assert rows.num_rows == MAX_LISTED
    assert rows.to_pylist()[-1]["detail"] == "6 more"


def test_a_day_knows_its_sources_and_their_names(lake: Lake) -> None:
    add_source(lake, "b" * 64, "late.jsonl", [(DAY, raw("2"))])
    add_source(lake, "a" * 64, "sub/early.jsonl", [(DAY, raw("1"))])
    found = sources_of(lake, "2026-06-13")
    assert [(source.name, source.rows()["tweet_id"].to_pylist()) for source in found] == [
        ("sub/early.jsonl", ["1"]), ("late.jsonl", ["2"])
    ]  # fmt: skip


def test_the_version_of_a_day_follows_its_set_of_sources(lake: Lake) -> None:
    add_source(lake, "a" * 64, "a", [(DAY, raw("1"))])
    alone = day_version(lake, "2026-06-13")
    add_source(lake, "a" * 64, "a", [(DAY, raw("1"))])
    assert day_version(lake, "2026-06-13") == alone
    add_source(lake, "b" * 64, "b", [(DAY, raw("1"))])
    assert day_versions(lake) != {"2026-06-13": alone}
    assert remove_source(lake, "b" * 64) == ["2026-06-13"]
    assert day_versions(lake) == {"2026-06-13": alone}


def test_a_day_whose_last_source_is_gone_is_still_known(lake: Lake) -> None:
    add_source(lake, "a" * 64, "a", [(DAY, raw("1"))])
    remove_source(lake, "a" * 64)
    assert list(day_versions(lake)) == ["2026-06-13"]
    assert sources_of(lake, "2026-06-13") == []


def test_reports_of_deleted_tweets_are_sources_of_their_day(lake: Lake) -> None:
    add_source(lake, "a" * 64, "a", [(DAY, raw("1", "2"))])
    before = day_version(lake, "2026-06-13")
    gone = TWEETS_DELETED.from_rows([{"tweet_id": "2", "day": DAY}])
    add_source(lake, "d" * 64, "deleted.jsonl", [(DAY, gone)], table=TWEETS_DELETED)
    assert deleted_on(lake, "2026-06-13") == {"2"}
    assert [source.name for source in sources_of(lake, "2026-06-13")] == ["a"]
    assert day_versions(lake)["2026-06-13"] != before
    assert remove_source(lake, "d" * 64) == ["2026-06-13"]
    assert day_versions(lake) == {"2026-06-13": before}
    assert deleted_on(lake, "2026-06-13") == set()


def test_rows_from_before_a_column_was_there_are_read_with_nulls(lake: Lake) -> None:
    add_source(lake, "a" * 64, "a", [(DAY, raw("1"))])
    (source,) = sources_of(lake, "2026-06-13")
    rows = pq.read_table(source.path, partitioning=None)
    pq.write_table(rows.drop_columns(["author_is_shown_name"]), source.path)
    assert source.rows().schema.names == TWEETS_RAW.schema.names
    assert source.rows()["author_is_shown_name"].to_pylist() == [None]


def test_rows_from_before_times_of_texts_were_kept_have_the_time_of_their_counts(lake: Lake) -> None:
    counted = datetime(2026, 6, 14)
    at = TWEETS_RAW.schema.get_field_index("observed_at")
    rows = raw("1").set_column(at, TWEETS_RAW.schema.field(at), [[counted]])
    add_source(lake, "a" * 64, "a", [(DAY, rows)])
    (source,) = sources_of(lake, "2026-06-13")
    assert source.rows()["text_observed_at"].to_pylist() == [None]
    pq.write_table(pq.read_table(source.path, partitioning=None).drop_columns(["text_observed_at"]), source.path)
    assert source.rows()["text_observed_at"].to_pylist() == [counted]
    assert source.rows().schema.equals(TWEETS_RAW.schema)


def test_a_scratch_folder_is_removed_and_what_a_dead_process_left_goes_first(tmp_path: Path) -> None:
    dead = tmp_path / ".scratch.999999-00000000.tmp"
    alive = tmp_path / f".scratch.{os.getppid()}-00000000.tmp"
    dead.mkdir()
    alive.mkdir()
    with scratch_folder(tmp_path) as folder:
        assert sorted(tmp_path.iterdir()) == sorted([folder, alive])
        (folder / "x").write_text("x")
    assert list(tmp_path.iterdir()) == [alive]
