"""SIGKILL at every named point of a video's run, of a tweet ingest and of a publish.

An installation with a published state gets new content. A first `klip process` writes down every point it reaches;
then, each time on a fresh copy, the process stops itself at the first, the second, ... point, is looked at, and killed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import duckdb
import pytest

from klip_assets.contracts import PROVENANCE, PUBLISHED_TABLES, STAGE_STATUS, TABLES
from klip_assets.defs.instance import dagster_instance
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.locks import is_held
from klip_assets.store.state.attempts import Attempts
from klip_assets.store.state.registry import Registry
from klip_assets_tests.fire.victims import Victims, installation
from klip_assets_tests.made import tweet, tweet_id_at, write_tweets, write_vtt
from klip_assets_tests.processed import drop_stream, drop_tweets

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]

#: Columns that tell a run from another, not a state from another.
TRACES = {"run_id", "written_at", "started_at", "seconds", "ingested_at", "seen_at", "input_versions"}

Contents = dict[str, list[str]]


@dataclass
class State:
    """What analysts see, and the data version of each partition in the lake."""

    published: Contents
    lake: dict[str, str]


@dataclass
class Story:
    """An installation before and after a `klip process`, and the points that lie between."""

    before: State
    after: State
    points: list[str]
    home: Path


def a_video_changes(settings: Settings) -> None:
    path = drop_stream(settings, "stream", 50.0, seed=9)
    write_vtt(path.with_name("stream.en.vtt"), [(2.0, 6.0, "Other words."), (40.0, 44.0, "What a wonderful shot!")])


def tweet_files_change(settings: Settings) -> None:
    # One file is replaced (a day loses its tweets, another gains some), one is gone, one is new and partly broken.
    entries = [tweet(tweet_id_at("2026-06-13", 5), "I hate this"), tweet(tweet_id_at("2026-06-13", 7), "lovely")]
    write_tweets(settings.tweet_inbox / "tweets.jsonl", entries)
    (settings.tweet_inbox / "gone.jsonl").unlink()
    new = write_tweets(settings.tweet_inbox / "new.jsonl", [tweet(tweet_id_at("2026-06-13", 6), "so good")])
    with new.open("a") as file:
        file.write("this is no tweet\n")


@pytest.fixture(scope="module")
def victims() -> Iterator[SimpleQueue[Victims]]:
    """Two servers: one a core."""
    servers = [Victims(), Victims()]
    queue: SimpleQueue[Victims] = SimpleQueue()
    for server in servers:
        queue.put(server)
    yield queue
    for server in servers:
        server.close()


@pytest.fixture
def story(
    request: pytest.FixtureRequest, victims: SimpleQueue[Victims], tmp_path: Path, dagster_storage: Path
) -> Iterator[Story]:
    """Publish a stream and tweets, let something change, and see what `klip process` makes of it."""
    change: Callable[[Settings], None] = request.param
    home, done = tmp_path / "before", tmp_path / "after"
    settings = Settings(data_dir=home / "data")
    settings.make_folders()
    shutil.copytree(dagster_storage, settings.dagster_storage_dir)
    shutil.copy(dagster_storage.parents[1] / "dagster.yaml", home)
    drop_stream(settings)
    drop_tweets(settings)
    write_tweets(settings.tweet_inbox / "gone.jsonl", [tweet(tweet_id_at("2026-06-12", 9), "hm")])
    victim = victims.get()
    try:
        assert victim.run(home)["code"] == 0, (home / "output.txt").read_text()
        before = state_of(home)
        change(settings)
        shutil.copytree(home, done, symlinks=True)
        log = tmp_path / "points.txt"
        assert victim.run(done, KLIP_FAILPOINT_LOG=str(log))["code"] == 0, (done / "output.txt").read_text()
    finally:
        victims.put(victim)
    points = [line.partition(" ")[2] for line in log.read_text().splitlines()]
    yield Story(before, state_of(done), points, home)


@pytest.mark.parametrize("story", [a_video_changes, tweet_files_change], indirect=True, ids=lambda f: f.__name__)
def test_a_kill_at_any_point_loses_nothing_and_the_next_run_finishes_the_work(
    story: Story, victims: SimpleQueue[Victims], tmp_path: Path
) -> None:
    assert story.before.published != story.after.published

    def kill_at(number: int) -> list[str]:
        home, victim = tmp_path / f"killed-{number}", victims.get()
        try:
            shutil.copytree(story.home, home, symlinks=True)
            log = tmp_path / f"log-{number}.txt"
            stopped = victim.run(home, KLIP_FAILPOINT=f"stop {number}", KLIP_FAILPOINT_LOG=str(log))
            if "stopped" not in stopped:
                return [f"{number} was not reached: {(home / 'output.txt').read_text()[-500:]}"]
            reached = log.read_text().splitlines()[-2].partition(" ")[2]
            wrong = look_around(home, story)
            assert victim.kill(stopped["pid"]) == 9
            wrong += still_held(home)
            finished = victim.run(home)
            if finished.get("code") != 0:
                wrong.append(f"the next run failed: {(home / 'output.txt').read_text()[-800:]}")
            else:
                wrong += look_at_the_end(home, story)
            return [f"{number} ({reached}): {text}" for text in wrong]
        finally:
            victims.put(victim)
            shutil.rmtree(home, ignore_errors=True)

    # At the beginning and the end of a computation nothing on the disk differs from the point before.
    numbers = [n for n, point in enumerate(story.points, start=1) if not point.startswith("stage.")]
    with ThreadPoolExecutor(2) as pool:
        wrong = [text for found in pool.map(kill_at, numbers) for text in found]
    assert wrong == []


@pytest.mark.parametrize("story", [a_video_changes], indirect=True, ids=lambda f: f.__name__)
def test_every_kind_of_point_is_reached(story: Story) -> None:
    reached = {point.split(" ")[0] for point in story.points}
    assert reached >= {
        "stage.begin", "stage.computed", "write.filled", "write.placed", "link.made",
        "memory.commit", "memory.committed", "accept.forget", "publish.begin", "publish.build", "publish.commit",
        "publish.committed", "publish.built", "publish.named", "publish.turn", "publish.turned",
    }  # fmt: skip
    for name in ("videos", "segments", "highlights", "stage_status"):
        assert any(point.startswith(f"write.placed {name}/") for point in story.points)


def look_around(home: Path, story: Story) -> list[str]:
    """Say what is wrong for analysts and in the lake while the process stands still; a kill changes none of it."""
    wrong = []
    seen = published_of(home)
    if seen not in (story.before.published, story.after.published):
        halves = [n for n in seen if seen[n] not in (story.before.published[n], story.after.published[n])]
        wrong.append(f"analysts see neither the old nor the new state; neither in {halves}")
    for name, version in lake_of(home).items():
        if version not in (story.before.lake.get(name), story.after.lake.get(name)):
            wrong.append(f"{name} is neither old nor new")
    return wrong


def still_held(home: Path) -> list[str]:
    locks = [*(home / "data" / "lake" / "_locks").glob("*.lock"), *(home / "data" / "state").glob("*.lock")]
    return [f"{lock.name} is still held" for lock in locks if is_held(lock)]


def look_at_the_end(home: Path, story: Story) -> list[str]:
    """Say what is wrong after the next run."""
    wrong = []
    if (seen := published_of(home)) != story.after.published:
        differs = [name for name in seen if seen[name] != story.after.published[name]]
        wrong.append(f"not what an undisturbed run publishes: {differs}")
    if lake_of(home) != story.after.lake:
        wrong.append("the lake is not what an undisturbed run leaves")
    left = [p for p in home.rglob(".*") if p.name.endswith(".tmp") or p.name.startswith(".building")]
    if left:
        wrong.append(f"left behind: {left}")
    settings = Settings(data_dir=home / "data")
    if attempts := Attempts(settings.memory_path).all():
        wrong.append(f"attempts are remembered: {attempts}")
    if leftovers := Registry(settings.memory_path).leftovers():
        wrong.append(f"tweets without a file are left: {leftovers}")
    kept = list((home / "data" / "lake" / "_generations").rglob("*.parquet"))
    if len(kept) != len({path.parent for path in kept}):
        wrong.append("files of a generation that is not accepted are kept")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in installation(home).items():
            environment.setenv(name, value)
        with dagster_instance(settings) as instance:
            unfinished = [run.job_name for run in instance.get_runs() if not run.is_finished]
    if unfinished:
        wrong.append(f"runs that never end: {unfinished}")
    return wrong


def state_of(home: Path) -> State:
    return State(published_of(home), lake_of(home))


def published_of(home: Path) -> Contents:
    found: dict[str, Any] = {}
    with duckdb.connect(str((home / "data/warehouse/klip.duckdb").resolve()), read_only=True) as connection:
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
    lake, found = Lake(home / "data" / "lake"), {}
    for name, table in TABLES.items():
        if name == STAGE_STATUS.name or table.published_as == "nothing":
            continue
        for key in lake.keys(table):
            lake.read(table, key)
            provenance = lake.provenance(table, key)
            assert provenance
            found[f"{name}/{key}"] = provenance.data_version
    return found
