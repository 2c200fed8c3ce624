"""Findings of stages about a recording, besides their rows, and how they enter the published row of `videos`.

`videos` is the first stage and data only flows forward: what a later stage finds (cues that were cut, a hole in the
audio, which engine gave the words) is kept in the footer of its own table, and the publisher composes the published row
of `videos` from all of them. The row in the lake never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from klip_assets.contracts import TABLES, TABLES_OF, VIDEOS
from klip_assets.store.lake.generations import Generation
from klip_assets.store.lake.lake import Lake, read_file
from klip_assets.store.lake.provenance import Provenance

#: Key of the findings in the notes of a footer.
NOTE = "findings"


@dataclass(frozen=True)
class Finding:
    """One finding of a stage about a recording.

    Attributes:
        kind: What it is about: "cues", "hole", "engine".
        text: What was found, in one sentence for people, without a full stop.
        partial: Whether part of the recording's content is missing from the tables because of it.
        column: The column of `videos` that says it ("error", "video_error"); '' if it stands in the log alone.
    """

    kind: str
    text: str
    partial: bool = False
    column: str = ""

    @property
    def told_in(self) -> str:
        """The column of `videos` that says it: content that is missing always stands in `error`."""
        return self.column or ("error" if self.partial else "")


def to_notes(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings in the form kept in a footer."""
    return [asdict(finding) for finding in findings]


def findings_of(records: Mapping[str, Provenance]) -> list[Finding]:
    """Return what the stages of a video found, in the order of its tables.

    Args:
        records: Table -> record in its footer. Entries written by a newer Klip are skipped.
    """
    fields = Finding.__dataclass_fields__
    return [
        Finding(**{name: value for name, value in entry.items() if name in fields})
        for name in TABLES_OF["video_id"]
        if name in records
        for entry in records[name].notes.get(NOTE, [])
        if {"kind", "text"} <= set(entry)
    ]


def compose(lake: Lake, generation: Generation) -> dict[str, object]:
    """Return the changes to the published row of `videos` for an accepted video.

    Returns:
        status 'partial' if a stage found that part of the content is missing, and what was found in `error` and
        `video_error`; {} if the row is published unchanged.
    """
    found = findings_of(generation.tables)
    if not any(finding.told_in for finding in found):
        return {}
    row = read_file(generation.path(lake, VIDEOS.name), VIDEOS).to_pylist()[0]
    after = with_findings(row, found)
    return {name: value for name, value in after.items() if value != row[name]}


def with_findings(row: Mapping[str, Any], found: Iterable[Finding]) -> dict[str, Any]:
    """Return a row of `videos` as it is published, with what the stages found."""
    found = list(found)
    after = dict(row)
    if row["status"] == "ok" and any(finding.partial for finding in found):
        after["status"] = "partial"
    for name in ("error", "video_error"):
        texts = [*([row[name]] if row[name] else []), *(finding.text for finding in found if finding.told_in == name)]
        after[name] = "; ".join(texts) or None
    return after


def found_in(lake: Lake, video_id: str) -> str | None:
    """Return in one line what is wrong with a processed video, None if nothing is."""
    records = {name: record for name in TABLES_OF["video_id"] if (record := lake.provenance(TABLES[name], video_id))}
    if VIDEOS.name not in records:
        return None
    row = with_findings(lake.read(VIDEOS, video_id).to_pylist()[0], findings_of(records))
    texts = [row[name] for name in ("error", "video_error") if row[name]]
    if row["status"] == "duplicate":
        texts = [f"same content as {row['duplicate_of']}"]
    if row["status"] == "silent":
        texts = ["nothing in it is louder than -60 dBFS", *texts]
    if not texts:
        return None
    return "; ".join(texts) if row["status"] == "ok" else f"{row['status']}: {'; '.join(texts)}"
