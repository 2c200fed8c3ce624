from __future__ import annotations

import os
import random
from pathlib import Path

import duckdb
import pytest

from klip_assets.contracts import PUBLISHED_TABLES, STAGE_STATUS, TABLES, Subject
from klip_assets.formats.refused import Refused
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import withdraw
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.quarantine import quarantine
from klip_assets.store.warehouse.publish import Published, publish, published_note
from klip_assets.work.acceptance import POLICY
from klip_assets_tests.processed import drop_stream, drop_tweets, due, process, publish_again, query
from klip_assets_tests.worked import work


def publish_anew(settings: Settings) -> Published:
    return publish(
        Lake(settings.lake_dir), settings.warehouse_dir, policy=POLICY, state_dir=settings.state_dir,
        storage_version=settings.storage_version, keep_versions=9, timeout_s=5, from_nothing=True,
    )  # fmt: skip


def contents(database: Path) -> dict[str, list[tuple[object, ...]]]:
    with duckdb.connect(str(database.resolve()), read_only=True) as connection:
        found = {}
        for name in PUBLISHED_TABLES:
            rows = connection.execute(f"SELECT * FROM {name}").fetchall()
            found[name] = sorted(rows, key=repr)
        return found


def assert_same_as_from_nothing(settings: Settings, step: object = "") -> None:
    before = contents(settings.warehouse_path)
    assert publish_anew(settings).from_nothing
    after = contents(settings.warehouse_path)
    for name in PUBLISHED_TABLES:
        assert before[name] == after[name], f"{name} after {step}"


def test_a_publish_after_a_change_starts_from_the_version_before(published: Settings) -> None:
    drop_stream(published, "second", 8, seed=3)
    drop_stream(published, "third", 8, seed=4)
    work(published)
    before = contents(published.warehouse_path)
    drop_stream(published, "second", 9, seed=5)
    work(published)
    note = published_note(published.warehouse_dir)
    assert note and note["version"] > 2
    done = publish_again(published)
    assert not done.from_nothing
    after = contents(published.warehouse_path)
    assert after["videos"] != before["videos"] and len(after["videos"]) == 3
    assert_same_as_from_nothing(published)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_any_series_of_changes_gives_what_a_publish_from_nothing_gives(published: Settings, seed: int) -> None:
    lake, random_ = Lake(published.lake_dir), random.Random(seed)
    for number in range(5):
        drop_stream(published, f"s{number}", 3, seed=number)
    drop_tweets(published, "more.jsonl", ("2026-06-12", "2026-06-14", "2026-06-15"))
    work(published)
    inserted = 0

    def refuse() -> None:
        reasons = [Refused(f"line {n}", "broken", "x") for n in range(random_.randint(0, 3))]
        quarantine(lake, f"f{random_.randint(0, 2)}.csv", "tweets", reasons, run_id="r")

    def take_out() -> None:
        withdraw(lake, Subject.video(f"s{random_.randint(0, 4)}"))

    def bring_back() -> None:
        for key in lake.keys(TABLES["videos"]):
            os.utime(lake.path(STAGE_STATUS, key))

    def change_a_recording() -> None:
        drop_stream(published, f"s{random_.randint(0, 4)}", 3, seed=random_.randint(10, 99))
        work(published)

    def change_a_day() -> None:
        drop_tweets(published, "more.jsonl", (f"2026-06-{random_.randint(12, 16)}",))
        work(published)

    for step in random_.sample([refuse, take_out, bring_back, change_a_recording, change_a_day, refuse, take_out], 7):
        step()
        inserted += not publish_again(published).from_nothing
        before = contents(published.warehouse_path)
        with duckdb.connect(str(published.warehouse_path.resolve()), read_only=True) as connection:
            for name in ("videos", "highlights", "segment_scores", "provenance", "stage_status", "tweets"):
                key = ", ".join(TABLES[name].key)
                double = connection.execute(f"SELECT {key} FROM {name} GROUP BY ALL HAVING count(*) > 1").fetchall()
                assert double == [], f"{name} after {step.__name__}"
        assert before
    assert inserted >= 5
    assert_same_as_from_nothing(published, f"seed {seed}")


def test_a_version_somebody_wrote_to_is_not_a_base_for_the_next(published: Settings) -> None:
    target = published.warehouse_path.resolve()
    target.chmod(0o644)
    with duckdb.connect(str(target)) as intruder:
        intruder.execute("DELETE FROM videos; CREATE TABLE mine AS SELECT 1 AS n")
    done = publish_again(published)
    assert done.from_nothing
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 1}]
    tables = query(published, "SELECT table_name FROM duckdb_tables()")
    assert "mine" not in {row["table_name"] for row in tables}
    assert not publish_again(published).from_nothing


def test_a_version_of_another_klip_is_not_a_base(published: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("klip_assets.store.warehouse.publish.BUILD", "99")
    assert publish_again(published).from_nothing
    assert not publish_again(published).from_nothing


def test_without_the_note_of_the_last_publisher_everything_is_made_again(published: Settings) -> None:
    (published.warehouse_dir / "published.json").write_text("{half")
    assert publish_again(published).from_nothing
    assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 1}]


def test_a_version_that_is_open_for_writing_is_replaced_at_the_next_look(published: Settings, lake: Lake) -> None:
    import subprocess
    import sys

    published.warehouse_path.resolve().chmod(0o644)
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(published.warehouse_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout and writer.stdin and writer.stdout.readline() == b"open\n"
        with pytest.raises(duckdb.IOException, match="lock"):
            duckdb.connect(str(published.warehouse_path), read_only=True)
        assert "open for writing" in (due(published) or "")
        publish_again(published)
        assert query(published, "SELECT count(*) AS n FROM videos") == [{"n": 1}]
        assert due(published) is None
        writer.stdin.close()


def test_the_kept_storage_version_survives_a_publish_from_the_one_before(published: Settings) -> None:
    assert not publish_again(published).from_nothing
    tags = duckdb.connect().execute(
        f"ATTACH '{published.warehouse_path.resolve()}' AS k (READ_ONLY); "
        "SELECT tags FROM duckdb_databases() WHERE database_name = 'k'"
    ).fetchone()  # fmt: skip
    assert tags and "v1.4" in str(tags[0])


def test_a_data_folder_that_was_moved_is_published_again_and_its_views_work(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published.data_dir.rename(tmp_path / "elsewhere")
    monkeypatch.setenv("KLIP_DATA_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("KLIP_DAGSTER_STORAGE", str(tmp_path / "elsewhere" / ".dagster"))
    moved = Settings()
    assert due(moved) is not None
    assert work(moved).outcomes == {"warehouse": "done"}
    assert query(moved, "SELECT count(*) > 0 AS there FROM transcript_words") == [{"there": True}]
    assert due(moved) is None


def test_a_lost_warehouse_is_made_again_from_the_lake(published: Settings) -> None:
    import shutil

    before = contents(published.warehouse_path)
    shutil.rmtree(published.warehouse_dir)
    assert work(published).outcomes == {"warehouse": "done"}
    after = contents(published.warehouse_path)
    for found in (before, after):  # Each publish writes the weights anew.
        found["provenance"] = [row for row in found["provenance"] if row[0] != "weights"]
    assert after == before


def test_a_lost_memory_of_the_inbox_starts_nothing_again(published: Settings) -> None:
    for path in published.state_dir.glob("inbox.sqlite*"):
        path.unlink()
    rows = [(row["what"], row["outcome"]) for row in process(published).rows]
    assert ("stream", "done") not in rows
    assert query(published, "SELECT count(*) AS n FROM tweets") == [{"n": 4}]
