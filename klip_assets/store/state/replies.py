"""`state/llm.sqlite`: cached replies, dialects of endpoints, and the ledger of calls.

All runs and the command line write to it concurrently; every change is one transaction, so that a kill leaves it either
before or after the change. (SQLite in WAL mode: readers never wait, writers wait milliseconds for each other.)
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from klip_assets.store.state.database import open_database, transaction

#: See `database` for what a migration may do.
MIGRATIONS = (
    """
CREATE TABLE IF NOT EXISTS replies (
    key TEXT PRIMARY KEY,              -- hash of everything the model was given, and of whom
    answer TEXT NOT NULL,              -- the values of a valid answer, as JSON
    status TEXT NOT NULL,              -- ok or repaired
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_version TEXT NOT NULL,
    made_at REAL NOT NULL              -- seconds since 1970
);
CREATE TABLE IF NOT EXISTS dialects (
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    dialect TEXT NOT NULL,             -- how this model is to be asked, as JSON
    PRIMARY KEY (endpoint, model)
);
CREATE TABLE IF NOT EXISTS calls (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    call_id TEXT NOT NULL UNIQUE,
    called_at REAL NOT NULL,
    run_id TEXT NOT NULL,
    table_name TEXT NOT NULL,
    partition TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_version TEXT NOT NULL,
    input_sha256 TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    attempts INTEGER NOT NULL,
    latency_ms REAL,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    cost_usd REAL,
    cached INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_by_run ON calls (run_id);
CREATE INDEX IF NOT EXISTS calls_by_time ON calls (called_at);
CREATE TABLE IF NOT EXISTS reservations (
    call_id TEXT PRIMARY KEY,
    session TEXT NOT NULL,             -- file that is locked while its process lives
    amount_usd REAL NOT NULL,          -- the most the call can cost
    under_way INTEGER NOT NULL,        -- whether its request is; else the amount is what it took so far
    call TEXT NOT NULL                 -- the row of `calls` it becomes if its process dies, as JSON
);
""",
)


@dataclass(frozen=True)
class StoredReply:
    """A cached valid reply.

    Attributes:
        answer: Its values by field.
        status: ok or repaired.
    """

    answer: Mapping[str, float]
    status: str


@dataclass(frozen=True)
class ModelReplies:
    """Summary of the cached replies of one model."""

    endpoint: str
    model: str
    prompt_version: str
    replies: int
    bytes: int
    oldest: float
    newest: float


class Store:
    """The open file, for use by one thread.

    Args:
        path: The SQLite file; created with its folder if absent.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = open_database(path, MIGRATIONS)
        # A kill of the process loses nothing; a power cut may lose the last replies, which are then requested again.
        self._connection.execute("PRAGMA synchronous=NORMAL")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self._connection.execute(query, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Open one transaction; an error in the block rolls it back."""
        with transaction(self._connection, point="llm", subject=self.path.name) as connection:
            yield connection

    def reply(self, key: str) -> StoredReply | None:
        """Return the cached reply to exactly this question, if there is one."""
        for answer, status in self.rows("SELECT answer, status FROM replies WHERE key = ?", (key,)):
            return StoredReply(json.loads(answer), status)
        return None

    def dialect(self, endpoint: str, model: str) -> dict[str, Any] | None:
        """Return the dialect that a model understands, None if not yet known."""
        query = "SELECT dialect FROM dialects WHERE endpoint = ? AND model = ?"
        for (dialect,) in self.rows(query, (endpoint, model)):
            return dict(json.loads(dialect))
        return None

    def remember_dialect(self, endpoint: str, model: str, dialect: Mapping[str, Any]) -> None:
        """Record the dialect that a model understands."""
        with self.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO dialects (endpoint, model, dialect) VALUES (?, ?, ?)",
                (endpoint, model, json.dumps(dialect)),
            )

    def kept(self) -> list[ModelReplies]:
        """Return a summary of the cache, by endpoint, model and prompt version."""
        query = (
            "SELECT endpoint, model, prompt_version, count(*), sum(length(key) + length(answer)), min(made_at), "
            "max(made_at) FROM replies GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        return [ModelReplies(*row) for row in self.rows(query)]

    def clear(self, *, model: str | None = None, before: float | None = None) -> int:
        """Delete replies, and dialects of models. The ledger is kept.

        Args:
            model: Only those of this model.
            before: Only replies made before this time (seconds since 1970); dialects are then kept.

        Returns:
            Number of replies deleted.
        """
        with self.writing() as connection:
            gone = connection.execute(
                "DELETE FROM replies WHERE (? IS NULL OR model = ?) AND (? IS NULL OR made_at < ?)",
                (model, model, before, before),
            ).rowcount
            if before is None:
                connection.execute("DELETE FROM dialects WHERE ? IS NULL OR model = ?", (model, model))
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone


def put_reply(connection: sqlite3.Connection, key: str, reply: StoredReply, of: Sequence[str]) -> None:
    """Cache a valid reply, within the caller's transaction.

    Args:
        connection: The transaction.
        key: From `question_key`.
        reply: The reply.
        of: Endpoint, model and prompt version.
    """
    connection.execute(
        "INSERT OR REPLACE INTO replies (key, answer, status, endpoint, model, prompt_version, made_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (key, json.dumps(dict(reply.answer)), reply.status, *of, time.time()),
    )


def question_key(*parts: object) -> str:
    """Hash everything a reply depends on: prompt version, endpoint, model, parameters, answer mode, messages."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
