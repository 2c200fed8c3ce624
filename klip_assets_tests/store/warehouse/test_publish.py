from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from klip_assets.contracts import PUBLISHED_TABLES, SEGMENTS, TABLES, Subject, sql_type, text_of
from klip_assets.errors import InputError, LockHeldError, NotFoundError
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.stage_status import record_stage
from klip_assets.store.locks import hold, subject_lock
from klip_assets.store.warehouse.publish import publish
from klip_assets.store.warehouse.query import export, run_sql
from klip_assets.work.acceptance import POLICY
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import publish_accepted, waiting
from klip_assets_tests.processed import drop_stream, due, publish_again, query
from klip_assets_tests.worked import work


def test_every_table_is_there_with_its_types_and_comments(published: Settings) -> None:
    columns = query(published, "SELECT table_name, column_name, data_type, comment FROM duckdb_columns()")
    found = {(c["table_name"], c["column_name"]): (c["data_type"], c["comment"]) for c in columns}
    for name in PUBLISHED_TABLES:
        for column in TABLES[name].schema:
            kind, comment = found[(name, column.name)]
            assert kind.replace('"', "") == sql_type(column.type), f"{name}.{column.name}"
            assert comment and comment.startswith(text_of(column.metadata, "description"))
    comments = query(
        published,
        "SELECT table_name AS name, comment FROM duckdb_tables() UNION ALL "
        "SELECT view_name, comment FROM duckdb_views() WHERE NOT internal",
    )
    assert {row["name"] for row in comments} == set(PUBLISHED_TABLES)
    assert all(row["comment"] == TABLES[row["name"]].description for row in comments)


def test_scores_can_be_recomputed_in_sql_from_terms_and_weights(published: Settings) -> None:
    for table in ("segment_scores", "highlights"):
        unpivoted = f"""
            WITH terms AS (
                UNPIVOT {table} ON COLUMNS('_term$') INTO NAME term VALUE value
            ), base AS (
                SELECT video_id, {"segment_index" if table == "segment_scores" else "rank"} AS n,
                       sum(value * weight) / sum(weight) AS base, any_value(score) AS score,
                       any_value(model_score) AS model_score, any_value(weights_version) AS weights_version
                FROM terms JOIN weights USING (weights_version, term) GROUP BY ALL
            )
            SELECT abs(coalesce((1 - w.weight) * base + w.weight * model_score, base) - score) AS difference
            FROM base JOIN weights w ON w.weights_version = base.weights_version AND w.term = 'model_score'"""
        differences = [row["difference"] for row in query(published, unpivoted)]
        assert differences and max(differences) < 1e-9, table


def test_provenance_covers_every_partition_of_every_table(published: Settings) -> None:
    found = {
        (r["table_name"], r["partition"]) for r in query(published, "SELECT table_name, partition FROM provenance")
    }
    for name in PUBLISHED_TABLES:
        table = TABLES[name]
        if table.partition in ("video_id", "day"):
            keys = {"stream"} if table.partition == "video_id" else {"2026-06-12", "2026-06-13"}
            assert {(name, key) for key in keys} <= found, name
    assert {("weights", "part-0.parquet"), ("weights", "weights")} & found or ("weights", "") in found
    empty = query(published, "SELECT * FROM provenance WHERE run_id = '' OR code_version = '' OR data_version = ''")
    assert empty == []


def test_an_open_reader_keeps_what_he_has_and_the_next_sees_the_new(published: Settings) -> None:
    reader = duckdb.connect(str(published.warehouse_path), read_only=True)
    before = reader.execute("SELECT count(*) FROM transcript_words").fetchone()
    drop_stream(published, "second", 8, seed=3)
    work(published)
    assert reader.execute("SELECT count(*) FROM transcript_words").fetchone() == before
    assert reader.execute("SELECT count(*) FROM videos").fetchone() == (1,)
    reader.close()
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 2}]


def test_a_writer_who_squats_on_one_version_harms_no_other(published: Settings) -> None:
    target = published.warehouse_path.resolve()
    target.chmod(0o644)
    squatter = duckdb.connect(str(published.warehouse_path))
    squatter.execute("CREATE TABLE mine AS SELECT 1")
    publish_again(published)
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 1}]
    squatter.close()
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 1}]


def test_the_published_file_is_read_only_and_of_the_pinned_storage_version(published: Settings) -> None:
    assert published.warehouse_path.is_symlink()
    assert published.warehouse_path.stat().st_mode & 0o777 == 0o444
    tags = duckdb.connect().execute(
        f"ATTACH '{published.warehouse_path.resolve()}' AS k (READ_ONLY); "
        "SELECT tags FROM duckdb_databases() WHERE database_name = 'k'"
    ).fetchone()  # fmt: skip
    assert tags and "v1.4" in str(tags[0])


def test_only_the_last_versions_are_kept(published: Settings) -> None:
    for _ in range(4):
        publish_again(published, keep=2)
    databases = sorted(path.name for path in published.warehouse_dir.glob(".klip-*.duckdb"))
    folders = sorted(path.name for path in published.warehouse_dir.glob(".klip-*") if path.is_dir())
    assert len(databases) == 2 and [f"{name}.duckdb" for name in folders] == databases
    assert published.warehouse_path.resolve().name == databases[-1]


def test_what_a_dead_publisher_left_is_cleared_away(published: Settings) -> None:
    (published.warehouse_dir / ".klip-7.duckdb").write_bytes(b"half")
    (published.warehouse_dir / ".klip-8" / "transcript_words").mkdir(parents=True)
    done = publish_again(published, keep=1)
    assert done.version == 8
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 1}]
    assert sorted(p.name for p in published.warehouse_dir.glob(".klip-*")) == [".klip-8", ".klip-8.duckdb"]


def test_a_second_publisher_waits_and_names_the_first(settings: Settings) -> None:
    import threading

    refused: list[str] = []

    def attempt() -> None:
        try:
            publish(
                Lake(settings.lake_dir), settings.warehouse_dir, policy=POLICY, state_dir=settings.state_dir,
                storage_version="v1.4.0", keep_versions=3, timeout_s=0.3,
            )  # fmt: skip
        except LockHeldError as error:
            refused.append(str(error))

    with hold(settings.state_dir / "publish.lock", what="the publish", timeout_s=1):
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
    assert len(refused) == 1 and f"process {os.getpid()}" in refused[0]


def test_an_empty_lake_publishes_every_table_empty(settings: Settings) -> None:
    done = publish_again(settings)
    assert set(done.rows) == set(PUBLISHED_TABLES)
    assert set(done.rows.values()) == {0}


def test_the_stamp_says_when_there_is_something_to_publish(published: Settings, lake: Lake) -> None:
    assert due(published) is None
    drop_stream(published, "second", 8, seed=3)
    work(published)
    assert due(published) is None
    from klip_assets.store.lake.generations import withdraw

    withdraw(lake, Subject.video("second"))
    assert due(published) is not None


def test_a_video_somebody_works_on_is_published_as_it_was(published: Settings, lake: Lake) -> None:
    with hold(subject_lock(lake.root, Subject.video("stream")), what="video stream", timeout_s=1):
        record_stage(lake, "stream", "videos", status="ok", run_id="r", started_at=datetime(2026, 1, 1))
        done = publish_again(published)
        assert "stream" in done.waiting and done.videos == 1
        assert due(published) is None
    assert due(published) is not None


def test_days_are_dates_and_times_are_utc_without_zone(published: Settings) -> None:
    row = query(published, "SELECT typeof(day) AS d, typeof(created_at) AS c FROM tweets LIMIT 1")
    assert row == [{"d": "DATE", "c": "TIMESTAMP"}]


def test_an_export_is_one_file_that_needs_no_other(published: Settings, tmp_path: Path) -> None:
    target = tmp_path / "copy.duckdb"
    rows = export(published.warehouse_path, target, storage_version="v1.4.0")
    assert rows["transcript_words"] == 17
    with duckdb.connect(str(target), read_only=True) as copy:
        views = copy.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchone()
        assert views == (0,)
        comment = copy.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'transcript_words'").fetchone()
        assert comment == ("One row per spoken word.",)
        assert copy.execute("SELECT count(*) FROM audio_features").fetchone() == (70,)


def test_an_export_overwrites_nothing(published: Settings, tmp_path: Path) -> None:
    target = tmp_path / "there.duckdb"
    target.write_text("mine")
    with pytest.raises(InputError, match="exists"):
        export(published.warehouse_path, target, storage_version="v1.4.0")
    assert target.read_text() == "mine"
    with pytest.raises(InputError, match="can't be written"):
        export(published.warehouse_path, Path("/proc/nope/x.duckdb"), storage_version="v1.4.0")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE videos",
        "INSERT INTO weights VALUES ('x', 'y', 1)",
        "COPY videos TO '/tmp/klip_leak.csv'",
        "ATTACH '/tmp/klip_leak.duckdb'",
        "SELECT 1; SELECT 2",
        "SELEC 1",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM nope",
        "",
    ],
)
def test_sql_that_is_not_one_reading_statement_is_refused(published: Settings, statement: str) -> None:
    with pytest.raises(InputError):
        run_sql(published.warehouse_path, statement)
    assert not Path("/tmp/klip_leak.csv").exists()


def test_an_absent_warehouse_is_a_clear_error(settings: Settings) -> None:
    with pytest.raises(NotFoundError, match="klip process"):
        run_sql(settings.warehouse_path, "SELECT 1")


def test_what_waits_is_remembered_until_it_is_published_or_gone(published: Settings, lake: Lake) -> None:
    here = Installation(published)
    now = datetime.now(UTC).replace(tzinfo=None)
    record_stage(lake, "stream", "segments", status="failed", error="no memory", run_id="r", started_at=now)
    assert dict(publish_accepted(here).waiting) == {"stream": ["segments failed: no memory"]}
    assert waiting(here) == {"stream": ["segments failed: no memory"]}
    record_stage(lake, "2026-06-12", "tweets", status="ok", run_id="r", started_at=now)
    publish_accepted(here)
    assert waiting(here) == {"stream": ["segments failed: no memory"]}, "nobody was asked about it again"
    record_stage(lake, "stream", "segments", status="ok", run_id="r", started_at=now)
    publish_accepted(here)
    assert waiting(here) == {}


def test_a_column_that_only_a_newer_klip_knows_is_not_published_and_stops_nothing(
    published: Settings, lake: Lake
) -> None:
    path = lake.path(SEGMENTS, "stream")
    rows = pq.read_table(path, partitioning=None)
    metadata = rows.schema.metadata
    rows = rows.append_column("of_a_newer_klip", pa.array(["x"] * rows.num_rows))
    kept = next((lake.root / "_generations" / "segments" / "video_id=stream").glob("*.parquet"))
    kept.unlink()
    pq.write_table(rows.replace_schema_metadata(metadata), kept)
    before = query(published, "SELECT * FROM segments ORDER BY ALL")
    done = publish_accepted(Installation(published), from_nothing=True)
    assert done.from_nothing and query(published, "SELECT * FROM segments ORDER BY ALL") == before
