"""An installation with a published state gets new content, and `klip process` is stopped at every point on its way.

At each fail point the folder is copied as a kill would leave it: with temporary files, write-ahead logs and whatever is
half done; only locks go with the process. The copies go on once the process is gone.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pytest

from klip_assets.contracts import PROVENANCE, PUBLISHED_TABLES, STAGE_STATUS, TABLES
from klip_assets.defs.instance import dagster_instance
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake, provenance_of, read_file
from klip_assets.store.locks import is_held
from klip_assets.store.state.attempts import Attempts
from klip_assets.store.state.registry import Registry
from klip_assets_tests.fire.copies import copy_installation
from klip_assets_tests.fire.victims import Victims, installation
from klip_assets_tests.made import tweet, tweet_id_at, write_tweets
from klip_assets_tests.processed import drop_stream, drop_tweets
from klip_assets_tests.suite.width import WIDE
from klip_assets_tests.worked import work

#: Columns that tell a run from another, not a state from another.
TRACES = {"run_id", "written_at", "started_at", "seconds", "ingested_at", "seen_at", "input_versions"}

Contents = dict[str, list[str]]


@dataclass
class State:
    """What analysts see, and the data version of each partition in the lake."""

    published: Contents
    lake: dict[str, str]


@dataclass
class Point:
    """A fail point that was reached: its number, its name and subject, what was seen there, a copy of the folder."""

    number: int
    name: str
    state: State
    copy: Path


@dataclass
class Story:
    """An installation before and after a `klip process`, and the points between.

    Attributes:
        home: Where the installation lies in every run, since what it writes holds absolute paths.
        start: A copy of it before the run.
        before: What was there before.
        after: What is there after.
        reached: Names of all points, in order.
        points: Those at which something on the disk differs from the point before.
    """

    home: Path
    start: Path
    before: State
    after: State
    reached: list[str]
    points: list[Point]

    def begin_with(self, copy: Path) -> None:
        """Put a copy where the installation lies; the copy is used up."""
        shutil.rmtree(self.home, ignore_errors=True)
        copy.rename(self.home)


def tell(victim: Victims, folder: Path, storage: Path, change: Callable[[Settings], None]) -> Story:
    """Publish a stream and tweets, let something change, and walk through what `klip process` makes of it.

    Args:
        victim: Runs `klip process`.
        folder: An empty folder.
        storage: Dagster's storage with its tables made.
        change: Changes what is in the inbox.
    """
    home, start, log = folder / "home", folder / "start", folder / "points.txt"
    settings = Settings(data_dir=home / "data")
    settings.make_folders()
    shutil.copytree(storage, settings.dagster_storage_dir)
    shutil.copy(storage.parents[1] / "dagster.yaml", home)
    drop_stream(settings)
    drop_tweets(settings)
    write_tweets(settings.tweet_inbox / "gone.jsonl", [tweet(tweet_id_at("2026-06-12", 9), "hm")])
    assert victim.run(home)["code"] == 0, (home / "output.txt").read_text()
    before = state_of(home)
    change(settings)
    copy_installation(home, start)
    points, reached, last = [], [], listing(home)
    ended = victim.run(home, KLIP_FAILPOINT="step", KLIP_FAILPOINT_LOG=str(log))
    while ended.get("stopped"):
        reached = [line.partition(" ")[2] for line in log.read_text().splitlines()]
        # At the beginning and the end of a computation nothing on the disk differs from the point before.
        if not reached[-1].startswith("stage.") and (now := listing(home)) != last:
            last, copy = now, folder / f"at-{len(reached)}"
            copy_installation(home, copy, share=True)
            points.append(Point(len(reached), reached[-1], state_of(home), copy))
        ended = victim.resume(ended["pid"])
    assert ended["code"] == 0, (home / "output.txt").read_text()
    return Story(home, start, before, state_of(home), reached, points)


def wrong_on_the_way(story: Story, point: Point) -> Iterator[str]:
    """Say what is wrong for analysts and in the lake at a point; a kill changes none of it."""
    seen, before, after = point.state.published, story.before.published, story.after.published
    if seen not in (before, after):
        halves = [name for name in seen if seen[name] not in (before[name], after[name])]
        yield f"analysts see neither the old nor the new state; neither in {halves}"
    for name, version in point.state.lake.items():
        if version not in (story.before.lake.get(name), story.after.lake.get(name)):
            yield f"{name} is neither old nor new"


def wrong_locks(home: Path) -> Iterator[str]:
    """Say which locks are held."""
    for lock in [*(home / "data" / "lake" / "_locks").glob("*.lock"), *(home / "data" / "state").glob("*.lock")]:
        if is_held(lock):
            yield f"{lock.name} is still held"


def wrong_at_the_end(story: Story) -> Iterator[str]:
    """Say what is wrong once an installation has gone on and ended."""
    home = story.home
    if (seen := published_of(home)) != story.after.published:
        differs = [name for name in seen if seen[name] != story.after.published[name]]
        yield f"not what an undisturbed run publishes: {differs}"
    if lake_of(home) != story.after.lake:
        yield "the lake is not what an undisturbed run leaves"
    if left := [p for p in home.rglob(".*") if p.name.endswith(".tmp") or p.name.startswith(".building")]:
        yield f"left behind: {left}"
    settings = Settings(data_dir=home / "data")
    if attempts := Attempts(settings.memory_path).all():
        yield f"attempts are remembered: {attempts}"
    if leftovers := Registry(settings.memory_path).leftovers():
        yield f"tweets without a file are left: {leftovers}"
    kept = list((home / "data" / "lake" / "_generations").rglob("*.parquet"))
    if len(kept) != len({path.parent for path in kept}):
        yield "files of a generation that is not accepted are kept"


def wrong_runs(home: Path) -> Iterator[str]:
    """Say which runs of Dagster are left unfinished."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in installation(home).items():
            environment.setenv(name, value)
        with dagster_instance(Settings(data_dir=home / "data")) as instance:
            unfinished = [run.job_name for run in instance.get_runs() if not run.is_finished]
    if unfinished:
        yield f"runs that never end: {unfinished}"


def wrong_after_work(story: Story) -> Iterator[str]:
    """Go on by `work`, without Dagster; say what is wrong then."""
    worked = work(Settings(data_dir=story.home / "data"))
    if worked.ok:
        yield from wrong_at_the_end(story)
    else:
        yield f"the work failed: {worked.problems}"


def wrong_after_klip_process(story: Story, victim: Victims) -> Iterator[str]:
    """Go on by `klip process`; say what is wrong then, also with runs of Dagster."""
    if victim.run(story.home).get("code") == 0:
        yield from wrong_at_the_end(story)
        yield from wrong_runs(story.home)
    else:
        yield f"the next run failed: {(story.home / 'output.txt').read_text()[-800:]}"


def wrong_in(story: Story, victim: Victims) -> list[str]:
    """Say what is wrong at each point, and once a copy of it has gone on.

    Copies go on without Dagster, which takes most of the time of a `klip process`; in the wide variant with it.
    """
    assert story.before.published != story.after.published
    wrong = []
    for point in story.points:
        found = list(wrong_on_the_way(story, point))
        story.begin_with(point.copy)
        found += wrong_after_klip_process(story, victim) if WIDE else wrong_after_work(story)
        wrong += [f"{point.number} ({point.name}): {text}" for text in found]
    return wrong


def wrong_after_real_kills(story: Story, victim: Victims) -> list[str]:
    """Kill a process at the first point of each kind and go on by `klip process`.

    Returns:
        What is wrong in what the killed process left, in its locks, and at the end.
    """
    first = {point.name.split(" ")[0]: point for point in reversed(story.points)}
    wrong = []
    for kind, point in first.items():
        copy_installation(story.start, copy := story.start.with_name("again"))
        story.begin_with(copy)
        log = story.start.with_name(f"killed-{point.number}.txt")
        stopped = victim.run(story.home, KLIP_FAILPOINT=f"stop {point.number}", KLIP_FAILPOINT_LOG=str(log))
        assert stopped.get("stopped"), f"{point} was not reached"
        reached, left = log.read_text().splitlines()[-2].partition(" ")[2], listing(story.home)
        assert victim.kill(stopped["pid"]) == 9
        found = [] if reached.split(" ")[0] == kind else [f"another run reached {reached}"]
        if listing(story.home) != left:
            found.append("a kill changes the disk, so that a copy made before it is none of what it leaves")
        found += wrong_locks(story.home)
        found += wrong_after_klip_process(story, victim)
        wrong += [f"{point.number} ({point.name}), killed: {text}" for text in found]
    return wrong


def listing(home: Path) -> dict[str, tuple[int, int]]:
    """Return the size and time of every file and link, without what Dagster copies of a terminal by another process."""
    files = [path for path in home.rglob("*") if path.is_symlink() or path.is_file()]
    states = {str(path): path.lstat() for path in files if "compute_logs" not in path.parts}
    return {path: (state.st_size, state.st_mtime_ns) for path, state in states.items()}


def state_of(home: Path) -> State:
    """Return what analysts see and what is in the lake."""
    return State(published_of(home), lake_of(home))


def published_of(home: Path) -> Contents:
    """Return the rows of all published tables, without what tells one run from another."""
    version = (home / "data/warehouse/klip.duckdb").resolve()
    return _rows_in(version, version.stat().st_mtime_ns)


@lru_cache
def _rows_in(version: Path, _written_ns: int) -> Contents:
    # Hundreds of states share a few files: each is read once.
    found: dict[str, Any] = {}
    with duckdb.connect(str(version), read_only=True) as connection:
        for name in PUBLISHED_TABLES:
            columns = [column for column in TABLES[name].schema.names if column not in TRACES]
            where = ""
            if name == PROVENANCE.name:
                # A killed run leaves its mark in stage_status, which is no part of a generation.
                where = f" WHERE table_name <> '{STAGE_STATUS.name}'"
            if name == STAGE_STATUS.name:
                columns, where = ["partition", "table_name", "rows"], " WHERE status <> 'failed'"
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM {name}{where}").fetchall()
            found[name] = sorted(map(repr, rows))
    return found


def lake_of(home: Path) -> dict[str, str]:
    """Return the data version of every partition, each of which must be readable."""
    lake, found = Lake(home / "data" / "lake"), {}
    for name, table in TABLES.items():
        if name == STAGE_STATUS.name or table.published_as == "nothing":
            continue
        for key in lake.keys(table):
            found[f"{name}/{key}"] = _version_in(lake.path(table, key), lake.path(table, key).stat().st_mtime_ns, name)
    return found


@lru_cache(maxsize=1000)
def _version_in(path: Path, _written_ns: int, table: str) -> str:
    read_file(path, TABLES[table])
    provenance = provenance_of(path)
    assert provenance
    return provenance.data_version
