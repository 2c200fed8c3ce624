"""Raw tweets by day and source: `tweets_raw/day=<day>/source=<sha>.parquet`, and tweets reported as deleted.

Several files may have tweets from the same day, and a file may be replaced or removed. So each day keeps the rows of
each source, and the day's table is merged from them. Reports of deleted tweets (`tweets_deleted`, stored the same way)
are sources too: if the file that reports a deletion is removed, the tweet comes back. A day's set of sources is its
version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from klip_assets.contracts import TWEETS_DELETED, TWEETS_RAW, Subject, Table, key_of
from klip_assets.failpoints import fail_point
from klip_assets.store.files import short_name, sweep, write_atomically
from klip_assets.store.lake.lake import Lake, read_file
from klip_assets.store.lake.validate import conform

_NAME_KEY = b"klip.source"
_TABLES = (TWEETS_RAW, TWEETS_DELETED)


@dataclass(frozen=True)
class DaySource:
    """The rows of one file for one day.

    Attributes:
        sha256: Hash of the file's content.
        name: The file, relative to the inbox.
        path: Parquet file with its rows of the day.
    """

    sha256: str
    name: str
    path: Path

    def rows(self) -> pa.Table:
        """Read the rows; columns added since they were written are NULL, but a text was read when its counts were."""
        rows = read_file(self.path, TWEETS_RAW)
        if "text_observed_at" not in pq.read_schema(self.path).names:
            at = rows.schema.get_field_index("text_observed_at")
            rows = rows.set_column(at, rows.schema.field(at), rows["observed_at"])
        return rows


def add_source(
    lake: Lake, sha256: str, name: str, parts: Iterable[tuple[date, pa.Table]], *, table: Table = TWEETS_RAW
) -> int:
    """Write the rows of one file for each of its days. Idempotent.

    Args:
        lake: The lake.
        sha256: Hash of the file's content.
        name: The file, relative to the inbox.
        parts: Its days with their rows; only one is in memory at a time.
        table: TWEETS_RAW, or TWEETS_DELETED for tweets that the file reports as deleted.

    Returns:
        Rows written.
    """
    written = 0
    for day, rows in parts:
        checked = conform(table, rows)
        stamped = checked.replace_schema_metadata({**(checked.schema.metadata or {}), _NAME_KEY: name.encode()})
        path = _folder(lake, day.isoformat(), table) / f"source={sha256}.parquet"
        write_atomically(path, lambda to, stamped=stamped: pq.write_table(stamped, to, compression="zstd"))  # type: ignore[misc]
        sweep(path.parent)
        written += rows.num_rows
    return written


def remove_source(lake: Lake, sha256: str) -> list[str]:
    """Remove a source from all days that have it.

    Returns:
        The days that changed.
    """
    found = _paths_of(lake, sha256)
    for path in found:
        fail_point("source.remove", short_name(path))
        path.unlink()
    return sorted({key_of(path.parent) for path in found})


def has_source(lake: Lake, sha256: str) -> bool:
    """Return whether any day has rows of a source."""
    return bool(_paths_of(lake, sha256))


def sources_of(lake: Lake, day: str) -> list[DaySource]:
    """Return the sources of a day, sorted by hash."""
    found = []
    for path in sorted(_folder(lake, day).glob("source=*.parquet")):
        name = (pq.read_schema(path).metadata or {}).get(_NAME_KEY, b"").decode()
        found.append(DaySource(key_of(path.stem), name, path))
    return found


def deleted_on(lake: Lake, day: str) -> set[str]:
    """Return the ids of tweets of a day that any source reports as deleted."""
    paths = _folder(lake, day, TWEETS_DELETED).glob("source=*.parquet")
    return {i for path in paths for i in pq.read_table(path, partitioning=None)["tweet_id"].to_pylist()}


def day_versions(lake: Lake) -> dict[str, str]:
    """Return every day that has ever had a source, with the version of its current set of sources."""
    days = {key_of(folder) for t in _TABLES for folder in (lake.root / t.name).glob("day=*")}
    return {day: day_version(lake, day) for day in sorted(days)}


def day_version(lake: Lake, day: str) -> str:
    """Return the version of a day's set of sources: a hash of their names, which are hashes of their content."""
    names = sorted(path.name for path in _folder(lake, day).glob("source=*.parquet"))
    names += sorted(f"deleted/{path.name}" for path in _folder(lake, day, TWEETS_DELETED).glob("source=*.parquet"))
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]


def _paths_of(lake: Lake, sha256: str) -> list[Path]:
    return sorted(path for table in _TABLES for path in (lake.root / table.name).glob(f"day=*/source={sha256}.parquet"))


def _folder(lake: Lake, day: str, table: Table = TWEETS_RAW) -> Path:
    return lake.root / table.name / Subject.day(day).folder
