"""What a newer stage or changed settings would produce differently. It is rebuilt only when a person asks for it.

No recording is opened: its content is compared as recorded in the registry of the inbox.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from klip_assets.contracts import KINDS, TABLES, TABLES_OF, VIDEOS, Kind, Subject, is_day
from klip_assets.errors import DamagedError, InputError, NotFoundError
from klip_assets.store.lake.generations import accepted_generation, is_accepted_since
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.work.installation import Installation
from klip_assets.work.stages.catalogue import STAGES_OF, downstream
from klip_assets.work.stages.run import changes
from klip_assets.work.stages.stage import Stage, StageSpec

NEVER_MADE = "never built, or damaged"
MAY_CHANGE = "may change"


@dataclass(frozen=True)
class Stale:
    """One stage whose rows are out of date, or may be.

    Attributes:
        spec: The stage.
        reason: "version 2 -> 3" or "input weights changed"; "may change" if only a stage upstream is stale.
    """

    spec: StageSpec
    reason: str

    @property
    def certain(self) -> bool:
        """Whether it will be recomputed in any case, not only if its inputs come out different."""
        return self.reason != MAY_CHANGE


def stale(installation: Installation, subject: Subject, tables: Collection[str] = ()) -> list[Stale]:
    """Return the stale stages of a video or day, in the order of the data.

    Args:
        installation: The installation.
        subject: The video or day. Nothing is stale if it was never processed; only its first stage can be if it is
            unreadable.
        tables: Only these tables and what reads them; empty: all.
    """
    specs = STAGES_OF[subject.kind]
    records, was_accepted = _records(installation.lake, subject)
    head = records.get(specs[0].name)
    if head is None:
        return []
    readable = specs[:1] if head.notes.get("unreadable") else specs
    source = "" if subject.is_day else installation.registry.fingerprint_of(subject.key)
    reasons = {}
    for spec in readable:
        if tables and spec.name not in tables:
            continue
        reason = _reason(Stage(spec, subject, installation, records=records, source=source or None), was_accepted)
        if reason:
            reasons[spec.name] = reason
    behind = downstream(set(reasons))
    reasons |= {spec.name: MAY_CHANGE for spec in readable if spec.name in behind and spec.name not in reasons}
    return [Stale(spec, reasons[spec.name]) for spec in specs if spec.name in reasons]


def processed(lake: Lake) -> Iterator[Subject]:
    """Yield every video and day that the lake holds, videos first."""
    for kind in KINDS:
        yield from (Subject(kind, key) for key in lake.keys(TABLES[TABLES_OF[kind][0]]))


def stale_subjects(
    installation: Installation, *, videos: Sequence[str] = (), days: Sequence[str] = (), tables: Collection[str] = ()
) -> tuple[list[tuple[Subject, list[Stale]]], list[str]]:
    """Find the videos and days with stale stages.

    Args:
        installation: The installation.
        videos: Only these videos, by id or file name.
        days: Only these days of tweets; without videos and days, everything that was processed.
        tables: Only these tables and what reads them.

    Returns:
        The videos and days with their stale stages, and the ids of videos that are stale too but whose recordings are
        no longer in the inbox.

    Raises:
        NotFoundError: A given video or day has not been processed.
        InputError: A given day is not a valid date.
    """
    if wrong := [day for day in days if not is_day(day)]:
        raise InputError(f"{wrong[0]!r} is not a valid date", hint="write it as YYYY-MM-DD")
    known = installation.registry.known().values()
    by_name = {entry.path.name: entry.video_id for entry in known} | {str(e.path): e.video_id for e in known}
    named = [Subject.video(by_name.get(name, name)) for name in videos]
    named = list(dict.fromkeys([*named, *map(Subject.day, days)]))
    for subject in named:
        if not installation.lake.exists(TABLES[TABLES_OF[subject.kind][0]], subject.key):
            raise NotFoundError(
                f"{subject} has not been processed", hint="klip videos and klip tweets list what has been"
            )
    found = [
        (subject, stages)
        for subject in named or processed(installation.lake)
        if (stages := stale(installation, subject, tables))
    ]
    gone = [subject.key for subject, _ in found if not subject.is_day and not _is_there(installation, subject)]
    return [(subject, stages) for subject, stages in found if subject.key not in gone], gone


@dataclass
class Work:
    """What rebuilding one stage takes, over all videos or days for which it is stale.

    Attributes:
        spec: The stage.
        kind: Whether it is a stage of videos or of days.
        reasons: Why, without duplicates.
        subjects: Number of videos or days for which it will be recomputed.
        behind: Number of others for which it is recomputed only if its inputs come out different.
        sound_s: Seconds of audio in the videos for which it will be recomputed.
        seconds: How long that takes, estimated from earlier runs; None if it was never timed.
    """

    spec: StageSpec
    kind: Kind
    reasons: list[str]
    subjects: int = 0
    behind: int = 0
    sound_s: float = 0.0
    seconds: float | None = None


def plan(installation: Installation, found: Iterable[tuple[Subject, list[Stale]]]) -> list[Work]:
    """Add up what rebuilding stale stages takes.

    A stage that was never run on a video is estimated by its speed on others.

    Args:
        installation: The installation.
        found: Videos and days with their stale stages.

    Returns:
        One entry per stage, in the order of the data.
    """
    lake = installation.lake
    works: dict[str, Work] = {}
    known: dict[str, list[tuple[float, float]]] = {}
    unknown: dict[str, float] = {}
    for subject, stages in found:
        took = {
            row["table_name"]: row["seconds"] for row in read_stages(lake, subject.key) if row["status"] != "failed"
        }
        size = 1.0 if subject.is_day else _duration_s(lake, subject)
        for entry in stages:
            work = works.setdefault(entry.spec.name, Work(entry.spec, subject.kind, []))
            if not entry.certain:
                work.behind += 1
                continue
            work.subjects += 1
            work.sound_s += 0.0 if subject.is_day else size
            if entry.reason not in work.reasons:
                work.reasons.append(entry.reason)
            seconds = took.get(entry.spec.name)
            if seconds is None:
                unknown[entry.spec.name] = unknown.get(entry.spec.name, 0.0) + size
            else:
                known.setdefault(entry.spec.name, []).append((size, seconds))
    for name, work in works.items():
        sizes, seconds = sum(size for size, _ in known.get(name, [])), sum(took for _, took in known.get(name, []))
        pace = seconds / sizes if sizes else None
        missing = unknown.get(name, 0.0)
        if work.subjects and (pace is not None or not missing):
            work.seconds = seconds + (pace or 0.0) * missing
    order = [spec.name for kind in KINDS for spec in STAGES_OF[kind]]
    return sorted(works.values(), key=lambda work: order.index(work.spec.name))


def _reason(stage: Stage, was_accepted: bool) -> str:
    before = stage.record(stage.table)
    if before is None:
        # What was never accepted waits for another reason, which is reported elsewhere.
        return NEVER_MADE if was_accepted else ""
    try:
        inputs = dict(stage.spec.inputs(stage))
    except (NotFoundError, KeyError):
        inputs = dict(before.input_versions)  # An input is missing: a run would not get this far either.
    return ", ".join(changes(stage, before, stage.spec.version, inputs))


def _records(lake: Lake, subject: Subject) -> tuple[dict[str, Provenance], bool]:
    """Return the records of the current partitions, and whether the video or day was accepted as a whole."""
    accepted = accepted_generation(lake, subject)
    whole = accepted is not None and len(accepted.tables) > 1
    if accepted is not None and whole and is_accepted_since(lake, subject):
        return dict(accepted.tables), True  # Nothing ran since: reading one file replaces reading a dozen.
    found = {}
    for spec in STAGES_OF[subject.kind]:
        with contextlib.suppress(DamagedError):  # Treated as missing: it is rebuilt.
            if record := lake.provenance(spec.table, subject.key):
                found[spec.name] = record
    return found, whole


def _duration_s(lake: Lake, subject: Subject) -> float:
    return float(lake.read(VIDEOS, subject.key)["duration_s"][0].as_py() or 0.0)


def _is_there(installation: Installation, subject: Subject) -> bool:
    name = installation.registry.path_of(subject.key)
    if name is None:
        # If the registry was lost, the row has the name.
        name = installation.lake.read(VIDEOS, subject.key)["source_path"][0].as_py()
    return name is not None and (installation.settings.vod_inbox / name).is_file()
