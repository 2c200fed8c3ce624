"""What Dagster is told of what a stage wrote."""

from __future__ import annotations

from klip_assets.contracts import TRANSCRIPT_WORDS
from klip_assets.defs.assets.describe import result_of
from klip_assets.store.lake.provenance import Provenance
from klip_assets.work.findings import NOTE, Finding, to_notes


def test_a_materialization_tells_every_finding_also_two_of_a_kind() -> None:
    findings = [Finding("cues", "2 cues of a.vtt are not used"), Finding("engine", "captions"), Finding("cues", "of b")]
    record = Provenance("r", "0.1.0/2", notes={"engine": "captions", NOTE: to_notes(findings)})
    metadata = result_of(TRANSCRIPT_WORDS, {"a": record}).metadata
    assert metadata is not None
    assert metadata["found/cues"] == "2 cues of a.vtt are not used; of b"
    assert metadata["found/engine"] == metadata["note/engine"] == "captions"
