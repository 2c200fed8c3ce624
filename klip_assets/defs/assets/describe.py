"""Metadata of a table for Dagster: its columns, its versions, what was written."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import dagster as dg

from klip_assets.contracts import Table, text_of
from klip_assets.store.lake.provenance import Provenance
from klip_assets.work.findings import findings_of
from klip_assets.work.stages.stage import Picture

OWNERS = ["team:klip"]

#: For transient disk and network errors; anything else is not worth a retry, and fails with `allow_retries=False`.
RETRY_IO = dg.RetryPolicy(max_retries=2, delay=1.0, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def result_of(
    table: Table, written: Mapping[str, Provenance], pictures: Mapping[str, Picture] | None = None
) -> dg.MaterializeResult:
    """Return the materialization of a table for Dagster: rows, versions, notes.

    Args:
        table: The table.
        written: Partition -> its provenance; several if the run covers a range of days.
        pictures: Pictures by name; listed first.
    """
    records = list(written.values())
    rows = sum(record.rows for record in records)
    metadata: dict[str, Any] = {name: _shown(picture) for name, picture in (pictures or {}).items()}
    metadata["failed_rows"] = sum(record.failed_rows for record in records)
    version = records[0].data_version if len(records) == 1 else _joint_version(written)
    if len(records) == 1:
        metadata |= {"dagster/partition_row_count": rows}
        metadata |= {f"note/{name}": value for name, value in records[0].notes.items() if _is_plain(value)}
        for finding in findings_of({table.name: records[0]}):
            told = [metadata.get(name := f"found/{finding.kind}"), finding.text]
            metadata[name] = "; ".join(filter(None, told))
        metadata |= {"input_versions": dict(records[0].input_versions)}
    else:
        metadata |= {"rows": rows, "partitions": len(records)}
    return dg.MaterializeResult(asset_key=[table.name], metadata=metadata, data_version=dg.DataVersion(version))


def describe(table: Table) -> dict[str, Any]:
    """Return the metadata of a table's asset definition: column schema and name."""
    return {"dagster/column_schema": column_schema(table), "dagster/table_name": f"klip.main.{table.name}"}


def column_schema(table: Table) -> dg.TableSchema:
    """Return a contract as Dagster's column schema."""
    columns = []
    for column in table.schema:
        unit = text_of(column.metadata, "unit")
        description = text_of(column.metadata, "description") + (f" [{unit}]" if unit else "")
        constraints = dg.TableColumnConstraints(nullable=column.name not in table.key)
        columns.append(dg.TableColumn(column.name, str(column.type), description=description, constraints=constraints))
    return dg.TableSchema(columns=columns)


def _joint_version(written: Mapping[str, Provenance]) -> str:
    return hashlib.sha256("".join(record.data_version for record in written.values()).encode()).hexdigest()[:32]


def _shown(picture: Picture) -> dg.MarkdownMetadataValue:
    data = base64.b64encode(picture.png).decode()
    return dg.MetadataValue.md(f"![{picture.shows}](data:image/png;base64,{data})")


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)
