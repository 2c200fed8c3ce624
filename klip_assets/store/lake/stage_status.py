"""The status of the stages of a video or day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from klip_assets.contracts import STAGE_STATUS
from klip_assets.errors import DamagedError
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.records import write_record


def read_stages(lake: Lake, key: str) -> list[dict[str, Any]]:
    """Return the `stage_status` rows of a video or day, [] if there are none or they can't be read."""
    try:
        return lake.read(STAGE_STATUS, key).to_pylist() if lake.exists(STAGE_STATUS, key) else []
    except DamagedError:
        return []  # The next run rewrites them.


def record_stage(
    lake: Lake,
    key: str,
    table_name: str,
    *,
    status: str,
    run_id: str,
    started_at: datetime,
    rows: int | None = None,
    error: str | None = None,
) -> None:
    """Write the status of a stage; the rows of other stages are kept. The caller holds the partition's lock.

    A reused stage keeps the seconds that its computation took, since estimates are based on them.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    before = read_stages(lake, key)
    seconds: float | None = max(0.0, (now - started_at).total_seconds())
    if status == "reused":
        computed = [row for row in before if row["table_name"] == table_name and row["status"] in ("ok", "reused")]
        seconds = computed[0]["seconds"] if computed else None
    entry = {
        "partition": key,
        "table_name": table_name,
        "status": status,
        "error": error,
        "run_id": run_id,
        "started_at": started_at,
        "seconds": seconds,
        "rows": rows,
    }
    others = [row for row in before if row["table_name"] != table_name]
    rows_now = sorted([*others, entry], key=lambda row: str(row["table_name"]))
    write_record(lake, STAGE_STATUS, key, STAGE_STATUS.from_rows(rows_now), run_id=run_id)
