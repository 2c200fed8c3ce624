"""What a stage is, and its context while it works on one video or day."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from klip_assets.contracts import VIDEOS, Subject, Table
from klip_assets.errors import DamagedError, NotFoundError
from klip_assets.formats.refused import Refused
from klip_assets.inbox.fingerprint import fingerprint
from klip_assets.inbox.recordings import Recording, recording_at
from klip_assets.media.scan import read_timeline
from klip_assets.media.timeline import Timeline
from klip_assets.settings import Settings
from klip_assets.signals.text.known import NOTHING_KNOWN, Known
from klip_assets.signals.text.tiers import Chain, build_chain
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.state.ledger import Purpose
from klip_assets.work.findings import Finding
from klip_assets.work.installation import Installation
from klip_assets.work.progress import LogProgress, Progress
from klip_assets.work.stages.versions import input_version


@dataclass(frozen=True)
class Columns:
    """Some columns of a table that a stage reads: a change in the others does not make its rows out of date.

    Attributes:
        table: The table.
        names: The columns; reading any other fails immediately.
    """

    table: Table
    names: tuple[str, ...]

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name


@dataclass(frozen=True)
class Picture:
    """A picture of a stage's result.

    Attributes:
        png: The picture.
        shows: Alternative text.
    """

    png: bytes
    shows: str


@dataclass(frozen=True)
class Output:
    """Result of a stage.

    Attributes:
        rows: The table, as its contract declares it.
        notes: Notes of the computation; kept in the Parquet footer for checks, shown in the Dagster UI.
        findings: What people should know about the recording.
        refused: Source file -> what was refused of it. An empty list clears the source.
        also: Additional tables of the stage, by name.
        pictures: Pictures by name, for the Dagster UI.
        finish: Called once everything is written.
    """

    rows: pa.Table
    notes: Mapping[str, Any] = field(default_factory=dict)
    findings: Sequence[Finding] = ()
    refused: Mapping[str, Sequence[Refused]] = field(default_factory=dict)
    also: Mapping[str, pa.Table] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    finish: Callable[[], None] | None = None


@dataclass(frozen=True)
class StageSpec:
    """One stage.

    Attributes:
        table: The table it writes, one video or day at a time.
        version: Incremented whenever the same inputs would give different rows.
        group: Group in the lineage graph.
        upstream: What it reads: tables of the same video or day, some columns of a table, or the name of another asset.
        inputs: Returns the versions of what the rows are made from; equal versions mean equal rows.
        compute: Computes the rows. Its docstring describes the asset.
        also: Additional tables it writes, which are not published. They are written first.
        kinds: Libraries shown in the graph.
    """

    table: Table
    version: str
    group: str
    upstream: tuple[Table | Columns | str, ...]
    inputs: Callable[[Stage], Mapping[str, str]]
    compute: Callable[[Stage], Output | pa.Table]
    also: tuple[Table, ...] = ()
    kinds: frozenset[str] = frozenset({"python"})

    @property
    def name(self) -> str:
        """Name of its table."""
        return self.table.name

    @property
    def upstream_names(self) -> tuple[str, ...]:
        """Names of what it reads."""
        return tuple(up if isinstance(up, str) else up.name for up in self.upstream)

    def columns_of(self, name: str) -> tuple[str, ...] | None:
        """Return the columns it reads of a table, None if it reads the whole table."""
        chosen = (up.names for up in self.upstream if isinstance(up, Columns) and up.name == name)
        return next(chosen, None)


@dataclass(frozen=True)
class Run:
    """The run that a stage is part of.

    Attributes:
        run_id: Its id.
        log: The log for people.
        progress: Receives the progress.
        reuse: Whether to reuse current rows if version and inputs are unchanged.
    """

    run_id: str = ""
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("klip"))
    progress: Progress = field(default_factory=LogProgress)
    reuse: bool = False


@dataclass
class Stage:
    """A stage at work on one video or day.

    Attributes:
        spec: The stage.
        subject: The video or day.
        installation: The installation.
        run: The run it is part of.
        records: Table -> record of its current partition, if already known; else read from the lake.
        source: Version of the recording's content, if already known; else read from the recording.
        work: Hash of the stage's version and inputs: equal work gives equal rows.
        target: Provenance of the rows to be computed; set before they are.
    """

    spec: StageSpec
    subject: Subject
    installation: Installation
    run: Run = field(default_factory=Run)
    records: Mapping[str, Provenance] | None = None
    source: str | None = None
    work: str = ""
    target: Provenance | None = None

    @property
    def key(self) -> str:
        """The video id or the day."""
        return self.subject.key

    @property
    def table(self) -> Table:
        """The table it writes."""
        return self.spec.table

    @property
    def settings(self) -> Settings:
        """The settings."""
        return self.installation.settings

    @property
    def lake(self) -> Lake:
        """The lake."""
        return self.installation.lake

    @property
    def log(self) -> logging.Logger:
        """The log for people."""
        return self.run.log

    def record(self, table: Table) -> Provenance | None:
        """Return the record of a table's current partition, None if it has not been built."""
        if self.records is not None:
            return self.records.get(table.name)
        return self.lake.provenance(table, self.key)

    def read(self, table: Table) -> pa.Table:
        """Read an input of the same video or day, with the columns that the stage declares."""
        rows = self.lake.read(table, self.key)
        columns = self.spec.columns_of(table.name)
        return rows if columns is None else rows.select(columns)

    def version(self, table: Table) -> str:
        """Return the version of an input: of the whole table, or of the columns that the stage reads.

        Raises:
            NotFoundError: It has not been built.
        """
        record = self.record(table)
        if record is None:
            raise NotFoundError(f"{table.name} of {self.key} has not been built", hint="materialize it first")
        columns = self.spec.columns_of(table.name)
        before = (self.records or {}).get(self.table.name)
        if columns and before and before.input_versions.get(table.name) == record.data_version:
            # A mere comparison need not read rows: those made before columns had versions name the whole table.
            return record.data_version
        return input_version(self.lake, table, self.subject, record, columns)

    def earlier(self, *inputs: str) -> pa.Table | None:
        """Return the current rows of this table if the same stage made them from the same versions of these inputs."""
        try:
            before, target = self.record(self.table), self.target
        except DamagedError:
            return None
        if before is None or target is None or before.stage_version != target.stage_version:
            return None
        if any(before.input_versions.get(name) != target.input_versions[name] for name in inputs):
            return None
        return self.lake.read(self.table, self.key)

    @cached_property
    def video(self) -> dict[str, Any]:
        """The row of `videos`."""
        return dict(self.lake.read(VIDEOS, self.key).to_pylist()[0])

    @cached_property
    def _found(self) -> Mapping[str, Any]:
        record = self.record(VIDEOS)
        return record.notes if record else {}

    @cached_property
    def files(self) -> Mapping[str, str]:
        """Hashes of the recording and its sidecars ('' if there is none), as recorded by the stage `videos`."""
        return dict(self._found.get("files", {}))

    @property
    def section_s(self) -> float:
        """Where the recording begins in the stream it was cut from; 0 if no sidecar says."""
        return float(self._found.get("section_s", 0.0))

    @cached_property
    def has_sound(self) -> bool:
        """Whether there is any audio to analyse."""
        # Records made before this was noted: the status has it.
        return bool(self._found["has_sound"]) if "has_sound" in self._found else self.video["status"] == "ok"

    @property
    def sound(self) -> Path | None:
        """The recording, None if it has no audio to analyse."""
        return self.recording.path if self.has_sound else None

    @cached_property
    def timeline(self) -> Timeline:
        """The recording's timeline, as recorded by the stage `videos`; read now where an older Klip recorded none."""
        notes = self._found.get("timeline")
        return Timeline.from_notes(notes) if notes else read_timeline(self.recording.path, self.video["audio_track"])

    @cached_property
    def recording(self) -> Recording:
        """The recording in the inbox, with its sidecars.

        Raises:
            NotFoundError: The id is unknown, or the file is gone.
        """
        inbox = self.settings.vod_inbox
        name = self.installation.registry.path_of(self.key)
        if name is None:
            raise NotFoundError(f"no recording {self.key!r} in the inbox", hint="klip videos lists them")
        found = recording_at(inbox, inbox / name)
        if found is None:
            raise NotFoundError(f"{name} is gone from the inbox", hint=f"put it back, or: klip remove {self.key}")
        return found

    @cached_property
    def signature(self) -> str:
        """Sizes and times of the recording's files when this stage first checked them."""
        return self.recording.signature

    def source_version(self) -> str:
        """Return the version of the recording's content: the known one, else read now."""
        if self.source is not None:
            return self.source
        self.signature  # noqa: B018  Taken before the content is read.
        return fingerprint(self.recording)

    @property
    def opened_recording(self) -> bool:
        """Whether the stage used the recording."""
        return "recording" in self.__dict__

    def chain(self, tiers: Sequence[str], prompt_version: str, known: Known = NOTHING_KNOWN) -> Chain:
        """Return the chain of tiers that reads this table."""
        return build_chain(
            tiers,
            self.settings,
            prompt_version=prompt_version,
            purpose=Purpose(self.run.run_id, self.table.name, self.key),
            notify=self.log.info,
            known=known,
        )

    def report_progress(self) -> Callable[[float], None]:
        """Return a function to call with the seconds of audio done."""
        return self.run.progress.reporter(self.key, self.table.name, self.video["duration_s"], self.log.info)


def versions_of(*tables: Table) -> Callable[[Stage], dict[str, str]]:
    """Return an `inputs` function for other tables of the same video or day."""
    return lambda stage: {table.name: stage.version(table) for table in tables}


def moment(started_at: datetime | None) -> str:
    """Return a time as text for the version of an input, '' if unknown."""
    return started_at.isoformat() if started_at else ""


def digest_of_work(version: str, inputs: Mapping[str, str]) -> str:
    """Return a hash of what rows depend on."""
    # Klip's version used to be part of this. The value at that time is kept, so that a transcript left unfinished by
    # that release is not started over.
    return hashlib.sha256(repr((f"0.1.0/{version}", sorted(inputs.items()))).encode()).hexdigest()[:32]
