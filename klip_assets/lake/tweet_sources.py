"""Raw tweets by day and source: `tweets_raw/day=<day>/source=<sha>.parquet`.

Several files may hold tweets of one day, and a file may be replaced or removed. So each day keeps what each source
said, and the day's table is merged from them. Which sources a day has is its version.

Put here: adding, listing and removing sources. Keep out: which copy of a tweet wins (`tweets.merge`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from klip_assets.contracts import TWEETS_RAW
from klip_assets.failpoints import reach
from klip_assets.lake.files import short_name, sweep, write_atomically
from klip_assets.lake.store import Lake
from klip_assets.lake.validate import conform

_NAME_KEY = b"klip.source"


@dataclass(frozen=True)
class DaySource:
    """What one file says about one day.

    Attributes:
        sha256: Hash of the file's content.
        name: The file, relative to the inbox.
        path: Parquet file with its rows of the day.
    """

    sha256: str
    name: str
    path: Path

    def rows(self) -> pa.Table:
        """Read the rows."""
        return pq.read_table(self.path, partitioning=None).select(TWEETS_RAW.schema.names)


def add_source(lake: Lake, sha256: str, name: str, parts: Mapping[date, pa.Table]) -> None:
    """Write what one file says about each of its days. Doing it again changes nothing."""
    for day, rows in parts.items():
        checked = conform(TWEETS_RAW, rows)
        stamped = checked.replace_schema_metadata({**(checked.schema.metadata or {}), _NAME_KEY: name.encode()})
        path = _folder(lake, day.isoformat()) / f"source={sha256}.parquet"
        write_atomically(path, lambda to, stamped=stamped: pq.write_table(stamped, to, compression="zstd"))  # type: ignore[misc]
        sweep(path.parent)


def remove_source(lake: Lake, sha256: str) -> list[str]:
    """Remove a source from every day that has it.

    Returns:
        The days that changed.
    """
    found = sorted((lake.root / TWEETS_RAW.name).glob(f"day=*/source={sha256}.parquet"))
    for path in found:
        reach("source.remove", short_name(path))
        path.unlink()
    return [path.parent.name.removeprefix("day=") for path in found]


def sources_of(lake: Lake, day: str) -> list[DaySource]:
    """Return the sources of a day, sorted by hash."""
    found = []
    for path in sorted(_folder(lake, day).glob("source=*.parquet")):
        name = (pq.read_schema(path).metadata or {}).get(_NAME_KEY, b"").decode()
        found.append(DaySource(path.stem.removeprefix("source="), name, path))
    return found


def day_versions(lake: Lake) -> dict[str, str]:
    """Return every day that has had a source, with the version of its present set of sources."""
    folders = sorted((lake.root / TWEETS_RAW.name).glob("day=*"))
    return {folder.name.removeprefix("day="): day_version(lake, folder.name.removeprefix("day=")) for folder in folders}


def day_version(lake: Lake, day: str) -> str:
    """Return the version of a day's set of sources: a hash of their names, which are hashes of their content."""
    names = sorted(path.name for path in _folder(lake, day).glob("source=*.parquet"))
    return hashlib.sha256(json.dumps(names).encode()).hexdigest()[:32]


def _folder(lake: Lake, day: str) -> Path:
    return lake.root / TWEETS_RAW.name / f"day={day}"
