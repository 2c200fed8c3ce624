"""Opening Klip's SQLite files, and migrating their tables from one version of Klip to the next.

A database is made by a sequence of migrations, which are SQL scripts. A file keeps the number of those applied in
`PRAGMA user_version`; whoever opens it applies the rest. Files from before migrations were numbered have 0, and the
first migration finds its tables already there.

An older Klip must be able to use the file of a newer one. So a migration only adds: a table, an index, a column that
may be left out of an INSERT. And each statement names its columns.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from klip_assets.failpoints import fail_point

#: Seconds to wait for another connection that writes.
_WAIT_S = 30.0

_POLL_S = 0.01


def open_database(path: Path, migrations: Sequence[str]) -> sqlite3.Connection:
    """Open a file in WAL mode (readers never wait) and bring its tables up to date.

    Args:
        path: The SQLite file; created with its folder if absent.
        migrations: All migrations, each one or more statements that end in semicolons. Released ones never change.

    Returns:
        The connection, without a transaction: see `transaction`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)
    try:
        _use_wal(connection)
        # Usually this check is all there is to do.
        while _number(connection) < len(migrations):
            _migrate(connection, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, *, point: str = "", subject: str = "") -> Iterator[sqlite3.Connection]:
    """Open one transaction for writing; an error in the block rolls it back.

    Args:
        connection: From `open_database`.
        point: Prefix of the fail points before and after the commit; if empty, there are none.
        subject: Subject of the fail points.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        if point:
            fail_point(f"{point}.commit", subject)
        connection.execute("COMMIT")
    except BaseException:
        # If the disk is full, SQLite may have rolled back already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if point:
        fail_point(f"{point}.committed", subject)


def free_bytes(path: Path) -> int:
    """Return how many bytes of a SQLite file are in pages that nothing uses; 0 if that can't be seen now."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.0)) as connection:
            return _pragma(connection, "freelist_count") * _pragma(connection, "page_size")
    except sqlite3.Error:
        return 0


def compact(path: Path, *, timeout_s: float) -> str | None:
    """Give the pages of a SQLite file that nothing uses back to the disk.

    It locks out writers meanwhile, and needs as much room again as what is in use.

    Args:
        path: The file; it must exist.
        timeout_s: Seconds to wait for others who use it.

    Returns:
        None, or why it was left as it is.
    """
    try:
        with closing(sqlite3.connect(path, timeout=timeout_s, isolation_level=None)) as connection:
            connection.execute("VACUUM")
            # The file itself shrinks when its log is written back.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        return str(error)
    return None


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _use_wal(connection: sqlite3.Connection) -> None:
    # If two processes create a file at once, SQLite refuses one of them without waiting: both hold a read lock and want
    # to write.
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
    # The number is read again inside the transaction: another process may have been faster.
    with transaction(connection):
        number = _number(connection)
        if number < len(migrations):
            for statement in _statements(migrations[number]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")


def _number(connection: sqlite3.Connection) -> int:
    return _pragma(connection, "user_version")


def _statements(script: str) -> Iterator[str]:
    # One by one, since `executescript` commits the transaction it is called in. Comments may contain semicolons.
    statement = ""
    for piece in script.split(";"):
        statement += f"{piece};"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
