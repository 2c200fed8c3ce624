"""What all stages of a video or day do around their one domain function.

A stage looks whether its inputs changed, runs, writes its partition, records how it went, and reports to Dagster.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from klip_assets import __version__
from klip_assets.contracts import VIDEOS, Table, text_of
from klip_assets.defs.resources import Installation
from klip_assets.defs.tags import REUSE_TAG
from klip_assets.errors import ChangedMeanwhileError, EngineUnavailableError, InputError, KlipError, NotFoundError
from klip_assets.failpoints import reach
from klip_assets.formats.refused import Refused
from klip_assets.inbox.fingerprint import fingerprint
from klip_assets.inbox.recordings import Recording, read_inbox
from klip_assets.settings import Settings
from klip_assets.signals.text.known import NOTHING_KNOWN, Known
from klip_assets.signals.text.tiers import Chain, build_chain
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.lake.quarantine import quarantine
from klip_assets.store.lake.stage_status import record_stage
from klip_assets.store.lake.tweet_sources import day_version
from klip_assets.store.state.ledger import Purpose
from klip_assets.work.progress import Progress

OWNERS = ["team:klip"]

#: Failures that say nothing against the content: an engine can be installed, a setting corrected, a file put back.
_NOT_THE_CONTENT = (EngineUnavailableError, InputError, NotFoundError, ChangedMeanwhileError)

#: Disks and networks hiccup; anything else is not worth a second try (see `_permanent`).
RETRY_IO = dg.RetryPolicy(max_retries=2, delay=1.0, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


@dataclass
class Output:
    """What a stage made.

    Attributes:
        rows: The table, by its contract.
        notes: What it found out on the way; kept in the Parquet footer for checks, shown in the Dagster UI.
        refused: Source file -> what could not be taken from it. A source with an empty list is cleared.
        metadata: More for the Dagster UI, such as a plot.
        finish: Called once the table is written.
    """

    rows: pa.Table
    notes: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[str, Sequence[Refused]] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    finish: Callable[[], None] | None = None


@dataclass
class Stage:
    """What a stage sees of the world while it works on one partition."""

    context: dg.AssetExecutionContext
    installation: Installation
    progress: Progress
    table: Table
    key: str
    #: What the stage wants to show in the Dagster UI beside versions and counts.
    shown: dict[str, Any] = field(default_factory=dict)
    #: Names what the rows depend on, code included: equal work gives equal rows.
    work: str = ""
    #: What the rows depend on; set before they are made.
    wanted: Provenance | None = None

    @cached_property
    def settings(self) -> Settings:
        """The settings."""
        return self.installation.settings

    @cached_property
    def lake(self) -> Lake:
        """The lake."""
        return self.installation.lake

    def read(self, table: Table) -> pa.Table:
        """Read an input of the same partition."""
        return self.lake.read(table, self.key)

    def version(self, table: Table) -> str:
        """Return the data version of an input.

        Raises:
            NotFoundError: It has not been made.
        """
        provenance = self.lake.provenance(table, self.key)
        if provenance is None:
            raise NotFoundError(f"{table.name} of {self.key} has not been made", hint="materialize it first")
        return provenance.data_version

    def earlier(self, *inputs: str) -> pa.Table | None:
        """Return the rows that this table holds, if the same code made them from the same versions of these inputs."""
        before, wanted = self.lake.provenance(self.table, self.key), self.wanted
        if before is None or wanted is None or before.code_version != wanted.code_version:
            return None
        if any(before.input_versions.get(name) != wanted.input_versions[name] for name in inputs):
            return None
        return self.read(self.table)

    @cached_property
    def video(self) -> dict[str, Any]:
        """The row of `videos`."""
        return dict(self.read(VIDEOS).to_pylist()[0])

    @cached_property
    def files(self) -> dict[str, str]:
        """Hashes of the recording and its sidecars, as the stage `videos` found them."""
        provenance = self.lake.provenance(VIDEOS, self.key)
        return dict(provenance.notes.get("files", {})) if provenance else {}

    @cached_property
    def recording(self) -> Recording:
        """The recording in the inbox, with its sidecars.

        Raises:
            NotFoundError: The id is unknown, or the file is gone.
        """
        inbox = self.settings.vod_inbox
        name = self.installation.registry.path_of(self.key)
        if name is None:
            raise NotFoundError(f"no recording in the inbox has the id {self.key!r}", hint="klip videos lists them")
        path = inbox / name
        here = (r for r in read_inbox(path.parent).recordings if r.path == path)
        found = next(here, None)
        if found is None:
            raise NotFoundError(f"{name} is gone from the inbox", hint=f"put it back, or: klip remove {self.key}")
        return Recording(inbox, found.path, found.captions, found.chat, found.info)

    @cached_property
    def signature(self) -> str:
        """Sizes and times of the recording's files when this stage first looked."""
        return self.recording.signature

    def check_unchanged(self) -> None:
        """See that the recording is still the one that the stage `videos` looked at, if this stage used it.

        Raises:
            ChangedMeanwhileError: It was replaced or written to: parts of one video would come from two contents.
            NotFoundError: It is gone.
        """
        if "recording" not in self.__dict__:
            return
        first = self.lake.provenance(VIDEOS, self.key)
        expected = self.signature if self.table is VIDEOS or first is None else first.notes.get("signature")
        try:
            if self.recording.signature == expected:
                return
            content = fingerprint(self.recording)
        except FileNotFoundError:
            raise NotFoundError(f"{self.recording.name} went while it was read", hint="put it back") from None
        if self.table is VIDEOS or first is None or content != first.input_versions.get("source"):
            raise ChangedMeanwhileError(
                f"{self.recording.name} or a file beside it changed while it was being processed",
                hint="it is processed anew once it has settled",
            )

    @property
    def content(self) -> str:
        """Version of what the partition is made from: of the recording, or of the day's sources."""
        if self.table.partition == "video_id":
            return self.installation.registry.fingerprint_of(self.key)
        return day_version(self.lake, self.key)

    @property
    def sound(self) -> Path | None:
        """The recording, None where there is nothing to listen to."""
        return self.recording.path if self.video["status"] == "ok" else None

    def chain(self, tiers: Sequence[str], prompt_version: str, known: Known = NOTHING_KNOWN) -> Chain:
        """Return the chain of tiers that reads this table."""
        return build_chain(
            tiers,
            self.settings,
            prompt_version=prompt_version,
            purpose=Purpose(self.context.run.run_id, self.table.name, self.key),
            notify=self.context.log.info,
            known=known,
        )

    def report_progress(self) -> Callable[[float], None]:
        """Return a function to call with the seconds of sound done."""
        total = self.video["duration_s"]
        return self.progress.reporter(self.key, self.table.name, total, self.context.log.info)


def run_stage(
    stage: Stage,
    compute: Callable[[Stage], Output | pa.Table],
    inputs: Callable[[Stage], Mapping[str, str]],
    code_version: str,
) -> Provenance:
    """Run one stage of one partition and record how it went.

    Raises:
        dagster.Failure: It failed for good; what went wrong stands in `stage_status` too.
        OSError: Reading or writing failed; worth another try.
    """
    context, lake, table = stage.context, stage.lake, stage.table
    started_at = datetime.now(UTC).replace(tzinfo=None)
    run_id = context.run.run_id
    record: dict[str, Any] = {"run_id": run_id, "started_at": started_at}
    stage.progress.begin(stage.key, table.name)
    reach("stage.begin", f"{table.name}/{stage.key}")
    try:
        versions = dict(inputs(stage))
        wanted = Provenance(run_id, f"{__version__}/{code_version}", versions)
        stage.work, stage.wanted = _digest_of(wanted), wanted
        before = lake.provenance(table, stage.key)
        if context.run.tags.get(REUSE_TAG) and before and _same_work(before, wanted):
            context.log.info(f"{table.name}: inputs and code unchanged, nothing to do")
            record_stage(lake, stage.key, table.name, status="reused", rows=before.rows, **record)
            return before
        made = compute(stage)
        stage.check_unchanged()
        reach("stage.computed", f"{table.name}/{stage.key}")
        output = made if isinstance(made, Output) else Output(made)
        # First what was refused: a run that finds the table written takes the whole stage for done.
        for source, refused in output.refused.items():
            quarantine(lake, source, table.name, refused, run_id=run_id)
        complete = lake.write(table, stage.key, output.rows, _with_notes(wanted, output.notes))
        if output.finish:
            output.finish()
    except OSError as error:
        _record_failure(stage, error, record)
        raise
    except Exception as error:
        _record_failure(stage, error, record)
        if not isinstance(error, _NOT_THE_CONTENT):
            stage.installation.attempts.give_up(stage.key, stage.content)
        raise _permanent(error) from error
    record_stage(lake, stage.key, table.name, status="ok", rows=complete.rows, **record)
    stage.shown.update(output.metadata)
    return complete


def result_of(
    table: Table, written: Mapping[str, Provenance], shown: Mapping[str, Any] | None = None
) -> dg.MaterializeResult:
    """Report what was written to Dagster: rows, versions, notes.

    Args:
        table: The table.
        written: Partition -> its provenance; several where one run covers a range of days.
        shown: What comes first, such as a plot.
    """
    records = list(written.values())
    rows = sum(record.rows for record in records)
    metadata: dict[str, Any] = {**(shown or {}), "failed_rows": sum(record.failed_rows for record in records)}
    version = records[0].data_version if len(records) == 1 else _joint_version(records)
    if len(records) == 1:
        metadata |= {"dagster/partition_row_count": rows}
        metadata |= {f"note/{name}": value for name, value in records[0].notes.items() if _is_plain(value)}
        metadata |= {"input_versions": dict(records[0].input_versions)}
    else:
        metadata |= {"rows": rows, "partitions": len(records)}
    return dg.MaterializeResult(asset_key=[table.name], metadata=metadata, data_version=dg.DataVersion(version))


def describe(table: Table) -> dict[str, Any]:
    """Return what an asset definition says about its table: column schema and name."""
    return {"dagster/column_schema": column_schema(table), "dagster/table_name": f"klip.main.{table.name}"}


def column_schema(table: Table) -> dg.TableSchema:
    """Return a contract as Dagster's column schema."""
    columns = []
    for column in table.schema:
        unit = text_of(column.metadata, "unit")
        description = text_of(column.metadata, "description") + (f" [{unit}]" if unit else "")
        constraints = dg.TableColumnConstraints(nullable=column.name not in table.key)
        columns.append(dg.TableColumn(column.name, str(column.type), description=description, constraints=constraints))
    return dg.TableSchema(columns=columns)


def _same_work(before: Provenance, wanted: Provenance) -> bool:
    return before.code_version == wanted.code_version and dict(before.input_versions) == dict(wanted.input_versions)


def _digest_of(work: Provenance) -> str:
    inputs = sorted(work.input_versions.items())
    return hashlib.sha256(repr((work.code_version, inputs)).encode()).hexdigest()[:32]


def _with_notes(provenance: Provenance, notes: Mapping[str, Any]) -> Provenance:
    return Provenance(provenance.run_id, provenance.code_version, provenance.input_versions, dict(notes))


def _record_failure(stage: Stage, error: Exception, record: Mapping[str, Any]) -> None:
    sentence = str(error) if isinstance(error, KlipError) else f"{type(error).__name__}: {error}"
    stage.context.log.error(f"{stage.table.name} of {stage.key}: {sentence}")
    try:
        record_stage(stage.lake, stage.key, stage.table.name, status="failed", error=sentence, **record)
    except OSError as second:
        # A full or read-only disk takes no note of itself either; the run's log has it.
        stage.context.log.error(f"stage_status of {stage.key} can't be written: {second}")


def _permanent(error: Exception) -> Exception:
    # A second try would fail the same way: Dagster's retry policy is told not to bother.
    return dg.Failure(description=str(error) or type(error).__name__, allow_retries=False)


def _joint_version(records: Sequence[Provenance]) -> str:
    return hashlib.sha256("".join(record.data_version for record in records).encode()).hexdigest()[:32]


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)
