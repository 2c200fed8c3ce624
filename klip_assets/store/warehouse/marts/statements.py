"""The SQL files of this folder, by the table they fill."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib.resources import files

import duckdb

from klip_assets.contracts import DERIVED_TABLES, TABLES

#: Functions that the statements share.
MACROS = "macros"


@cache
def statement(name: str) -> str:
    """Return the statement whose result is a table."""
    return files("klip_assets.store.warehouse.marts").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def derive(connection: duckdb.DuckDBPyConnection, changed: Collection[str]) -> list[str]:
    """Make anew what is derived from tables that changed, in the order in which one builds on another.

    Args:
        connection: A database that holds every published table.
        changed: Tables whose rows changed; a derived one is made anew itself.

    Returns:
        The derived tables that were made.
    """
    stale, made = set(changed), []
    connection.execute(statement(MACROS))
    for name in DERIVED_TABLES:
        if stale & {name, *TABLES[name].reads}:
            connection.execute(f"DELETE FROM {name}")  # noqa: S608
            connection.execute(f"INSERT INTO {name} BY NAME {statement(name)}")
            stale.add(name)
            made.append(name)
    return made
