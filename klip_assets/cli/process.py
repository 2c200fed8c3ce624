"""`klip process`: run what is due, or rebuild what is stale, then publish."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click

from klip_assets.cli.output import counted, json_option, note, say, show_rows
from klip_assets.cli.progress import BarProgress
from klip_assets.contracts import DAY_TABLES, TWEETS, VIDEO_TABLES, Subject, is_day
from klip_assets.errors import InputError, NotFoundError
from klip_assets.formats.text import shown_name
from klip_assets.inbox.changes import Ready
from klip_assets.settings import Settings

if TYPE_CHECKING:
    from klip_assets.defs.runner import Outcome, Runner
    from klip_assets.work.installation import Installation


_NOTHING_TO_DO = "Nothing to do: everything in the inbox is processed and published."
_SOME_UNREADABLE = (
    "Nothing to do: everything in the inbox is processed and published, except {} that can't be read: klip videos."
)
_NOTHING_NEW = "Nothing to do: everything in the inbox is processed, but the items above are not published."
_NOTHING_STALE = "Nothing is stale."
_COLOURS = {"done": "green", "failed": "red", "waits": "yellow"}


@dataclass
class Report:
    """What `klip process` did.

    Attributes:
        rows: One row per video, ingest, range of days or publish: what, outcome, problem (why it failed), found (what
            is wrong with a recording that was processed).
        waiting: Video or day -> why its current state is not published.
        unreadable: Number of recordings that are published as unreadable.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    waiting: Mapping[str, Sequence[str]] = field(default_factory=dict)
    unreadable: int = 0

    @property
    def ok(self) -> bool:
        """Whether everything that ran succeeded."""
        return all(row["outcome"] != "failed" for row in self.rows)

    def add(
        self, subject: str, outcome: Outcome | str, found: str | None = None, *, problem: str | None = None
    ) -> None:
        """Add a row with an outcome; the outcome of a run knows its problems itself."""
        if isinstance(outcome, str):
            self.rows.append({"what": subject, "outcome": outcome, "problem": problem, "found": found})
            return
        problem = "; ".join(outcome.problems) or None
        done = "done" if outcome.ok else "failed"
        self.rows.append({"what": subject, "outcome": done, "problem": problem, "found": found if outcome.ok else None})

    @property
    def waiting_rows(self) -> list[dict[str, Any]]:
        """Rows for what waits, except what failed in this command, which is already listed."""
        listed = {row["what"] for row in self.rows if row["outcome"] == "failed"}
        return [
            {"what": key, "outcome": "waits", "problem": "; ".join(why), "found": None}
            for key, why in sorted(self.waiting.items())
            if key not in listed
        ]


@click.command()
@click.argument("video", nargs=-1)
@click.option("--tweets", "days", multiple=True, metavar="DAY", help="Rebuild this UTC day of tweets (YYYY-MM-DD).")
@click.option("--force", is_flag=True, help="Recompute every stage, even if nothing changed.")
@click.option(
    "--stale", is_flag=True, help="Rebuild only what a newer Klip or changed settings would produce differently."
)
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="TABLE",
    type=click.Choice([*VIDEO_TABLES, *DAY_TABLES]),
    help="With --stale: only this table and what reads it.",
)
@click.option(
    "--accept-removals",
    is_flag=True,
    help="Remove the tweets of files that are gone even where all files of a folder are gone at once.",
)
@click.option("--dry-run", is_flag=True, help="With --stale: only estimate the work, change nothing.")
@json_option
def process(
    video: Sequence[str],
    days: Sequence[str],
    force: bool,
    stale: bool,
    tables: Sequence[str],
    accept_removals: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Process what is new or changed in the inbox, then publish. VIDEOs and DAYs given are always processed.

    The name of a tweet file in the inbox, in place of a VIDEO, has that file read once more.

    With --stale: rebuild only the stages whose version or inputs have changed, for everything processed before or for
    the VIDEOs and DAYs given. A new release of Klip rebuilds nothing unless asked to in this way.
    """
    if (tables or dry_run) and not stale:
        raise click.UsageError("--table and --dry-run require --stale")
    if accept_removals and (stale or video or days):
        raise click.UsageError(
            "--accept-removals looks at the whole inbox: give it without VIDEO, --tweets and --stale"
        )
    if stale and force:
        raise click.UsageError("--stale and --force can't be combined: one rebuilds what changed, the other everything")
    settings = Settings()
    if dry_run:
        from klip_assets.cli.stale import show_plan

        show_plan(settings, videos=video, days=days, tables=tables, as_json=as_json)
        return
    if stale:
        report = run_stale(settings, videos=video, days=days, tables=tables, quiet=as_json)
    else:
        report = run_process(
            settings, videos=video, days=days, force=force, accept_removals=accept_removals, quiet=as_json
        )
    if as_json:
        show_rows([*report.rows, *report.waiting_rows], as_json=True)
    else:
        _print_report(report, _NOTHING_STALE if stale else _nothing(report))
    if not report.ok:
        raise click.exceptions.Exit(1)


def _nothing(report: Report) -> str:
    if report.waiting:
        return _NOTHING_NEW
    unreadable = counted(report.unreadable, "recording")
    return _SOME_UNREADABLE.format(unreadable) if report.unreadable else _NOTHING_TO_DO


def run_process(
    settings: Settings,
    *,
    videos: Sequence[str] = (),
    days: Sequence[str] = (),
    force: bool = False,
    accept_removals: bool = False,
    quiet: bool = False,
) -> Report:
    """Process and publish; without videos and days, everything that is due.

    What can't be read in an inbox is a failed row of the report; everything else is processed and published.

    Raises:
        NotFoundError: A given video is not in the inbox.
        InputError: A given day is not a valid date.
    """
    from klip_assets.defs.instance import dagster_instance
    from klip_assets.defs.runner import Runner
    from klip_assets.store.lake.generations import accepted_heads
    from klip_assets.store.state.attempts import MAX_DEATHS
    from klip_assets.work.due import dirty_days
    from klip_assets.work.findings import found_in
    from klip_assets.work.installation import Installation
    from klip_assets.work.read_attempts import read_again
    from klip_assets.work.scan import scan

    settings.make_folders()
    here, report = Installation(settings), Report()
    with dagster_instance(settings) as instance:
        _report_dead_runs(instance)
        found = scan(here)
        named = bool(videos or days)
        for entry in () if named else found.due.crash_looping:
            note(
                (f"{entry.video_id} skipped: {MAX_DEATHS} processes died while working on it", "yellow"),
                f" (to retry: klip process {entry.video_id})",
            )
        asked_days = [_day(day) for day in days]
        runner = Runner(instance, BarProgress(quiet=quiet), reuse=not force)
        files = [name for name in videos if not _recordings(name, found.ready) and read_again(here, name)]
        videos = [name for name in videos if name not in files]
        for entry in _named(videos, found.ready) if named else found.due.videos:
            outcome = _run_video(runner, here, entry.subject, unless_done=None if named else entry)
            report.add(entry.video_id, outcome, found_in(here.lake, entry.video_id))
        if not named:
            _add_unreadable(report, settings.vod_inbox.name, found.unreadable)
        if files or not named:
            _ingest(runner, here, report, accept_removals=accept_removals)
            asked_days = sorted({*asked_days, *dirty_days(here.lake, here.attempts.all())})
        _run_days(runner, asked_days, report)
        _publish(runner, here, report)
    if not report.rows:
        heads = accepted_heads(here.lake, "video_id").values()
        report.unreadable = sum(bool(head.notes.get("unreadable")) for head in heads)
    return report


def run_stale(
    settings: Settings,
    *,
    videos: Sequence[str] = (),
    days: Sequence[str] = (),
    tables: Collection[str] = (),
    quiet: bool = False,
) -> Report:
    """Rebuild the stages whose version or inputs have changed, and publish.

    Args:
        settings: The installation.
        videos: Only these videos.
        days: Only these days of tweets; without videos and days, everything that was processed.
        tables: Only these tables and what reads them.
        quiet: Show no progress.

    Raises:
        NotFoundError: A given video or day has not been processed.
    """
    from klip_assets.cli.stale import summary
    from klip_assets.defs.instance import dagster_instance
    from klip_assets.defs.runner import Runner
    from klip_assets.work.findings import found_in
    from klip_assets.work.installation import Installation
    from klip_assets.work.scan import scan
    from klip_assets.work.stages.catalogue import downstream
    from klip_assets.work.stale import plan, stale_subjects

    settings.make_folders()
    here, report = Installation(settings), Report()
    scan(here)
    found, gone = stale_subjects(here, videos=videos, days=days, tables=tables)
    if found and not quiet:
        note(summary(plan(here, found), found))
    chosen = {*tables, *downstream(set(tables))} if tables else None
    for video_id in gone:
        report.add(video_id, "skipped: its recording is not in the inbox")
    with dagster_instance(settings) as instance:
        _report_dead_runs(instance)
        runner = Runner(instance, BarProgress(quiet=quiet))
        of_videos, of_days = (chosen and chosen.intersection(names) for names in (VIDEO_TABLES, DAY_TABLES))
        for subject in (subject for subject, _ in found if not subject.is_day):
            outcome = _run_video(runner, here, subject, tables=of_videos)
            report.add(subject.key, outcome, found_in(here.lake, subject.key))
        # As many ranges as days, so that no gap is closed: a day that was never built must not be built now.
        stale_days = [subject.key for subject, _ in found if subject.is_day]
        _run_days(runner, stale_days, report, tables=of_days, limit=len(stale_days))
        _publish(runner, here, report)
    return report


def _report_dead_runs(instance: Any) -> None:
    from klip_assets.defs.instance import fail_runs_of_dead_processes

    for run_id in fail_runs_of_dead_processes(instance):
        note((f"run {run_id} marked as failed: its process is gone", "dim"))


def _named(names: Sequence[str], ready: Sequence[Ready]) -> list[Ready]:
    chosen = []
    for name in names:
        found = _recordings(name, ready)
        if not found:
            raise NotFoundError(f"no recording {name!r} in the inbox", hint="klip videos, or klip add FILE")
        chosen += found
    return chosen


def _recordings(name: str, ready: Sequence[Ready]) -> list[Ready]:
    return [entry for entry in ready if name in (entry.video_id, entry.recording.name, entry.recording.path.name)]


def _day(text: str) -> str:
    if not is_day(text):
        raise InputError(f"{text!r} is not a valid date", hint="write it as YYYY-MM-DD")
    from klip_assets.defs.partitions import DAYS, FIRST_DAY

    if not DAYS.has_partition_key(text):
        raise InputError(f"{text} is out of range ({FIRST_DAY.isoformat()} to today)")
    return text


def _run_video(
    runner: Runner,
    here: Installation,
    subject: Subject,
    *,
    unless_done: Ready | None = None,
    tables: Collection[str] | None = None,
) -> Outcome | str:
    from klip_assets.defs.jobs import PROCESS_VIDEO
    from klip_assets.defs.runs import list_video
    from klip_assets.store.lake.stage_status import read_stages
    from klip_assets.store.locks import hold, subject_lock
    from klip_assets.work.due import is_done
    from klip_assets.work.stages.originals import lost_originals

    with hold(
        subject_lock(here.lake.root, subject),
        what=str(subject),
        timeout_s=here.settings.lock_timeout_s,
        on_wait=lambda text: note((text, "dim")),
    ):
        if unless_done and is_done(unless_done, here.attempts, here.lake, is_lost=lost_originals(here)):
            return "already processed by another run"
        list_video(runner.instance, subject.key)
        outcome = runner.run(PROCESS_VIDEO, partition=subject.key, tables=tables)
        mine = [row for row in read_stages(here.lake, subject.key) if row["run_id"] == outcome.run_id]
        if outcome.ok and all(row["status"] == "reused" for row in mine):
            return "nothing changed"
    return outcome


def _ingest(runner: Runner, here: Installation, report: Report, *, accept_removals: bool) -> None:
    from klip_assets.defs.jobs import INGEST_TWEETS, ingest_config
    from klip_assets.store.lake.quarantine import refused_as_a_whole
    from klip_assets.store.state.attempts import MAX_DEATHS
    from klip_assets.work.ingest import pending
    from klip_assets.work.read_attempts import skipped_files

    found, inbox = pending(here), here.settings.tweet_inbox.name
    removed = len(found.gone) + (len(found.missing) if accept_removals else 0)
    if found.is_any or removed:
        what = f"tweet files ({len(found.fresh)} new, {removed} gone)"
        config = ingest_config(found.names, accept_removals=accept_removals)
        outcome = runner.run(INGEST_TWEETS, config=config)
        refused = refused_as_a_whole(here.lake, found.names, TWEETS.name)
        told = "; ".join(f"{shown_name(name)}: {entry.reason}" for name, entry in refused.items())
        report.add(what, outcome, f"not used: {told}" if told else None)
        found = pending(here)
    _add_unreadable(report, inbox, found.unreadable)
    if found.missing:
        report.add(str(PurePath(inbox, found.missing_from)), "waits", problem=found.missing_text)
    for name in map(shown_name, skipped_files(here)):
        text = f"{name} skipped: {MAX_DEATHS} processes died while reading it"
        note((text, "yellow"), f" (to retry: klip process {name})")


def _add_unreadable(report: Report, inbox: str, unreadable: Mapping[str, str]) -> None:
    for name, problem in sorted(unreadable.items()):
        report.add(str(PurePath(inbox, name)), "failed", problem=problem)


def _run_days(
    runner: Runner,
    days: Collection[str],
    report: Report,
    *,
    tables: Collection[str] | None = None,
    limit: int | None = None,
) -> None:
    from klip_assets.defs.jobs import PROCESS_TWEET_DAYS
    from klip_assets.work.due import MAX_RANGES, day_ranges

    for first, last in day_ranges(days, MAX_RANGES if limit is None else limit):
        what = f"tweets {first}" if first == last else f"tweets {first} to {last}"
        report.add(what, runner.run(PROCESS_TWEET_DAYS, days=(first, last), tables=tables))


def _publish(runner: Runner, here: Installation, report: Report) -> None:
    from klip_assets.defs.jobs import PUBLISH
    from klip_assets.work.publishing import publish_due, waiting

    if publish_due(here):
        report.add("warehouse", runner.run(PUBLISH))
    report.waiting = waiting(here)


def _print_report(report: Report, nothing: str) -> None:
    for row in [*report.rows, *report.waiting_rows]:
        problem = f": {text}" if (text := row["problem"] or row["found"]) else ""
        say((row["outcome"], _COLOURS.get(row["outcome"], "")), f"  {row['what']}{problem}", wrap=False)
    if report.waiting_rows:
        say(("Once the cause is fixed: klip process VIDEO, or klip process --tweets DAY", "dim"))
    if not report.rows:
        say(nothing)
