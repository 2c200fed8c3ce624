"""Where the rows of a partition come from, kept in the footer of its own Parquet file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import Table

FOOTER_KEY = b"klip.provenance"


@dataclass(frozen=True)
class Provenance:
    """How a partition came to be.

    Attributes:
        run_id: Dagster run that wrote it.
        code_version: Version of Klip and of the stage.
        input_versions: What it was made from: table -> data version, file -> hash, setting -> value.
        notes: What the stage found out on the way (decoded seconds, engine used), for checks and people.
        data_version: Hash of the rows; filled in by the lake.
        rows: Number of rows; filled in by the lake.
        failed_rows: Rows with status 'failed'; filled in by the lake.
        written_at: UTC time of the write; filled in by the lake.
    """

    run_id: str
    code_version: str
    input_versions: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    data_version: str = ""
    rows: int = 0
    failed_rows: int = 0
    written_at: str = ""

    def of(self, table: Table, rows: pa.Table) -> Provenance:
        """Return the record completed by what the rows say."""
        failed = 0
        if "tier" in rows.schema.names:
            failed = pc.sum(pc.equal(rows["status"], "failed")).as_py() or 0
        return replace(
            self,
            data_version=data_version(table, rows),
            rows=rows.num_rows,
            failed_rows=failed,
            written_at=datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
        )

    def to_json(self) -> str:
        """Return the record as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Provenance:
        """Read a record that `to_json` wrote; entries of newer versions are passed over."""
        known = {name: value for name, value in json.loads(text).items() if name in cls.__dataclass_fields__}
        return cls(**known)


def data_version(table: Table, rows: pa.Table) -> str:
    """Hash the content of a table: names, types and values, volatile columns aside.

    Equal rows give an equal version whatever wrote them: the hash looks at values, not at Arrow's buffers (which
    keep garbage under NULLs and offsets of slices) nor at Parquet bytes (which change with the writer's version).

    Returns:
        The first 32 hexadecimal digits of a SHA-256.
    """
    digest = hashlib.sha256()
    for column in rows.schema:
        if column.name in table.volatile:
            continue
        digest.update(f"\x00{column.name}:{column.type}:{rows.num_rows}\x00".encode())
        values = rows[column.name].combine_chunks()
        if isinstance(values, pa.ChunkedArray):
            values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], column.type)
        _hash_values(digest, values)
    return digest.hexdigest()[:32]


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
