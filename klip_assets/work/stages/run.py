"""The frame of every stage: check whether anything changed, compute, write, and record the outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from klip_assets import __version__
from klip_assets.contracts import TABLES, VIDEOS, Subject, Table
from klip_assets.errors import (
    ChangedMeanwhileError,
    DamagedError,
    EngineUnavailableError,
    InputError,
    KlipError,
    NotFoundError,
)
from klip_assets.failpoints import fail_point
from klip_assets.inbox.fingerprint import fingerprint
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.lake.quarantine import quarantine
from klip_assets.store.lake.stage_status import record_stage
from klip_assets.work.findings import NOTE, to_notes
from klip_assets.work.installation import Installation
from klip_assets.work.stages.catalogue import COLUMN_SOURCES
from klip_assets.work.stages.stage import Output, Picture, Run, Stage, StageSpec, digest_of_work
from klip_assets.work.stages.versions import holds

#: Failures that are not the content's fault: an engine can be installed, a setting corrected, a file put back.
_NOT_THE_CONTENT = (EngineUnavailableError, InputError, NotFoundError, ChangedMeanwhileError, DamagedError)


#: Key, in the notes of a footer, of the versions of the stage's additional tables.
_ALSO = "also"


@dataclass(frozen=True)
class Done:
    """Outcome of one stage of one video or day.

    Attributes:
        record: The record in the footer of its partition.
        pictures: Pictures by name, for the Dagster UI.
        reused: Whether nothing had changed, so that nothing was computed.
    """

    record: Provenance
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    reused: bool = False


def run_stage(spec: StageSpec, subject: Subject, installation: Installation, run: Run) -> Done:
    """Run one stage of one video or day and record the outcome. The caller holds its lock.

    Raises:
        OSError: Reading or writing failed; worth a retry.
        Exception: It failed and would fail again; the reason is in `stage_status` too.
    """
    stage = Stage(spec, subject, installation, run)
    record: dict[str, Any] = {"run_id": run.run_id, "started_at": datetime.now(UTC).replace(tzinfo=None)}
    run.progress.begin(subject.key, spec.name)
    fail_point("stage.begin", f"{spec.name}/{subject.key}")
    try:
        done = _run(stage)
    except OSError as error:
        _record_failure(stage, error, record)
        raise
    except Exception as error:
        _record_failure(stage, error, record)
        if not isinstance(error, _NOT_THE_CONTENT):
            installation.attempts.give_up(subject.key, installation.content_of(subject))
        raise
    status = "reused" if done.reused else "ok"
    record_stage(stage.lake, subject.key, spec.name, status=status, rows=done.record.rows, **record)
    return done


def changes(stage: Stage, before: Provenance, version: str, inputs: Mapping[str, str]) -> list[str]:
    """Return why a stage's current rows are out of date, [] if they are not.

    Args:
        stage: The stage.
        before: Record of its current rows.
        version: The stage's version.
        inputs: Versions of its inputs.
    """
    found = []
    if before.stage_version != version:
        found.append(f"version {before.stage_version} -> {version}")
    made_with = before.notes.get(_ALSO, {})
    for table in stage.spec.also:
        # A run that was killed between the two wrote only one of them. (Older rows have no note of the other.)
        beside = _record(stage, table) if table.name in made_with else None
        if table.name in made_with and (beside is None or beside.data_version != made_with[table.name]):
            found.append(f"{table.name} is from another run")
    for name in [*inputs, *(name for name in before.input_versions if name not in inputs)]:
        current, recorded = inputs.get(name), before.input_versions.get(name)
        if current == recorded or (recorded is not None and _input_holds(stage, name, recorded)):
            continue
        found.append(f"input {name} changed")
    return found


def _run(stage: Stage) -> Done:
    spec, lake, key = stage.spec, stage.lake, stage.key
    versions = dict(spec.inputs(stage))
    target = Provenance(stage.run.run_id, f"{__version__}/{spec.version}", versions)
    stage.work, stage.target = digest_of_work(spec.version, versions), target
    before = _record(stage, spec.table) if stage.run.reuse else None
    if before and not changes(stage, before, spec.version, versions):
        stage.log.info(f"{spec.name}: reused, since its version and inputs are unchanged")
        if dict(before.input_versions) != versions:
            # Made from another version of a table with the same values in the columns read: record the new version.
            before = lake.restamp(spec.table, key, replace(before, input_versions=versions))
        return Done(before, reused=True)
    made = spec.compute(stage)
    _check_unchanged(stage)
    fail_point("stage.computed", f"{spec.name}/{key}")
    output = made if isinstance(made, Output) else Output(made)
    # Write the refusals first: a run that finds the table written considers the whole stage done.
    for source, refused in output.refused.items():
        quarantine(lake, source, spec.name, refused, run_id=stage.run.run_id)
    also = {table.name: lake.write(table, key, output.also[table.name], target).data_version for table in spec.also}
    notes = dict(output.notes) | ({NOTE: to_notes(output.findings)} if output.findings else {})
    notes |= {_ALSO: also} if also else {}
    by_column = spec.name in COLUMN_SOURCES
    complete = lake.write(spec.table, key, output.rows, replace(target, notes=notes), by_column=by_column)
    if output.finish:
        output.finish()
    return Done(complete, output.pictures)


def _record(stage: Stage, table: Table) -> Provenance | None:
    """Return the record of a table's current rows; None if there are none, or they can't be read."""
    try:
        return stage.lake.provenance(table, stage.key)
    except DamagedError as damage:
        stage.log.warning(damage.message)
        return None


def _input_holds(stage: Stage, name: str, recorded: str) -> bool:
    table = TABLES.get(name)
    present = stage.record(table) if table else None
    if table is None or present is None:
        return False
    return holds(stage.lake, table, stage.subject, present, stage.spec.columns_of(name), recorded)


def _check_unchanged(stage: Stage) -> None:
    """Check that the recording is still the one that the stage `videos` read, if this stage used it.

    Raises:
        ChangedMeanwhileError: It was replaced or written to: the video's rows would mix old and new content.
        NotFoundError: It is gone.
    """
    if not stage.opened_recording:
        return
    recording, is_first = stage.recording, stage.table is VIDEOS
    first = stage.lake.provenance(VIDEOS, stage.key)
    expected = stage.signature if is_first or first is None else first.notes.get("signature")
    try:
        if recording.signature == expected:
            return
        content = fingerprint(recording)
    except FileNotFoundError:
        raise NotFoundError(f"{recording.name} was removed while it was being read", hint="put it back") from None
    if is_first or first is None or content != first.input_versions.get("source"):
        raise ChangedMeanwhileError(
            f"{recording.name} or a file beside it changed while it was being processed",
            hint="it is processed again once it stops changing",
        )


def _record_failure(stage: Stage, error: Exception, record: Mapping[str, Any]) -> None:
    sentence = str(error) if isinstance(error, KlipError) else f"{type(error).__name__}: {error}"
    stage.log.error(f"{stage.table.name} of {stage.key}: {sentence}")
    try:
        record_stage(stage.lake, stage.key, stage.table.name, status="failed", error=sentence, **record)
    except OSError as second:
        # A full or read-only disk prevents this note as well; the run's log has it.
        stage.log.error(f"stage_status of {stage.key} can't be written: {second}")
