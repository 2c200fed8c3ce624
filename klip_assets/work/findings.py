"""Findings of stages about a recording, besides their rows, and how they enter the published row of `videos`.

`videos` is the first stage and data only flows forward: what a later stage finds (cues that were cut, a hole in the
audio, which engine gave the words) is kept in the footer of its own table, and the publisher composes the published row
of `videos` from all of them. The row in the lake never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from klip_assets.contracts import TABLES_OF, VIDEOS
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
    """

    kind: str
    text: str
    partial: bool = False


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
        status 'partial' and the reasons in `error` if a stage found that part of the content is missing; {} if the row
        is published unchanged.
    """
    reasons = [finding.text for finding in findings_of(generation.tables) if finding.partial]
    if not reasons:
        return {}
    row = read_file(generation.path(lake, VIDEOS.name), VIDEOS).to_pylist()[0]
    status = "partial" if row["status"] == "ok" else row["status"]
    return {"status": status, "error": "; ".join([*([row["error"]] if row["error"] else []), *reasons])}
