"""Partitions of the lake: `<table>/<partition column>=<key>/part-0.parquet`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from klip_assets.contracts import QUARANTINE, TABLES, Subject, Table, is_day, key_of
from klip_assets.errors import DamagedError, InputError, NotFoundError
from klip_assets.store.files import short_name, sweep, write_atomically
from klip_assets.store.lake.provenance import FOOTER_KEY, Provenance
from klip_assets.store.lake.validate import conform

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Lake:
    """The Parquet partitions under one folder.

    Args:
        root: The folder, e.g. `data/lake`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, table: Table, key: str = "") -> Path:
        """Return the path of a partition (the key of an unpartitioned table is '').

        Raises:
            InputError: The key could name another folder.
        """
        folder = self.root / table.name
        if table.partition:
            if not _KEY.fullmatch(key):
                raise InputError(f"{key!r} can't name a partition of {table.name}")
            folder = folder / f"{_folder_column(table)}={key}"
        return folder / "part-0.parquet"

    def write(
        self, table: Table, key: str, rows: pa.Table, provenance: Provenance, *, by_column: bool = False
    ) -> Provenance:
        """Check `rows` against the contract and replace the partition with them atomically.

        Args:
            table: The table.
            key: The partition.
            rows: Its rows.
            provenance: Where they come from.
            by_column: Record a hash of each column, for stages that read only some of them.

        Returns:
            The provenance as written to the file's footer, with data version, row counts and time filled in.

        Raises:
            ContractError: The rows break the contract; the partition is unchanged.
        """
        rows = conform(table, rows)
        complete = provenance.of(table, rows, by_column=by_column)
        metadata = {**(rows.schema.metadata or {}), FOOTER_KEY: complete.to_json().encode()}
        stamped = rows.replace_schema_metadata(metadata)
        path = self.path(table, key)
        write_atomically(path, lambda to: pq.write_table(stamped, to, compression="zstd"))
        sweep(path.parent)
        return complete

    def restamp(self, table: Table, key: str, record: Provenance) -> Provenance:
        """Replace the provenance in a partition's footer; the rows and their version stay the same."""
        path = self.path(table, key)
        rows = pq.read_table(path, partitioning=None)
        metadata = {**(rows.schema.metadata or {}), FOOTER_KEY: record.to_json().encode()}
        stamped = rows.replace_schema_metadata(metadata)
        write_atomically(path, lambda to: pq.write_table(stamped, to, compression="zstd"))
        return record

    def exists(self, table: Table, key: str = "") -> bool:
        """Return whether the partition exists."""
        return self.path(table, key).is_file()

    def read(self, table: Table, key: str = "") -> pa.Table:
        """Read a partition with the contract's columns; those it was written without are NULL.

        Raises:
            NotFoundError: It does not exist.
        """
        path = self.path(table, key)
        try:
            return read_file(path, table)
        except FileNotFoundError:
            raise NotFoundError(
                f"table {table.name} has no partition {key!r}", hint="materialize the upstream assets first"
            ) from None

    def provenance(self, table: Table, key: str = "") -> Provenance | None:
        """Return the record in the partition's footer, None if the partition does not exist."""
        return provenance_of(self.path(table, key))

    def keys(self, table: Table) -> list[str]:
        """Return the keys of all partitions, sorted."""
        return sorted(key_of(path.parent) for path in self.paths(table))

    def paths(self, table: Table) -> list[Path]:
        """Return the files of all partitions, sorted."""
        pattern = f"{_folder_column(table)}=*/part-0.parquet" if table.partition else "part-0.parquet"
        return sorted((self.root / table.name).glob(pattern))

    def remove(self, table: Table, key: str) -> None:
        """Remove a partition, if it exists.

        Raises:
            OSError: Its file can't be removed.
        """
        path = self.path(table, key)
        path.unlink(missing_ok=True)
        shutil.rmtree(path.parent, ignore_errors=True)

    def remove_everywhere(self, subject: Subject) -> None:
        """Remove a video or a day from every table that is partitioned by it.

        Raises:
            OSError: A file can't be removed.
        """
        for table in TABLES.values():
            if table.partition == subject.kind:
                self.remove(table, subject.key)

    def tables_of(self, subject: Subject) -> list[Table]:
        """Return the tables that have a partition for a video or a day."""
        found = (table for table in TABLES.values() if table.partition == subject.kind)
        return [table for table in found if self.exists(table, subject.key)]


def read_file(path: Path, table: Table) -> pa.Table:
    """Read a Parquet file of a table with the contract's columns; those added since it was written are all NULL.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: It can't be read as Parquet.
    """
    try:
        found = pq.read_table(path, partitioning=None)
    except pa.ArrowInvalid as error:
        raise _damaged(path, error) from error
    for field in table.schema:
        if field.name not in found.schema.names:
            found = found.append_column(field, pa.nulls(found.num_rows, field.type))
    return found.select(table.schema.names)


def provenance_of(path: Path) -> Provenance | None:
    """Return the record in a Parquet file's footer, None if there is no such file.

    Raises:
        DamagedError: It can't be read as Parquet.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
    except FileNotFoundError:
        return None
    except pa.ArrowInvalid as error:
        raise _damaged(path, error) from error
    return Provenance.from_json(metadata[FOOTER_KEY]) if FOOTER_KEY in metadata else None


def _damaged(path: Path, error: pa.ArrowInvalid) -> DamagedError:
    key = key_of(path.parent)
    how = f"--tweets {key}" if is_day(key) else key
    reason = str(error).partition(". ")[0]
    return DamagedError(f"{short_name(path)} is damaged: {reason}", hint=f"klip process {how} rebuilds it")


def _folder_column(table: Table) -> str:
    # The name of a quarantined file may contain anything, so its partition is named by a hash of it.
    return "source" if table is QUARANTINE else str(table.partition)
