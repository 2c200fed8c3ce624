from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from time import time

import pytest

from klip_assets.contracts import Subject
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import accepted_at
from klip_assets.store.lake.lake import Lake
from klip_assets.store.locks import hold, publish_lock, subject_lock
from klip_assets.store.processes import this_process
from klip_assets.store.state.ledger import open_session
from klip_assets.store.state.replies import Store, StoredReply, put_reply
from klip_assets.work import leftovers
from klip_assets.work.leftovers import Freed, compacted, free, remove_leftovers
from klip_assets_tests.processed import publish_again

ALIVE = this_process()
DEAD = ALIVE.replace(f"{os.getpid()}:", "999999999:", 1)
OF_ANOTHER_HOST = "999999999:1:00000000:11111111"


def remove(settings: Settings, days: int = 0, *, dry_run: bool = False) -> dict[str, tuple[int, int]]:
    """Remove leftovers; return bytes and count by kind."""
    total: dict[str, tuple[int, int]] = {}
    for part in remove_leftovers(settings, older_than=timedelta(days=days), dry_run=dry_run):
        size, count = total.get(part.kind, (0, 0))
        total[part.kind] = (size + part.bytes, count + part.count)
    return {kind: found for kind, found in total.items() if found != (0, 0)}


def temporary(folder: Path, process: str, size: int = 100) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".part-0.parquet.{process.replace(':', '-')}-0a1b2c3d.tmp"
    path.write_bytes(bytes(size))
    return path


def content(*folders: Path) -> dict[Path, tuple[int, int]]:
    """Return the size and time of change of all that lies in folders."""
    found = {}
    for path in (path for folder in folders for path in folder.rglob("*")):
        status = path.lstat()
        found[path] = (status.st_size, status.st_mtime_ns)
    return found


def test_temporaries_of_dead_processes_go_wherever_they_are(settings: Settings) -> None:
    places = ("lake/videos/video_id=a", "warehouse", "models/weights", "state", ".dagster", "exports")
    left = [temporary(settings.data_dir / place, DEAD) for place in places]
    scratch = settings.scratch_dir / f".scratch.{DEAD.replace(':', '-')}-0a1b2c3d.tmp" / "deep"
    scratch.mkdir(parents=True)
    (scratch / "1").write_bytes(bytes(50))
    assert remove(settings, dry_run=True) == {"leftovers": (650, 7)} and all(path.exists() for path in left)
    assert remove(settings) == {"leftovers": (650, 7)}
    assert not any(path.exists() for path in left) and settings.scratch_dir.is_dir() and not scratch.parent.exists()
    assert remove(settings) == {}


@pytest.mark.parametrize("process", [ALIVE, OF_ANOTHER_HOST], ids=["alive", "of another host"])
def test_temporaries_that_may_be_in_use_stay(settings: Settings, process: str) -> None:
    kept = temporary(settings.lake_dir / "videos" / "video_id=a", process)
    scratch = settings.scratch_dir / f".scratch.{process.replace(':', '-')}-0a1b2c3d.tmp"
    scratch.mkdir(parents=True)
    assert remove(settings) == {} and kept.exists() and scratch.exists()


def test_the_inbox_is_its_owners(settings: Settings) -> None:
    kept = [temporary(folder, DEAD) for folder in (settings.vod_inbox, settings.tweet_inbox / "more")]
    assert remove(settings) == {} and all(path.exists() for path in kept)


def test_names_that_only_look_like_temporaries_stay(settings: Settings) -> None:
    kept = [settings.data_dir / name for name in (".notes.tmp", "a.999999999-0a1b2c3d.tmp", ".a.999999999.tmp")]
    for path in kept:
        path.touch()
    assert remove(settings) == {} and all(path.exists() for path in kept)


def test_what_a_killed_publisher_left_goes_unless_one_is_at_work(published: Settings) -> None:
    folder = published.warehouse_dir
    (folder / ".building-99.duckdb").write_bytes(bytes(10))
    (folder / ".klip-99").mkdir()
    (folder / ".klip-99" / "a").write_bytes(bytes(5))
    with hold(publish_lock(published.state_dir), what="the warehouse", timeout_s=0):
        assert remove(published) == {} == remove(published, dry_run=True)
    assert remove(published) == {"leftovers": (15, 2)}
    assert publish_again(published).rows


def test_accepted_and_published_states_models_and_the_inbox_stay(published: Settings) -> None:
    publish_again(published)
    kept = published.lake_dir / "_generations" / "videos" / "video_id=stream" / "earlier.parquet"
    shutil.copy(next(kept.parent.glob("*.parquet")), kept)
    (published.models_dir / "compact-1").mkdir(parents=True)
    (published.models_dir / "compact-1" / "model.onnx").write_bytes(bytes(100))
    places = (published.lake_dir, published.warehouse_dir, published.models_dir, published.vod_inbox.parent)
    before = content(*places)
    assert len(list(published.warehouse_dir.glob(".klip-*.duckdb"))) >= 1
    remove(published)
    assert content(*places) == before


def test_replies_that_were_paid_for_stay_and_unused_pages_go(settings: Settings) -> None:
    reply = StoredReply({"joy": 0.5}, "ok")
    with Store(settings.llm_path) as store, store.writing() as connection:
        put_reply(connection, "kept", reply, ("here", "kept", "1"))
        for number in range(500):
            put_reply(connection, f"{number}" * 100, reply, ("here", "cleared", "1"))
    with Store(settings.llm_path) as store:
        store.clear(model="cleared")
    before = settings.llm_path.stat().st_size
    freed = remove(settings)
    assert freed["caches"] == (before - settings.llm_path.stat().st_size, 1) and freed["caches"][0] > 50_000
    with Store(settings.llm_path) as store:
        assert store.reply("kept") == reply
    assert remove(settings) == {}


@pytest.fixture
def transcript(published: Settings) -> Path:
    """An unfinished transcript of the accepted stream, from before it was accepted."""
    path = published.chunk_log("stream")
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}\n")
    accepted = accepted_at(Lake(published.lake_dir), Subject.video("stream"))
    assert accepted
    os.utime(path, (accepted - 60, accepted - 60))
    return path


def test_an_unfinished_transcript_goes_once_its_video_was_accepted(published: Settings, transcript: Path) -> None:
    assert remove(published, dry_run=True) == {"caches": (3, 1)} and transcript.exists()
    assert remove(published) == {"caches": (3, 1)} and not transcript.exists()


def test_an_unfinished_transcript_of_newer_content_stays(published: Settings, transcript: Path) -> None:
    os.utime(transcript)
    assert remove(published) == {} and transcript.exists()


def test_an_unfinished_transcript_stays_for_the_days_asked_for(published: Settings, transcript: Path) -> None:
    assert remove(published, days=30) == {} and transcript.exists()
    month = time() - 31 * 86400
    os.utime(transcript, (month, month))
    assert remove(published, days=30) == {"caches": (3, 1)}


def test_a_transcript_stays_while_somebody_works_on_its_video(published: Settings, transcript: Path) -> None:
    with hold(subject_lock(published.lake_dir, Subject.video("stream")), what="video stream", timeout_s=0):
        assert remove(published) == {} and transcript.exists()


def test_a_transcript_of_a_video_that_is_unknown_or_gone_goes(published: Settings) -> None:
    published.chunk_log("_").parent.mkdir(exist_ok=True)
    published.chunk_log("unknown").write_text("{}\n")
    assert remove(published) == {"caches": (3, 1)}


def test_a_transcript_stays_where_the_whole_inbox_is_gone(published: Settings, transcript: Path) -> None:
    os.utime(transcript)
    for path in published.vod_inbox.iterdir():
        path.unlink()
    assert remove(published) == {}
    published.vod_inbox.rmdir()
    assert remove(published) == {}
    published.vod_inbox.mkdir()
    (published.vod_inbox / "other.mp4").touch()
    assert remove(published) == {"caches": (3, 1)}


def test_locks_of_dead_sessions_go_and_those_of_living_stay(settings: Settings) -> None:
    folder = settings.llm_path.with_name("llm-sessions")
    with open_session(settings.llm_path) as (_, session):
        (folder / "dead.lock").write_text("old")
        (folder / "young.lock").write_text("new")
        for name in ("dead.lock", session.name):
            os.utime(folder / name, (time() - 7200, time() - 7200))
        assert remove(settings) == {"caches": (3, 1)}
        assert {path.name for path in folder.iterdir()} == {session.name, "young.lock"}


def test_a_file_that_has_another_name_frees_nothing(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "1").write_bytes(bytes(100))
    (tmp_path / "b" / "1").hardlink_to(tmp_path / "a" / "1")
    assert free("leftovers", [tmp_path / "a"]) == Freed("leftovers", 0, 1)
    assert free("leftovers", [tmp_path / "b"]) == Freed("leftovers", 100, 1)
    assert free("leftovers", [tmp_path / "b"]) == Freed("leftovers", 0, 0)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A SQLite file in WAL mode, half of which is unused."""
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE a (text TEXT)")
        connection.executemany("INSERT INTO a VALUES (?)", [("x" * 1000,)] * 1000)
        connection.execute("DELETE FROM a WHERE rowid % 2 = 0 OR rowid > 500")
        connection.commit()
    return path


def test_unused_pages_of_a_database_go_and_its_rows_stay(database: Path) -> None:
    before = database.stat().st_size
    promised = compacted(database, "state", dry_run=True)
    done = compacted(database, "state")
    assert done == Freed("state", before - database.stat().st_size, 1) and done.bytes >= promised.bytes > 500_000
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("SELECT count(*) FROM a").fetchone() == (250,)
    assert compacted(database, "state") == Freed("state")


def test_a_database_that_somebody_writes_to_is_left_and_that_is_said(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "_WAIT_S", 0.01)
    before = database.stat().st_size
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        found = compacted(database, "state")
    assert found.bytes == 0 and found.left == "a.db was left as it is: database is locked"
    assert database.stat().st_size == before


def test_a_large_database_is_not_taken_from_those_who_use_it(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compacted(database, "state", busy=True, dry_run=True).bytes
    monkeypatch.setattr(leftovers, "_QUICK_BYTES", 1000)
    found = compacted(database, "state", busy=True)
    assert found.bytes == 0 and "stop klip dev" in found.left


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    assert compacted(tmp_path / "a.db", "state") == Freed("state")
    assert list(tmp_path.iterdir()) == []
