"""`klip process`: run what is due, then publish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape

from klip_assets.cli.output import console, json_option, notes, show_rows
from klip_assets.cli.progress import BarProgress
from klip_assets.contracts.subject import is_day
from klip_assets.errors import InputError, NotFoundError
from klip_assets.inbox.changes import Ready, settle, tweet_changes
from klip_assets.inbox.recordings import display_name, read_inbox
from klip_assets.settings import Settings
from klip_assets.store.lake.generations import accepted_generation
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.stage_status import partition_lock, read_stages
from klip_assets.store.locks import hold
from klip_assets.store.state.attempts import Attempts
from klip_assets.store.state.registry import Registry
from klip_assets.store.warehouse.publish import needs_publish
from klip_assets.work.due import Due, day_ranges, dirty_days, due_videos, note_deadly
from klip_assets.work.refusals import refuse_unknown

if TYPE_CHECKING:
    from klip_assets.defs.runner import Outcome, Runner


@dataclass
class Report:
    """What a `klip process` did.

    Attributes:
        rows: One a video, ingest, range of days or publish: what, outcome, problem.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything that ran succeeded."""
        return all(row["outcome"] != "failed" for row in self.rows)

    def add(self, subject: str, outcome: Outcome | str) -> None:
        """Note how something went."""
        if isinstance(outcome, str):
            self.rows.append({"what": subject, "outcome": outcome, "problem": None})
        else:
            problem = "; ".join(outcome.problems) or None
            self.rows.append({"what": subject, "outcome": "done" if outcome.ok else "failed", "problem": problem})


@click.command()
@click.argument("video", nargs=-1)
@click.option("--tweets", "days", multiple=True, metavar="DAY", help="Make this UTC day of tweets anew (YYYY-MM-DD).")
@click.option("--force", is_flag=True, help="Compute every stage again, even where nothing changed.")
@json_option
def process(video: Sequence[str], days: Sequence[str], force: bool, as_json: bool) -> None:
    """Process what is new or changed in the inbox, then publish. VIDEOs and DAYs named are processed in any case."""
    settings = Settings()
    report = run_process(settings, videos=video, days=days, force=force, quiet=as_json)
    if as_json:
        show_rows(report.rows, as_json=True)
    else:
        _tell(report)
    if not report.ok:
        raise click.exceptions.Exit(1)


def run_process(
    settings: Settings,
    *,
    videos: Sequence[str] = (),
    days: Sequence[str] = (),
    force: bool = False,
    quiet: bool = False,
) -> Report:
    """Process and publish; without videos and days, everything that is due.

    Raises:
        NotFoundError: A video that was named is not in the inbox.
        InputError: A day that was named is none.
    """
    from klip_assets.defs.instance import dagster_instance, fail_runs_of_dead_processes
    from klip_assets.defs.jobs import PROCESS_TWEET_DAYS, PUBLISH
    from klip_assets.defs.runner import Runner

    settings.make_folders()
    lake, registry = Lake(settings.lake_dir), Registry(settings.memory_path)
    attempts = Attempts(settings.memory_path)
    report = Report()
    with dagster_instance(settings) as instance:
        for run_id in fail_runs_of_dead_processes(instance):
            notes.print(f"[dim]run {run_id} belonged to a process that is gone; marked as failed[/dim]")
        contents = read_inbox(settings.vod_inbox)
        ready = settle(contents.recordings, registry, None).ready
        refused = {display_name(path, settings.vod_inbox): why for path, why in contents.unknown}
        refuse_unknown(lake, refused, run_id="")
        named = bool(videos or days)
        due = Due(_named(videos, ready), []) if named else due_videos(ready, attempts, lake)
        for entry in due.deadly:
            note_deadly(lake, entry)
            notes.print(
                f"[yellow]{escape(entry.video_id)} is left alone: process after process died on it[/yellow] "
                f"(klip process {escape(entry.video_id)} tries it again)"
            )
        asked_days = [_day(day) for day in days]
        runner = Runner(instance, BarProgress(quiet=quiet), reuse=not force)
        for entry in due.videos:
            report.add(entry.video_id, _run_video(runner, entry, lake, settings, again=named))
        if not named:
            _ingest(runner, settings, registry, report)
            asked_days = sorted(dirty_days(lake, attempts.all()))
        for first, last in day_ranges(asked_days):
            subject = f"tweets {first}" if first == last else f"tweets {first} to {last}"
            report.add(subject, runner.run(PROCESS_TWEET_DAYS, days=(first, last)))
        warehouse = settings.warehouse_dir
        if needs_publish(lake, warehouse, storage_version=settings.storage_version, ledger=settings.llm_path):
            report.add("warehouse", runner.run(PUBLISH))
    return report


def _named(names: Sequence[str], ready: Sequence[Ready]) -> list[Ready]:
    chosen = []
    for name in names:
        found = [entry for entry in ready if name in (entry.video_id, entry.recording.name, entry.recording.path.name)]
        if not found:
            raise NotFoundError(f"no recording in the inbox is called {name!r}", hint="klip videos, or klip add FILE")
        chosen += found
    return chosen


def _day(text: str) -> str:
    if not is_day(text):
        raise InputError(f"{text!r} is not a day", hint="write it as YYYY-MM-DD")
    from klip_assets.defs.partitions import DAYS

    if not DAYS.has_partition_key(text):
        raise InputError(f"{text} is no day of tweets: they begin on 2006-03-21 and end today")
    return text


def _run_video(runner: Runner, entry: Ready, lake: Lake, settings: Settings, *, again: bool) -> Outcome | str:
    from klip_assets.defs.jobs import PROCESS_VIDEO
    from klip_assets.defs.runs import list_video

    path = partition_lock(lake.root, "video_id", entry.video_id)
    what = f"video {entry.video_id}"
    with hold(
        path, what=what, timeout_s=settings.lock_timeout_s, on_wait=lambda text: notes.print(f"[dim]{text}[/dim]")
    ):
        done = accepted_generation(lake, "video_id", entry.video_id)
        if not again and done is not None and done.source == entry.fingerprint:
            return "processed meanwhile by another run"
        list_video(runner.instance, entry.video_id)
        outcome = runner.run(PROCESS_VIDEO, partition=entry.video_id)
        if outcome.ok and not _computed(lake, entry.video_id, outcome.run_id):
            return "nothing changed"
    return outcome


def _computed(lake: Lake, key: str, run_id: str) -> bool:
    return any(row["run_id"] == run_id and row["status"] != "reused" for row in read_stages(lake, key))


def _ingest(runner: Runner, settings: Settings, registry: Registry, report: Report) -> None:
    from klip_assets.defs.assets.tweets import TWEET_FILES
    from klip_assets.defs.jobs import INGEST_TWEETS

    changes = tweet_changes(settings.tweet_inbox, registry, None)
    if changes.fresh or changes.gone or registry.leftovers():
        files = [str(file.name) for file in changes.fresh]
        config = {"ops": {TWEET_FILES: {"config": {"files": files}}}}
        report.add(
            f"tweet files ({len(files)} new, {len(changes.gone)} gone)", runner.run(INGEST_TWEETS, config=config)
        )


def _tell(report: Report) -> None:
    if not report.rows:
        console.print("Nothing to do: everything in the inbox is processed and published.")
        return
    for row in report.rows:
        mark = {"done": "[green]done[/green]", "failed": "[red]failed[/red]"}.get(
            row["outcome"], escape(row["outcome"])
        )
        problem = f": {escape(row['problem'])}" if row["problem"] else ""
        console.print(f"{mark}  {escape(row['what'])}{problem}", soft_wrap=True)
