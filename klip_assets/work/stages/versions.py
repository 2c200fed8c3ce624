"""Versions of tables as inputs: whether rows of one table were made from the current rows of another."""

from __future__ import annotations

from collections.abc import Collection

from klip_assets.contracts import Subject, Table
from klip_assets.store.lake.generations import kept_path
from klip_assets.store.lake.lake import Lake, read_file
from klip_assets.store.lake.provenance import Provenance, column_hashes, columns_version


def input_version(
    lake: Lake, table: Table, subject: Subject, record: Provenance, columns: Collection[str] | None
) -> str:
    """Return the version of a table as an input: its data version, or the version of the columns that are read.

    Args:
        lake: The lake.
        table: The table.
        subject: The video or day.
        record: Record of its current partition.
        columns: The columns that are read, None for all.
    """
    if columns is None:
        return record.data_version
    hashes = record.columns
    if any(name not in hashes for name in columns):
        # Written before columns were hashed, or before one of them existed.
        hashes = column_hashes(lake.read(table, subject.key).select(list(columns)))
    return columns_version(hashes, columns)


def holds(
    lake: Lake, table: Table, subject: Subject, record: Provenance, columns: Collection[str] | None, recorded: str
) -> bool:
    """Return whether rows made from one version of a table would be the same if made from its current rows.

    Args:
        lake: The lake.
        table: The table.
        subject: The video or day.
        record: Record of its current partition.
        columns: The columns that are read, None for all.
        recorded: The version that the rows were made from: of these columns or, before columns had versions, of the
            whole table.
    """
    if recorded == record.data_version:
        return True
    if columns is None:
        return False
    present = input_version(lake, table, subject, record, columns)
    if recorded == present:
        return True
    # A version of the whole table: as long as that generation is kept, its columns can be compared.
    kept = kept_path(lake, table.name, subject, recorded)
    if not kept.exists():
        return False
    return columns_version(column_hashes(read_file(kept, table).select(list(columns))), columns) == present
