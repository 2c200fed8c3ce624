"""Generations: which state of a video or day analysts see.

A stage writes its partition before the checks downstream have run, and a run may die halfway. So a video (or day)
becomes visible only as a whole: a *generation*. Once it is accepted (`work.acceptance` decides), the file
`_accepted/<column>/<key>.json` names the data version of each table, and `_generations/` keeps those files under a
second name (a hard link, which takes no space), so that a later run may replace the partition while analysts continue
to read the accepted one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from klip_assets.contracts import STAGE_STATUS, TABLES, TABLES_OF, Kind, Subject
from klip_assets.failpoints import fail_point
from klip_assets.store.files import link_or_copy, short_name, write_atomically
from klip_assets.store.lake.lake import Lake, provenance_of
from klip_assets.store.lake.provenance import Provenance


@dataclass(frozen=True)
class Generation:
    """One accepted state of a video or day.

    Attributes:
        kind: Column that names it: video_id or day.
        key: The video id or the day.
        tables: Table -> provenance of its partition. A recording that can't be read has only `videos`.
        source: Version of its content (the fingerprint of a recording, the hash of a day's sources); '' where it is
            withheld, since then its content is not published.
        withheld: Why only its first table is published, if it never could be as a whole.
    """

    kind: Kind
    key: str
    tables: dict[str, Provenance]
    source: str
    withheld: tuple[str, ...] = ()

    @property
    def subject(self) -> Subject:
        """The video or day."""
        return Subject(self.kind, self.key)

    @property
    def data_versions(self) -> dict[str, str]:
        """Table -> data version."""
        return {name: provenance.data_version for name, provenance in self.tables.items()}

    def path(self, lake: Lake, table: str) -> Path:
        """Return the file that keeps one table of this generation."""
        return kept_path(lake, table, self.subject, self.data_versions[table])


@dataclass(frozen=True)
class Head:
    """What is known of an accepted generation without its files: its source, and the notes of its first table."""

    source: str
    notes: Mapping[str, Any]


def accepted_heads(lake: Lake, kind: Kind) -> dict[str, Head]:
    """Return the head of each accepted generation, by key."""
    found, first = {}, TABLES_OF[kind][0]
    for entry in os.scandir(folder) if (folder := lake.root / "_accepted" / kind).is_dir() else ():
        if entry.name.endswith(".json"):
            with contextlib.suppress(FileNotFoundError):
                record = json.loads(Path(entry.path).read_bytes())
                notes = record["tables"].get(first, {}).get("notes") or {}
                found[entry.name.removesuffix(".json")] = Head(record["source"], notes)
    return found


def is_accepted_since(lake: Lake, subject: Subject) -> bool:
    """Return whether a video or day was accepted after the last stage that ran on it."""
    try:
        accepted_ns = _accepted_path(lake, subject).stat().st_mtime_ns
        if accepted_ns <= lake.path(STAGE_STATUS, subject.key).stat().st_mtime_ns:
            return False
    except FileNotFoundError:
        return False
    generation = accepted_generation(lake, subject)
    return generation is not None and not generation.withheld


def accepted_at(lake: Lake, subject: Subject) -> float | None:
    """Return when a video or day was last accepted, in seconds since 1970; None if it is not."""
    try:
        return _accepted_path(lake, subject).stat().st_mtime
    except FileNotFoundError:
        return None


def accepted_generation(lake: Lake, subject: Subject) -> Generation | None:
    """Return the accepted generation of one video or day, None if there is none."""
    return _read(_accepted_path(lake, subject))


def accept(lake: Lake, generation: Generation) -> None:
    """Accept a generation for the next publish: link its files, then write its record atomically.

    The caller holds the lock of the video or day.

    Raises:
        RuntimeError: A partition differs from the generation's record; nothing is accepted.
    """
    for name in generation.data_versions:
        source, kept = lake.path(TABLES[name], generation.key), generation.path(lake, name)
        link_or_copy(source, kept)
        found = provenance_of(kept)
        if found is None or found.data_version != generation.data_versions[name]:
            kept.unlink(missing_ok=True)
            raise RuntimeError(f"{source} changed while it was being accepted")
    text = json.dumps(asdict(generation), sort_keys=True)
    write_atomically(_accepted_path(lake, generation.subject), lambda to: to.write_text(text))


def forget_others(lake: Lake, generation: Generation) -> None:
    """Remove the kept files of a video or day that do not belong to its accepted generation.

    They belong to the previous generation, or to one that a kill kept from being accepted. Only the publisher calls
    this, once nothing reads them.
    """
    for name in TABLES_OF[generation.kind]:
        folder = kept_path(lake, name, generation.subject, "").parent
        current = generation.data_versions.get(name)
        for found in os.scandir(folder) if folder.is_dir() else ():
            if found.name != f"{current}.parquet":
                fail_point("accept.forget", short_name(folder / found.name))
                (folder / found.name).unlink(missing_ok=True)


def withdraw(lake: Lake, subject: Subject) -> None:
    """Withdraw a video or day from what analysts see.

    Raises:
        OSError: A file can't be removed.
    """
    _accepted_path(lake, subject).unlink(missing_ok=True)
    for table in TABLES_OF[subject.kind]:
        folder = kept_path(lake, table, subject, "").parent
        for path in folder.glob("*.parquet"):
            path.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


def _read(path: Path) -> Generation | None:
    try:
        entry = json.loads(path.read_text())
        # By name: a newer Klip may have written more entries, which are ignored.
        tables = {name: Provenance.from_entries(record) for name, record in entry["tables"].items()}
        return Generation(entry["kind"], entry["key"], tables, entry["source"], tuple(entry.get("withheld", ())))
    except FileNotFoundError:
        return None


def _accepted_path(lake: Lake, subject: Subject) -> Path:
    return lake.root / "_accepted" / subject.kind / f"{subject.key}.json"


def kept_path(lake: Lake, table: str, subject: Subject, version: str) -> Path:
    """Return the path where a table with this data version is kept; it may not exist."""
    return lake.root / "_generations" / table / subject.folder / f"{version}.parquet"
