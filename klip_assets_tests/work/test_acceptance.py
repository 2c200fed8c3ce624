"""When the present state of a video may be published, and what a table that it never had withholds: nothing."""

from __future__ import annotations

import io
import wave
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePath

import pyarrow as pa
import pytest

from klip_assets.contracts import (
    AUDIO_FEATURES,
    EMOTION_MOMENTS,
    SEGMENT_SENTIMENT,
    SEGMENTS,
    STAGE_STATUS,
    TABLES,
    TRANSCRIPT_WORDS,
    VIDEO_TABLES,
    Subject,
)
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import accept, accepted_generation
from klip_assets.store.lake.records import write_record
from klip_assets.store.lake.stage_status import record_stage
from klip_assets.store.warehouse import publish
from klip_assets.work import publishing
from klip_assets.work.acceptance import consider, is_complete
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import publish_accepted, publish_due, waiting
from klip_assets.work.stages.catalogue import STAGES, STAGES_OF
from klip_assets.work.stages.run import run_stage
from klip_assets.work.stages.stage import Run
from klip_assets.work.stale import stale

STREAM = Subject.video("stream")
NEW = EMOTION_MOMENTS.name


@pytest.fixture
def before_the_table(here: Installation) -> Installation:
    """An installation whose stream was accepted by a Klip that did not know one of the tables."""
    here.lake.remove(EMOTION_MOMENTS, "stream")
    accepted = accepted_generation(here.lake, STREAM)
    assert accepted is not None
    tables = {name: record for name, record in accepted.tables.items() if name != NEW}
    accept(here.lake, replace(accepted, tables=tables))
    status = here.lake.read(STAGE_STATUS, "stream")
    known = [row for row in status.to_pylist() if row["table_name"] != NEW]
    write_record(here.lake, STAGE_STATUS, "stream", STAGE_STATUS.from_rows(known))
    return here


def note(here: Installation, table: str, status: str, error: str | None = None) -> None:
    now = datetime.now(UTC).replace(tzinfo=None)
    record_stage(here.lake, "stream", table, status=status, run_id="r", started_at=now, error=error)


def test_a_table_that_a_video_never_had_withholds_none_of_those_it_has(before_the_table: Installation) -> None:
    here = before_the_table
    run_stage(STAGES["segment_scores"], STREAM, here, Run("by hand"))
    assert is_complete(here.lake, STREAM) == []


def test_a_failure_of_a_table_that_never_was_is_told_and_withholds_nothing(before_the_table: Installation) -> None:
    here = before_the_table
    note(here, NEW, "failed", "no model")
    assert consider(here.lake, STREAM) == []
    note(here, "segments", "failed", "no memory")
    assert is_complete(here.lake, STREAM) == ["segments failed: no memory"]


def test_once_made_the_new_table_is_published_and_then_belongs_to_the_video(before_the_table: Installation) -> None:
    here = before_the_table
    run_stage(STAGES[NEW], STREAM, here, Run("by hand"))
    assert consider(here.lake, STREAM) == []
    accepted = accepted_generation(here.lake, STREAM)
    assert accepted and NEW in accepted.tables
    here.lake.remove(EMOTION_MOMENTS, "stream")
    assert is_complete(here.lake, STREAM) == [f"{NEW} has not been built"]


def test_a_video_that_was_never_accepted_needs_every_table(settings: Settings) -> None:
    here = Installation(settings)
    (settings.vod_inbox / "clip.wav").write_bytes(silent_wave())
    here.registry.register(PurePath("clip.wav"), "", "content")
    clip = Subject.video("clip")
    for spec in STAGES_OF["video_id"]:
        assert f"{spec.name} has not been built" in is_complete(here.lake, clip)
        run_stage(spec, clip, here, Run("r"))
    assert is_complete(here.lake, clip) == []


def test_a_recording_that_could_not_be_read_before_needs_every_table_once_it_can(settings: Settings) -> None:
    here, clip = Installation(settings), Subject.video("clip")
    path = settings.vod_inbox / "clip.wav"
    path.write_text("no recording")
    here.registry.register(PurePath("clip.wav"), "", "content")
    run_stage(STAGES["videos"], clip, here, Run("r"))
    assert consider(here.lake, clip) == [], "its row in `videos` says why it can't be read"
    path.write_bytes(silent_wave())
    run_stage(STAGES["videos"], clip, here, Run("r"))
    assert "segments has not been built" in is_complete(here.lake, clip)


def test_a_segment_that_no_model_read_keeps_a_video_from_being_published(here: Installation) -> None:
    rows = here.lake.read(SEGMENT_SENTIMENT, "stream")
    record = here.lake.provenance(SEGMENT_SENTIMENT, "stream")
    assert record is not None
    segments = here.lake.read(SEGMENTS, "stream").num_rows
    written = here.lake.write(SEGMENT_SENTIMENT, "stream", rows.slice(1), record)
    for name in VIDEO_TABLES:
        made = here.lake.provenance(TABLES[name], "stream")
        if made and SEGMENT_SENTIMENT.name in made.input_versions:
            inputs = {**made.input_versions, SEGMENT_SENTIMENT.name: written.data_version}
            table = TABLES[name]
            here.lake.write(table, "stream", here.lake.read(table, "stream"), replace(made, input_versions=inputs))
    assert consider(here.lake, STREAM) == [f"{segments - 1} rows for {segments} segments"]


@pytest.mark.usefixtures("worked_on")
def test_a_video_that_somebody_works_on_is_passed_over(here: Installation) -> None:
    assert consider(here.lake, STREAM) == ["a run is in progress"]


def test_a_video_that_a_publish_passed_over_makes_the_next_one_due_under_another_name(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Regression: a run that began after the publisher's snapshot and ended soon was published by no sensor."""
    note(here, SEGMENTS.name, "ok")
    first = publish_due(here)
    begun = publish.Policy(lambda *_: [publish.RUN_IN_PROGRESS], publishing.POLICY.compose)
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "POLICY", begun)
        publish_accepted(here)
    assert waiting(here) == {"stream": ["a run is in progress"]}
    second = publish_due(here)
    assert second and second != first
    publish_accepted(here)
    assert waiting(here) == {} and publish_due(here) is None


def test_of_a_video_that_was_published_the_cause_is_told_and_not_what_followed(here: Installation) -> None:
    record = here.lake.provenance(TRANSCRIPT_WORDS, "stream")
    words = here.lake.read(TRANSCRIPT_WORDS, "stream").to_pylist()
    assert record is not None and words
    late = TRANSCRIPT_WORDS.from_rows([*words[:-1], {**words[-1], "start_s": 300.0, "end_s": 302.0}])
    here.lake.write(TRANSCRIPT_WORDS, "stream", late, record)
    (reason,) = consider(here.lake, STREAM)
    assert reason.startswith("the last word ends at 302.0 s, after the end of the video")


def test_what_was_accepted_is_never_refused_later(here: Installation) -> None:
    """Rows of an older Klip name a whole table; the proof that they fit goes with the generation before."""
    audio = here.lake.provenance(AUDIO_FEATURES, "stream")
    segments = here.lake.provenance(SEGMENTS, "stream")
    assert audio and segments
    inputs = {**segments.input_versions, AUDIO_FEATURES.name: audio.data_version}
    here.lake.restamp(SEGMENTS, "stream", replace(segments, input_versions=inputs))
    rows = here.lake.read(AUDIO_FEATURES, "stream")
    nothing = pa.nulls(rows.num_rows, pa.float64())
    other = rows.set_column(rows.schema.get_field_index("spectral_flux"), "spectral_flux", nothing)
    here.lake.write(AUDIO_FEATURES, "stream", other, audio, by_column=True)
    note(here, AUDIO_FEATURES.name, "ok")
    publish_accepted(here)
    assert waiting(here) == {}
    accepted = accepted_generation(here.lake, STREAM)
    assert accepted and accepted.tables["audio_features"].data_version != audio.data_version
    assert accepted.tables["segments"].input_versions == segments.input_versions
    assert is_complete(here.lake, STREAM) == [] and stale(here, STREAM) == []


def test_a_damaged_file_withholds_its_own_video_alone(here: Installation) -> None:
    path = here.lake.path(SEGMENTS, "stream")
    path.write_bytes(path.read_bytes()[:100])
    note(here, "segments", "ok")
    publish_accepted(here)
    (reason,) = waiting(here)["stream"]
    assert "is damaged" in reason and "klip process stream rebuilds it" in reason


def silent_wave() -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(b"\x00\x00" * 32_000)
    return made.getvalue()
