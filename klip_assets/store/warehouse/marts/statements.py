"""The SQL files in this folder, by the table they fill."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from importlib.resources import files

import duckdb

from klip_assets.contracts import DERIVED_TABLES, TABLES

#: Macros that the statements share.
MACROS = "macros"


@cache
def statement(name: str) -> str:
    """Return the SELECT statement that fills a table."""
    return files("klip_assets.store.warehouse.marts").joinpath(f"{name}.sql").read_text(encoding="utf-8")


def derive(connection: duckdb.DuckDBPyConnection, changed: Collection[str]) -> list[str]:
    """Rebuild what is derived from changed tables, in dependency order.

    Args:
        connection: A database with every published table.
        changed: Tables whose rows changed; a derived table among them is rebuilt itself.

    Returns:
        The derived tables that were rebuilt.
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
