"""How Klip's SQLite files are opened, and how their tables change from one version of Klip to the next.

A database is made by migrations, texts of SQL that are numbered by their place. A file keeps the number of those it
has in `PRAGMA user_version`; who opens it applies the rest. Files made before there were numbers have 0, and the first
migration finds its tables there.

An older Klip works on with the file of a newer one. So a migration only adds: a table, an index, a column that may be
left out of an INSERT. And each statement names its columns.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from klip_assets.failpoints import fail_point

#: Seconds to wait for another connection that writes.
_WAIT_S = 30.0

_POLL_S = 0.01


def open_database(path: Path, migrations: Sequence[str]) -> sqlite3.Connection:
    """Open a file in WAL mode (readers wait for nobody), its tables brought up to date.

    Args:
        path: The SQLite file; made with its folder if absent.
        migrations: All that there are, each one or more statements that end in semicolons. Published ones never change.

    Returns:
        The connection, without a transaction: see `transaction`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
    try:
        _use_wal(connection)
        # Hardly ever more than this one look at the number.
        while _number(connection) < len(migrations):
            _migrate(connection, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, *, point: str = "", subject: str = "") -> Iterator[sqlite3.Connection]:
    """Open one transaction for writing; what the block raises undoes it.

    Args:
        connection: Of `open_database`.
        point: Begins the names of the fail points before and after the commit; left out, there are none.
        subject: What they say is worked on.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        if point:
            fail_point(f"{point}.commit", subject)
        connection.execute("COMMIT")
    except BaseException:
        # Where the disk is full, SQLite may have undone it already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if point:
        fail_point(f"{point}.committed", subject)


def _use_wal(connection: sqlite3.Connection) -> None:
    # Where two make a file at once, SQLite refuses one of them without waiting: both read, and both want to write.
    deadline = time.monotonic() + _WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(_POLL_S)


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    # The number is read once more inside the transaction: another process may have been faster.
    with transaction(connection):
        number = _number(connection)
        if number < len(migrations):
            for statement in _statements(migrations[number]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")


def _number(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    # One by one, since `executescript` commits the transaction it is called in. A semicolon may stand in a comment.
    statement = ""
    for piece in script.split(";"):
        statement += f"{piece};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
