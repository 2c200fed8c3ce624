"""Stages as data, and what is around every one of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from klip_assets.contracts import (
    AUDIO_FEATURES,
    DAY_TABLES,
    SEGMENTS,
    STAGE_STATUS,
    TABLES,
    TRANSCRIPT_SOUNDS,
    TRANSCRIPT_WORDS,
    VIDEO_TABLES,
    Subject,
    Table,
)
from klip_assets.contracts.table import DOUBLE, column
from klip_assets.errors import DamagedError, NotFoundError
from klip_assets.store.lake.provenance import FOOTER_KEY
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.work.installation import Installation
from klip_assets.work.stages.catalogue import STAGES, STAGES_OF, downstream
from klip_assets.work.stages.run import run_stage
from klip_assets.work.stages.stage import Columns, Run, Stage, StageSpec
from klip_assets.work.stale import stale

STREAM = Subject.video("stream")
AGAIN = Run("again", reuse=True)
SPECS = list(STAGES.values())


def run_all(here: Installation, run: Run = AGAIN) -> dict[str, bool]:
    """Run every stage of the stream; table -> whether it was reused."""
    return {spec.name: run_stage(spec, STREAM, here, run).reused for spec in STAGES_OF["video_id"]}


def computed(reused: dict[str, bool]) -> set[str]:
    return {name for name, was_reused in reused.items() if not was_reused}


@pytest.fixture
def wider(monkeypatch: pytest.MonkeyPatch) -> Callable[[Table], None]:
    """Give a table a column that came after everything in the lake was written."""

    def widened(table: Table) -> None:
        later = table.schema.append(column("came_later", DOUBLE, "A column of a later Klip."))
        monkeypatch.setitem(table.__dict__, "schema", later)

    return widened


def test_the_stages_make_exactly_the_tables_of_videos_and_days() -> None:
    made = {kind: [spec.name for spec in specs] for kind, specs in STAGES_OF.items()}
    assert set(made["video_id"]) == set(VIDEO_TABLES) and len(made["video_id"]) == len(VIDEO_TABLES)
    assert made["day"] == list(DAY_TABLES)
    also = {table.name for spec in SPECS for table in spec.also}
    unpublished = {name for name, table in TABLES.items() if table.published_as == "nothing"}
    assert also == {name for name in unpublished if TABLES[name].partition == "video_id"}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_stage_reads_only_what_stages_before_it_write_and_says_what_it_does(spec: StageSpec) -> None:
    specs = next(specs for specs in STAGES_OF.values() if spec in specs)
    before = {earlier.name for earlier in specs[: specs.index(spec)]}
    assert {name for name in spec.upstream_names if name in TABLES} <= before
    assert spec.compute.__doc__ and spec.version
    for up in spec.upstream:
        if isinstance(up, Columns):
            assert set(up.names) <= set(up.table.schema.names)


def test_a_release_of_klip_alone_makes_nothing_older(here: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("klip_assets.work.stages.run.__version__", "99.0.0")
    assert computed(run_all(here)) == set()


def test_a_stage_of_a_newer_version_is_computed_and_what_reads_equal_rows_is_not(
    here: Installation, raise_version: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("klip_assets.work.stages.run.__version__", "99.0.0")
    raise_version("segments")
    assert computed(run_all(here)) == {"segments"}
    record = here.lake.provenance(SEGMENTS, "stream")
    assert record is not None and record.code_version == "99.0.0/99"


def test_without_reuse_every_stage_computes(here: Installation) -> None:
    assert computed(run_all(here, Run("by hand"))) == set(VIDEO_TABLES)


def test_a_column_that_comes_later_remakes_nothing_that_does_not_read_it(
    here: Installation, raise_version: Callable[[str], None], wider: Callable[[Table], None]
) -> None:
    wider(AUDIO_FEATURES)
    old = here.lake.read(AUDIO_FEATURES, "stream")
    assert old.num_rows > 0 and old["came_later"].null_count == old.num_rows
    raise_version("audio_features")
    before = here.lake.provenance(AUDIO_FEATURES, "stream")
    compute = STAGES["audio_features"].compute

    def with_column(stage: Stage) -> object:
        made = compute(stage)
        rows = made.rows  # type: ignore[union-attr]
        later = pa.array(np.arange(rows.num_rows, dtype=float))
        return replace(made, rows=rows.set_column(rows.num_columns - 1, "came_later", later))  # type: ignore[type-var]

    newer = replace(STAGES["audio_features"], compute=with_column)  # type: ignore[arg-type]
    run_stage(newer, STREAM, here, AGAIN)
    after = here.lake.provenance(AUDIO_FEATURES, "stream")
    assert before and after and before.data_version != after.data_version
    reused = {name: run_stage(STAGES[name], STREAM, here, AGAIN).reused for name in downstream({"audio_features"})}
    assert computed(reused) == set()


def test_rows_made_from_a_whole_table_are_reused_while_the_columns_they_read_can_be_compared(
    here: Installation, wider: Callable[[Table], None], raise_version: Callable[[str], None]
) -> None:
    """As in a folder from before columns had versions of their own."""
    audio = here.lake.provenance(AUDIO_FEATURES, "stream")
    segments = here.lake.provenance(SEGMENTS, "stream")
    assert audio and segments
    rows = here.lake.read(SEGMENTS, "stream")
    old = replace(segments, input_versions={**segments.input_versions, "audio_features": audio.data_version})
    here.lake.write(SEGMENTS, "stream", rows, old)
    wider(AUDIO_FEATURES)
    raise_version("audio_features")
    run_stage(STAGES["audio_features"], STREAM, here, AGAIN)
    assert run_stage(STAGES["segments"], STREAM, here, AGAIN).reused
    now = here.lake.provenance(SEGMENTS, "stream")
    assert now and now.input_versions == segments.input_versions, "from now on it names the columns"
    assert now.data_version == segments.data_version


def test_a_stage_that_reads_a_column_it_does_not_name_fails(here: Installation) -> None:
    spec = replace(STAGES["segments"], compute=lambda stage: stage.read(AUDIO_FEATURES).select(["mfcc"]))
    with pytest.raises(KeyError, match="mfcc"):
        run_stage(spec, STREAM, here, Run("r"))
    (row,) = (row for row in read_stages(here.lake, "stream") if row["table_name"] == "segments")
    assert row["status"] == "failed" and "mfcc" in row["error"]


def test_a_reused_stage_keeps_the_seconds_that_computing_it_took(here: Installation) -> None:
    before = {row["table_name"]: row["seconds"] for row in read_stages(here.lake, "stream")}
    run_all(here)
    after = read_stages(here.lake, "stream")
    assert {row["status"] for row in after} == {"reused"}
    assert {row["table_name"]: row["seconds"] for row in after} == before


def test_sounds_are_read_from_a_footer_where_an_older_klip_left_them(here: Installation) -> None:
    record = here.lake.provenance(TRANSCRIPT_WORDS, "stream")
    assert record is not None
    sounds = [[1.0, 3.0, "laughter"]]
    notes = {**record.notes, "sound_events": sounds}
    words = here.lake.read(TRANSCRIPT_WORDS, "stream")
    here.lake.write(TRANSCRIPT_WORDS, "stream", words, replace(record, notes=notes))
    here.lake.remove(TRANSCRIPT_SOUNDS, "stream")
    run_stage(STAGES["sound_events"], STREAM, here, Run("r"))
    rows = here.lake.read(TABLES["sound_events"], "stream").to_pylist()
    assert [(row["start_s"], row["label"], row["source"]) for row in rows] == [(1.0, "laughter", "captions")]


def test_entries_of_a_footer_that_only_a_newer_klip_knows_are_passed_over(here: Installation) -> None:
    path = here.lake.path(SEGMENTS, "stream")
    rows = pq.read_table(path, partitioning=None)
    metadata = dict(rows.schema.metadata)
    footer = json.loads(metadata[FOOTER_KEY]) | {"of_a_newer_klip": [1, 2]}
    rows = rows.append_column("of_a_newer_klip", pa.nulls(rows.num_rows, pa.string()))
    pq.write_table(rows.replace_schema_metadata(metadata | {FOOTER_KEY: json.dumps(footer).encode()}), path)
    assert computed(run_all(here)) == set()
    assert here.lake.read(SEGMENTS, "stream").schema.names == SEGMENTS.schema.names


def test_words_whose_sounds_are_lost_or_of_another_transcript_are_made_again(here: Installation) -> None:
    """As after a kill between the two writes."""
    record = here.lake.provenance(TRANSCRIPT_SOUNDS, "stream")
    assert record is not None
    other = TRANSCRIPT_SOUNDS.from_rows(
        [{"video_id": "stream", "event_index": 0, "start_s": 25.0, "end_s": 26.0, "label": "applause"}]
    )
    here.lake.write(TRANSCRIPT_SOUNDS, "stream", other, record)
    with pytest.raises(NotFoundError, match="do not match"):
        run_stage(STAGES["sound_events"], STREAM, here, Run("by hand"))
    assert "transcript_words" in computed(run_all(here))
    assert here.lake.read(TRANSCRIPT_SOUNDS, "stream").num_rows == 0
    here.lake.remove(TRANSCRIPT_SOUNDS, "stream")
    assert "transcript_words" in computed(run_all(here))
    assert here.lake.exists(TRANSCRIPT_SOUNDS, "stream")


def test_rows_that_are_reused_keep_their_version_when_their_footer_changes(
    here: Installation, wider: Callable[[Table], None]
) -> None:
    wider(SEGMENTS)
    segments = here.lake.provenance(SEGMENTS, "stream")
    assert segments is not None
    audio = here.lake.provenance(AUDIO_FEATURES, "stream")
    assert audio is not None
    whole = replace(segments, input_versions={**segments.input_versions, "audio_features": audio.data_version})
    here.lake.restamp(SEGMENTS, "stream", whole)
    assert computed(run_all(here)) == set()
    now = here.lake.provenance(SEGMENTS, "stream")
    assert now == segments


def test_a_damaged_file_is_made_again_by_the_next_run(here: Installation, caplog: pytest.LogCaptureFixture) -> None:
    path = here.lake.path(SEGMENTS, "stream")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DamagedError, match=r"segments/video_id=stream/part-0\.parquet is damaged"):
        run_stage(STAGES["segment_sentiment"], STREAM, here, AGAIN)
    assert next(entry.reason for entry in stale(here, STREAM)) == "never built, or damaged"
    assert computed(run_all(here)) == {"segments"}
    assert "segments/video_id=stream/part-0.parquet is damaged" in caplog.text
    assert stale(here, STREAM) == []


def test_stages_that_cannot_be_read_any_more_are_recorded_again(here: Installation) -> None:
    path = here.lake.path(STAGE_STATUS, "stream")
    path.write_bytes(b"PAR1")
    assert read_stages(here.lake, "stream") == []
    run_all(here)
    assert len(read_stages(here.lake, "stream")) == len(VIDEO_TABLES)
