"""The check before each write: a table that breaks its contract never reaches the lake."""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.compute as pc

from klip_assets.contracts import Table, bounds_of
from klip_assets.errors import ContractError


def conform(table: Table, rows: pa.Table) -> pa.Table:
    """Return `rows` in the contract's column order.

    Raises:
        ContractError: A column is missing, unknown or of the wrong type; a key is NULL or duplicate; a value is out of
            bounds, infinite or not a number; a failed or skipped row has a score. The message names table, column and
            row.
    """
    _check_columns(table, rows)
    rows = rows.select(table.schema.names).replace_schema_metadata(table.schema.metadata)
    _check_keys(table, rows)
    for field in table.schema:
        if pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
            _check_bounds(table, field, rows[field.name])
    _check_unread(table, rows)
    return pa.Table.from_arrays([rows[name].combine_chunks() for name in table.schema.names], schema=table.schema)


def _check_columns(table: Table, rows: pa.Table) -> None:
    missing = [name for name in table.schema.names if name not in rows.schema.names]
    unknown = [name for name in rows.schema.names if name not in table.schema.names]
    if missing or unknown:
        raise ContractError(f"table {table.name}: missing columns {missing}, unknown columns {unknown}")
    for field in table.schema:
        found = rows.schema.field(field.name).type
        if found != field.type:
            raise ContractError(f"table {table.name}, column {field.name}: type is {found}, expected {field.type}")


def _check_keys(table: Table, rows: pa.Table) -> None:
    for name in table.key:
        nulls = rows[name].is_null()
        if pc.any(nulls).as_py():
            row = pc.index(nulls, True).as_py()
            raise ContractError(f"table {table.name}, column {name}, row {row}: NULL in a key")
    counts = rows.select(table.key).group_by(list(table.key)).aggregate([([], "count_all")])
    if counts.num_rows != rows.num_rows:
        duplicate = counts.filter(pc.greater(counts["count_all"], 1)).slice(0, 1).to_pylist()[0]
        key = {name: duplicate[name] for name in table.key}
        raise ContractError(f"table {table.name}: duplicate key {key} in {duplicate['count_all']} rows")


def _check_bounds(table: Table, field: pa.Field, values: pa.ChunkedArray) -> None:
    extremes = pc.min_max(values).as_py()
    low, high = bounds_of(field)
    smallest, largest = extremes["min"], extremes["max"]
    wrong: pa.ChunkedArray | None = None
    if pa.types.is_floating(field.type) and not pc.all(pc.is_finite(values), min_count=0).as_py():
        wrong = pc.invert(pc.is_finite(values))
    elif smallest is not None and low is not None and (math.isnan(smallest) or smallest < low):
        wrong = pc.less(values, low)
    elif largest is not None and high is not None and largest > high:
        wrong = pc.greater(values, high)
    if wrong is not None:
        row = pc.index(wrong, True).as_py()
        allowed = f"{'-inf' if low is None else low} to {'inf' if high is None else high}"
        raise ContractError(
            f"table {table.name}, column {field.name}, row {row}: {values[row].as_py()} is out of bounds ({allowed})"
        )


def _check_unread(table: Table, rows: pa.Table) -> None:
    # Rows made by a model have a tier and a status; if it failed or was skipped, the row must not have scores.
    if not {"tier", "status"} <= set(table.schema.names):
        return
    unread = pc.is_in(rows["status"], pa.array(["failed", "skipped"]))
    for field in table.schema:
        if pa.types.is_floating(field.type):
            wrong = pc.and_(unread, pc.is_valid(rows[field.name]))
            if pc.any(wrong, min_count=0).as_py():
                row = pc.index(wrong, True).as_py()
                raise ContractError(
                    f"table {table.name}, column {field.name}, row {row}: "
                    f"{rows[field.name][row].as_py()} in a row with status {rows['status'][row].as_py()}"
                )
