"""What later stages found about a recording, in the published row of `videos`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from klip_assets.contracts import AUDIO_FEATURES, TRANSCRIPT_WORDS, VIDEOS, Subject
from klip_assets.store.lake.generations import accepted_generation
from klip_assets.work.findings import Finding, compose, findings_of, to_notes
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import publish_accepted
from klip_assets.work.stages.catalogue import STAGES, downstream
from klip_assets.work.stages.run import run_stage
from klip_assets.work.stages.stage import Output, Run, Stage
from klip_assets_tests.processed import query

STREAM = Subject.video("stream")
HOLE = Finding("hole", "12.0 s of sound are missing at 0:01:00", partial=True)


def run_with(here: Installation, name: str, findings: Sequence[Finding]) -> None:
    """Run a stage that also finds something, and what reads it; then publish."""
    compute = STAGES[name].compute

    def finds(stage: Stage) -> Output:
        made = compute(stage)
        return replace(made if isinstance(made, Output) else Output(made), findings=findings)

    run_stage(replace(STAGES[name], compute=finds), STREAM, here, Run("r"))
    for reader in downstream({name}):
        run_stage(STAGES[reader], STREAM, here, Run("r", reuse=True))
    publish_accepted(here)


def told(here: Installation) -> dict[str, object]:
    return query(here.settings, "SELECT status, error FROM videos WHERE video_id = 'stream'")[0]


def test_a_transcript_tells_its_engine_and_a_whole_recording_stays_ok(here: Installation) -> None:
    accepted = accepted_generation(here.lake, STREAM)
    assert accepted is not None
    assert [finding.kind for finding in findings_of(accepted.tables)] == ["engine"]
    assert compose(here.lake, accepted) == {}
    assert told(here) == {"status": "ok", "error": None}


def test_what_a_later_stage_misses_makes_the_published_video_partial_and_the_lake_stays(here: Installation) -> None:
    before = here.lake.provenance(VIDEOS, "stream")
    run_with(here, "audio_features", [HOLE])
    run_with(here, "transcript_words", [Finding("cues", "3 cues lie after the end", partial=True)])
    assert told(here) == {"status": "partial", "error": f"3 cues lie after the end; {HOLE.text}"}
    assert here.lake.provenance(VIDEOS, "stream") == before
    assert here.lake.read(VIDEOS, "stream")["status"].to_pylist() == ["ok"]


def test_a_video_is_ok_again_once_nothing_is_missing(here: Installation) -> None:
    run_with(here, "audio_features", [HOLE])
    assert told(here)["status"] == "partial"
    run_with(here, "audio_features", [])
    assert told(here) == {"status": "ok", "error": None}


def test_a_partial_video_is_still_heard(here: Installation) -> None:
    run_with(here, "transcript_words", [HOLE])
    run_stage(STAGES["audio_features"], STREAM, here, Run("r"))
    assert here.lake.read(AUDIO_FEATURES, "stream").num_rows > 0


@pytest.mark.parametrize("name", ["transcript_words", "audio_features"])
def test_entries_that_a_newer_klip_found_are_passed_over(here: Installation, name: str) -> None:
    accepted = accepted_generation(here.lake, STREAM)
    assert accepted is not None
    (entry,) = to_notes([HOLE])
    notes = {"findings": [{**entry, "seconds_lost": 12}]}
    records = {name: replace(accepted.tables[TRANSCRIPT_WORDS.name], notes=notes)}
    assert findings_of(records) == [HOLE]
