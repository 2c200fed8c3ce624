"""Provenance: where the rows of a partition come from, kept in the footer of its own Parquet file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import Table

FOOTER_KEY = b"klip.provenance"


@dataclass(frozen=True)
class Provenance:
    """How a partition was made.

    Attributes:
        run_id: Dagster run that wrote it.
        code_version: Versions of Klip and of the stage, "0.1.0/3"; only the latter counts, see `stage_version`.
        input_versions: What it was made from: table -> data version, file -> hash, setting -> value.
        notes: What the stage noted on the way (decoded seconds, engine used), for checks and people.
        data_version: Hash of the rows; filled in by the lake.
        columns: Column -> hash of its values, in tables that some stage reads by column; filled in by the lake.
        rows: Number of rows; filled in by the lake.
        failed_rows: Rows with status 'failed'; filled in by the lake.
        written_at: UTC time of the write; filled in by the lake.
    """

    run_id: str
    code_version: str
    input_versions: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    data_version: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    failed_rows: int = 0
    written_at: str = ""

    @property
    def stage_version(self) -> str:
        """Version of the stage alone: a new release of Klip does not by itself change any row."""
        return self.code_version.rpartition("/")[2]

    def of(self, table: Table, rows: pa.Table, *, by_column: bool = False) -> Provenance:
        """Return the record completed from the rows, with a hash per column if `by_column`."""
        failed = 0
        if "tier" in rows.schema.names:
            failed = pc.sum(pc.equal(rows["status"], "failed")).as_py() or 0
        return replace(
            self,
            data_version=data_version(table, rows),
            columns=column_hashes(rows) if by_column else {},
            rows=rows.num_rows,
            failed_rows=failed,
            written_at=datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
        )

    def to_json(self) -> str:
        """Return the record as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Provenance:
        """Read a record that `to_json` wrote."""
        return cls.from_entries(json.loads(text))

    @classmethod
    def from_entries(cls, entries: Mapping[str, Any]) -> Provenance:
        """Read a record from its entries; unknown ones, written by a newer Klip, are ignored."""
        return cls(**{name: value for name, value in entries.items() if name in cls.__dataclass_fields__})


def data_version(table: Table, rows: pa.Table) -> str:
    """Hash the content of a table: names, types and values, without volatile columns.

    Equal rows give an equal version, whatever wrote them: the hash covers values, not Arrow buffers (which have garbage
    under NULLs and offsets of slices) or Parquet bytes (which change with the writer's version).

    Returns:
        The first 32 hexadecimal digits of a SHA-256.
    """
    digest = hashlib.sha256()
    for column in rows.schema:
        if column.name not in table.volatile:
            _hash_column(digest, rows, column)
    return digest.hexdigest()[:32]


def column_hashes(rows: pa.Table) -> dict[str, str]:
    """Hash each column separately, like `data_version`; the first 16 digits of each."""
    hashes = {}
    for column in rows.schema:
        digest = hashlib.sha256()
        _hash_column(digest, rows, column)
        hashes[column.name] = digest.hexdigest()[:16]
    return hashes


def columns_version(hashes: Mapping[str, str], names: Collection[str]) -> str:
    """Return the version of some columns; it does not depend on other columns.

    Args:
        hashes: Result of `column_hashes`.
        names: The columns.
    """
    return hashlib.sha256(json.dumps([[name, hashes[name]] for name in sorted(names)]).encode()).hexdigest()[:32]


def _hash_column(digest: hashlib._Hash, rows: pa.Table, column: pa.Field) -> None:
    digest.update(f"\x00{column.name}:{column.type}:{rows.num_rows}\x00".encode())
    values = rows[column.name].combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], column.type)
    _hash_values(digest, values)


def _hash_values(digest: hashlib._Hash, values: pa.Array) -> None:
    if pa.types.is_nested(values.type):
        digest.update(json.dumps(values.to_pylist(), default=str).encode())
        return
    nulls = values.is_null()
    digest.update(nulls.cast(pa.uint8()).to_numpy(zero_copy_only=False).tobytes())
    if pa.types.is_string(values.type):
        texts = values.fill_null("")
        lengths = pc.binary_length(texts)
        digest.update(lengths.to_numpy(zero_copy_only=False).tobytes())
        digest.update("".join(texts.to_pylist()).encode())
        return
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.int64())
    elif pa.types.is_date32(values.type):
        values = values.cast(pa.int32())
    elif pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    digest.update(values.fill_null(0).to_numpy(zero_copy_only=False).tobytes())
