"""Files of older and newer versions of Klip, and several that open one at once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path, PurePath

import pytest

from klip_assets.store.state import memory, replies
from klip_assets.store.state.attempts import Attempts
from klip_assets.store.state.database import open_database, transaction
from klip_assets.store.state.ledger import Budget, Call, Ledger, Purpose, open_session, read_calls
from klip_assets.store.state.registry import Registry
from klip_assets.store.state.replies import Store, StoredReply

#: As Klip 0.1.0 made them, before there were numbers.
UNNUMBERED_MEMORY = """
CREATE TABLE recordings (path BLOB PRIMARY KEY, video_id TEXT NOT NULL UNIQUE, signature TEXT NOT NULL DEFAULT '',
    fingerprint TEXT NOT NULL DEFAULT '');
CREATE TABLE contents (sha256 TEXT PRIMARY KEY, video_id TEXT NOT NULL);
CREATE TABLE tweet_files (path BLOB PRIMARY KEY, signature TEXT NOT NULL, sha256 TEXT NOT NULL);
CREATE TABLE leftovers (sha256 TEXT PRIMARY KEY);
CREATE TABLE attempts (subject TEXT PRIMARY KEY, version TEXT NOT NULL, begun INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0, failed_at REAL NOT NULL DEFAULT 0, permanent INTEGER NOT NULL DEFAULT 0);
INSERT INTO recordings VALUES (CAST('a.mp4' AS BLOB), 'a', 's', 'f');
INSERT INTO contents VALUES ('c', 'a');
INSERT INTO tweet_files VALUES (CAST('t.json' AS BLOB), 's', 'h');
INSERT INTO leftovers VALUES ('l');
INSERT INTO attempts VALUES ('a', 'f', 2, 1, 5.0, 0);
"""
UNNUMBERED_REPLIES = """
CREATE TABLE replies (key TEXT PRIMARY KEY, answer TEXT NOT NULL, status TEXT NOT NULL, endpoint TEXT NOT NULL,
    model TEXT NOT NULL, prompt_version TEXT NOT NULL, made_at REAL NOT NULL);
CREATE TABLE dialects (endpoint TEXT NOT NULL, model TEXT NOT NULL, dialect TEXT NOT NULL,
    PRIMARY KEY (endpoint, model));
CREATE TABLE calls (number INTEGER PRIMARY KEY AUTOINCREMENT, call_id TEXT NOT NULL UNIQUE, called_at REAL NOT NULL,
    run_id TEXT NOT NULL, table_name TEXT NOT NULL, partition TEXT NOT NULL, endpoint TEXT NOT NULL,
    model TEXT NOT NULL, prompt_version TEXT NOT NULL, input_sha256 TEXT NOT NULL, status TEXT NOT NULL, error TEXT,
    attempts INTEGER NOT NULL, latency_ms REAL, prompt_tokens INTEGER, completion_tokens INTEGER, cost_usd REAL,
    cached INTEGER NOT NULL);
CREATE INDEX calls_by_run ON calls (run_id);
CREATE INDEX calls_by_time ON calls (called_at);
CREATE TABLE reservations (call_id TEXT PRIMARY KEY, session TEXT NOT NULL, amount_usd REAL NOT NULL,
    under_way INTEGER NOT NULL, call TEXT NOT NULL);
INSERT INTO replies VALUES ('k', '{"joy": 1.0}', 'ok', 'e', 'm', 'p', 5.0);
INSERT INTO dialects VALUES ('e', 'm', '{"has_seed": false}');
INSERT INTO calls VALUES (7, 'old', 5.0, 'r', 't', 'a', 'e', 'm', 'p', 'i', 'ok', NULL, 1, 1.0, 1, 1, 0.5, 0);
"""
CALL = {
    "run_id": "r",
    "table_name": "t",
    "partition": "a",
    "endpoint": "e",
    "model": "m",
    "prompt_version": "p",
    "input_sha256": "i",
}
GROWING = (
    "CREATE TABLE IF NOT EXISTS moods (name TEXT PRIMARY KEY -- of one person; not a crowd\n);",
    "ALTER TABLE moods ADD COLUMN arousal REAL; UPDATE moods SET arousal = 0;",
    "CREATE INDEX by_arousal ON moods (arousal);",
)


def made(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def number(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def schema(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Columns of each table and of each index."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        return {name: connection.execute(f"PRAGMA {kind}_info({name})").fetchall() for kind, name in sorted(names)}


def test_the_memory_of_a_version_without_numbers_keeps_its_rows(tmp_path: Path) -> None:
    path = made(tmp_path / "inbox.sqlite", UNNUMBERED_MEMORY)
    registry = Registry(path)
    assert registry.known()[PurePath("a.mp4")].fingerprint == "f"
    assert registry.staged_files() == {PurePath("t.json"): ("s", "h")} and registry.leftovers() == ["l"]
    assert Attempts(path).all()["a"].begun == 2
    assert registry.register(PurePath("b.mp4"), "s", "f") == "b"
    assert registry.claim_content("c", "b") == "a"
    assert number(path) == len(memory.MIGRATIONS)


def test_the_ledger_of_a_version_without_numbers_keeps_its_rows(tmp_path: Path) -> None:
    path = made(tmp_path / "llm.sqlite", UNNUMBERED_REPLIES)
    with Store(path) as store:
        assert store.reply("k") == StoredReply({"joy": 1.0}, "ok")
        assert store.dialect("e", "m") == {"has_seed": False}
    assert read_calls(path)["call_id"].to_pylist() == ["old"]
    assert number(path) == len(replies.MIGRATIONS)


@pytest.mark.parametrize(
    ("migrations", "script"), [(memory.MIGRATIONS, UNNUMBERED_MEMORY), (replies.MIGRATIONS, UNNUMBERED_REPLIES)]
)
def test_a_file_that_was_made_before_has_the_tables_of_one_that_is_new(
    migrations: Sequence[str], script: str, tmp_path: Path
) -> None:
    old, new = made(tmp_path / "old", script), tmp_path / "new"
    for path in (old, new):
        open_database(path, migrations).close()
    assert schema(old) == schema(new)


@pytest.mark.parametrize("migrations", [memory.MIGRATIONS, replies.MIGRATIONS, GROWING])
def test_from_whatever_number_a_file_comes_its_tables_end_the_same(migrations: Sequence[str], tmp_path: Path) -> None:
    ends = []
    for place in range(len(migrations) + 1):
        path = tmp_path / str(place)
        open_database(path, migrations[:place]).close()
        assert number(path) == place
        open_database(path, migrations).close()
        assert number(path) == len(migrations)
        ends.append(schema(path))
    assert ends[0] and all(end == ends[0] for end in ends)


def test_a_file_that_is_up_to_date_is_opened_without_a_look_at_its_tables(tmp_path: Path) -> None:
    open_database(tmp_path / "a", GROWING).close()
    unreadable = ["this is not SQL;"] * len(GROWING)
    open_database(tmp_path / "a", unreadable).close()


def test_the_memory_of_a_newer_version_is_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "inbox.sqlite"
    registry, attempts = Registry(path), Attempts(path)
    registry.register(PurePath("a.mp4"), "s", "f")
    _make_newer(path)
    assert registry.register(PurePath("b.mp4"), "s", "f") == "b"
    assert registry.register(PurePath("a.mp4"), "s", "g") == "a"
    assert registry.fingerprint_of("a") == "g" and len(registry.known()) == 2
    assert registry.claim_content("c", "a") == "a"
    registry.begin_staging("h")
    registry.record_staged(PurePath("t.json"), "s", "h")
    registry.record_staged(PurePath("t.json"), "s", "i")
    assert registry.leftovers() == ["h"]
    attempts.begin({"a": "1"})
    attempts.give_up("a", "1")
    assert attempts.all()["a"].permanent
    assert number(path) == 1000


def test_the_ledger_of_a_newer_version_is_read_and_written(tmp_path: Path) -> None:
    path = tmp_path / "llm.sqlite"
    Store(path).close()
    _make_newer(path)
    with open_session(path) as (store, session):
        ledger = Ledger(store, session, Purpose("r", "t", "a"), Budget(run_usd=1.0))
        call = Call(**CALL)
        assert ledger.reserve(call, 0.1) is None
        ledger.settle(call)
        ledger.finish(call, "k", StoredReply({"joy": 1.0}, "ok"))
        store.remember_dialect("e", "m", {"has_seed": False})
        assert store.reply("k") and store.dialect("e", "m") and len(store.kept()) == 1
    assert read_calls(path).num_rows == 1
    assert number(path) == 1000


def test_a_lost_call_that_a_newer_version_reserved_is_booked(tmp_path: Path) -> None:
    path = tmp_path / "llm.sqlite"
    call = {**CALL, "call_id": "lost", "called_at": 5.0, "reasoning_tokens": 12}
    with Store(path) as store, store.writing() as connection:
        connection.execute(
            "INSERT INTO reservations (call_id, session, amount_usd, under_way, call) "
            "VALUES ('lost', 'gone', 0.5, 1, ?)",
            (json.dumps(call),),
        )
    with open_session(path):
        pass
    assert read_calls(path)["cost_usd"].to_pylist() == [0.5]


def test_a_failed_migration_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with closing(open_database(path, GROWING[:1])) as connection, transaction(connection):
        connection.execute("INSERT INTO moods (name) VALUES ('calm')")
    before = schema(path)
    broken = (
        *GROWING[:1],
        "ALTER TABLE moods ADD COLUMN arousal REAL; DELETE FROM moods; INSERT INTO nowhere VALUES (1);",
    )
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        open_database(path, broken)
    assert schema(path) == before and number(path) == 1
    with closing(open_database(path, GROWING)) as connection:
        assert connection.execute("SELECT name, arousal FROM moods").fetchall() == [("calm", 0.0)]


def test_what_the_block_raises_undoes_the_transaction(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "a", GROWING)) as connection:
        with pytest.raises(KeyError), transaction(connection):
            connection.execute("INSERT INTO moods (name) VALUES ('calm')")
            raise KeyError
        assert not connection.in_transaction
        assert connection.execute("SELECT count(*) FROM moods").fetchone() == (0,)


def test_a_full_disk_is_told_as_such_where_sqlite_undid_the_transaction_itself(tmp_path: Path) -> None:
    with closing(open_database(tmp_path / "a", GROWING)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="full"), transaction(connection):
            # As SQLite does when it can't even roll back one statement.
            connection.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")
        with transaction(connection):
            connection.execute("INSERT INTO moods (name) VALUES ('calm')")


OPENER = """
import sys
from pathlib import Path
from klip_assets.store.state.database import open_database
from klip_assets_tests.store.state.test_database import GROWING
print("ready", flush=True)
for line in sys.stdin:
    open_database(Path(line.strip()), GROWING).close()
    print("opened", flush=True)
"""


def test_processes_that_open_a_new_file_at_once_all_get_it(tmp_path: Path) -> None:
    """One of eight in a hundred was told "database is locked" when two switched to WAL at once."""
    openers = [
        subprocess.Popen([sys.executable, "-c", OPENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    try:
        for opener in openers:
            assert opener.stdout and opener.stdout.readline() == "ready\n"
        for round_ in range(100):
            for opener in openers:
                assert opener.stdin
                opener.stdin.write(f"{tmp_path / str(round_)}\n")
                opener.stdin.flush()
            assert [opener.stdout.readline() for opener in openers if opener.stdout] == ["opened\n"] * len(openers)
            assert number(tmp_path / str(round_)) == len(GROWING)
    finally:
        for opener in openers:
            opener.communicate()


@pytest.mark.parametrize("point", ["memory.commit", "memory.committed"])
def test_a_kill_around_the_commit_leaves_the_memory_before_or_after_it(point: str, tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path, PurePath; from klip_assets.store.state.registry import Registry; "
        "Registry(Path(sys.argv[1])).register(PurePath('a.mp4'), 's', 'f')"
    )
    path = tmp_path / "inbox.sqlite"
    environment = {**os.environ, "KLIP_FAILPOINT": f"kill {point} inbox.sqlite"}
    done = subprocess.run([sys.executable, "-c", script, str(path)], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(Registry(path).known()) == (point == "memory.committed")


def _make_newer(path: Path) -> None:
    # A column more in each table, as some later version might add it.
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        for (table,) in tables.fetchall():
            connection.execute(f"ALTER TABLE {table} ADD COLUMN later TEXT")
        connection.execute("PRAGMA user_version = 1000")
        connection.commit()
