"""How the stages of a video or day went, and who is working on it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from klip_assets.contracts import STAGE_STATUS
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import Provenance


def partition_lock(lake_root: Path, kind: Literal["video_id", "day"], key: str) -> Path:
    """Return the lock file of a video; all days share one, because one ingest writes many of them."""
    name = f"video-{key}" if kind == "video_id" else "tweet-days"
    return lake_root / "_locks" / f"{name}.lock"


def read_stages(lake: Lake, key: str) -> list[dict[str, Any]]:
    """Return the `stage_status` rows of a video or day, [] if it has none."""
    return lake.read(STAGE_STATUS, key).to_pylist() if lake.exists(STAGE_STATUS, key) else []


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
    """Write how a stage went. The caller holds the partition's lock: the rows of the others are kept."""
    now = datetime.now(UTC).replace(tzinfo=None)
    entry = {
        "partition": key,
        "table_name": table_name,
        "status": status,
        "error": error,
        "run_id": run_id,
        "started_at": started_at,
        "seconds": max(0.0, (now - started_at).total_seconds()),
        "rows": rows,
    }
    others = [row for row in read_stages(lake, key) if row["table_name"] != table_name]
    rows_now = sorted([*others, entry], key=lambda row: str(row["table_name"]))
    lake.write(STAGE_STATUS, key, STAGE_STATUS.from_rows(rows_now), Provenance(run_id, "1"))
