"""Twenty videos through three runs at once, `klip process` beside the daemon, a publisher killed midway, and analysts
who read, write and reconnect all the while."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from klip_assets.store.locks import is_held
from klip_assets_tests.made import write_vtt, write_wav
from klip_assets_tests.processed import due
from klip_assets_tests.service.klip_dev import ended
from klip_assets_tests.suite.width import WIDE

pytestmark = pytest.mark.slow

VIDEOS = [f"stream{number:02d}" for number in range(20)]
#: Those that get a second take: enough to be published in several versions, some old and some new.
RETAKEN = VIDEOS if WIDE else VIDEOS[12:]
#: What the analyst sees in turn.
PHASES = ["first take", "both", "second take"] if WIDE else ["first take", "both"]


@dataclass
class Crowd:
    """Who is there, and what happened."""

    service: Any
    root: Path
    writer: subprocess.Popen[str]
    holder: duckdb.DuckDBPyConnection
    reader: subprocess.Popen[bytes]
    processes: list[subprocess.CompletedProcess[str]]
    seen_by_the_holder: list[list[Any]]
    computed: Counter[str] = field(default_factory=Counter)
    analyst: dict[str, Any] = field(default_factory=dict)
    killed: int = 0


def drop_all(inbox: Path, names: list[str], take: str, seconds: float) -> None:
    for number, name in enumerate(names):
        hidden = write_wav(inbox / f".{name}.wav", seconds, seed=100 * number + round(seconds))
        write_vtt(inbox / f".{name}.vtt", [(1.0, 3.0, f"{take} take")])
        (inbox / f".{name}.vtt").rename(inbox / f"{name}.en.vtt")
        hidden.rename(inbox / f"{name}.wav")


@pytest.fixture(scope="module")
def gathered(make_service: Callable[..., Any]) -> Iterator[Crowd]:
    """Chapter 1: while the first takes are processed, a writer, a holder, an analyst and a `klip process` come."""
    # Little more is queued than the three runs at once, so that `klip process` finds something to do as well.
    service = make_service("crowd", KLIP_SENSOR_INTERVAL_S="5", KLIP_SENSOR_BATCH="4")
    root = service.home.parent
    service.extra["KLIP_FAILPOINT_LOG"] = str(root / "points.txt")
    configuration = (service.home / "dagster.yaml").read_text()
    assert "max_concurrent_runs: 2" in configuration
    (service.home / "dagster.yaml").write_text(
        configuration.replace("max_concurrent_runs: 2", "max_concurrent_runs: 3")
    )
    service.start()
    database = service.settings.warehouse_path
    try:
        drop_all(service.settings.vod_inbox, VIDEOS, "first", 4.0)
        process = service.klip_beside("process")
        service.wait(lambda: service.sql("SELECT 1 FROM videos LIMIT 1"), "a first video to be published")
        # The writer takes the version of the moment; the daemon then publishes one that others can open.
        writer = writer_of(database)
        since = database.resolve()
        service.wait(lambda: database.resolve() != since, "a version that is not open for writing")
        holder = duckdb.connect(str(database), read_only=True)
        command = [sys.executable, "-m", "klip_assets_tests.service.analyst"]
        command += [str(database), str(root / "stop"), str(root / "seen")]
        reader = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        crowd = Crowd(service, root, writer, holder, reader, [], [videos_of(holder)])
        crowd.processes.append(ended(process))
        service.wait(lambda: done(service, VIDEOS, 4.0), "the first takes to be published")
        wait_for_queries(service, root / "seen", PHASES[0])
        yield crowd
    finally:
        (root / "stop").touch()
        service.stop()


@pytest.fixture(scope="module")
def crowd(gathered: Crowd) -> Crowd:
    """Chapter 2: second takes replace some of the first, and a publisher is killed midway."""
    crowd, service = gathered, gathered.service
    drop_all(service.settings.vod_inbox, RETAKEN, "second", 5.0)
    process = service.klip_beside("process")
    crowd.killed = publisher_killed_midway(service, crowd.root)
    crowd.processes.append(ended(process))
    service.wait(lambda: done(service, RETAKEN, 5.0), "the second takes to be published")
    wait_for_queries(service, crowd.root / "seen", PHASES[-1])
    service.wait_for_runs()
    # What is published while a run is still at a video is published again when that has ended.
    service.wait(lambda: due(service.settings) is None and not service.unfinished(), "everything to be published")
    (crowd.root / "stop").touch()
    assert crowd.reader.wait() == 0
    crowd.seen_by_the_holder.append(videos_of(crowd.holder))
    crowd.holder.close()
    assert crowd.writer.stdin
    crowd.writer.stdin.close()
    assert crowd.writer.wait() == 0
    points = (crowd.root / "points.txt").read_text().splitlines()
    crowd.computed = Counter(line.split()[2] for line in points if " stage.computed audio_features/" in line)
    crowd.analyst = json.loads((crowd.root / "seen").read_text())
    return crowd


def videos_of(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    return connection.execute("SELECT * FROM videos ORDER BY ALL").fetchall()


def wait_for_queries(service: Any, report: Path, phase: str) -> None:
    """Wait until the analyst has seen the videos of a phase often enough to have met a mistake."""

    def queries() -> int:
        return int(json.loads(report.read_text())["queries"].get(phase, 0)) if report.exists() else 0

    service.wait(lambda: queries() >= 100, f"queries of the phase {phase}", moves=queries)


def writer_of(database: Path) -> subprocess.Popen[str]:
    """Open the published file for writing, as a user who may, and write to it."""
    database.resolve().chmod(0o644)
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute('CREATE TABLE mine AS SELECT 1 AS n');"
        "print('writes', flush=True); sys.stdin.read(); c.execute('INSERT INTO mine VALUES (2)'); c.close()"
    )
    command = [sys.executable, "-c", script, str(database)]
    for _ in range(200):  # Others may have it open for reading at the moment.
        writer = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert writer.stdout
        if writer.stdout.readline() == "writes\n":
            return writer
        writer.wait()
    raise AssertionError("the file could never be opened for writing")


def publisher_killed_midway(service: Any, root: Path) -> int:
    """Stop a publisher between the commit and the flip, and kill it while the daemon goes on."""
    log = str(root / "publisher.txt")
    environment = {**service.environment, "KLIP_FAILPOINT": "stop publish.committed", "KLIP_FAILPOINT_LOG": log}
    script = (
        "from klip_assets.settings import Settings; from klip_assets_tests.processed import publish_again; "
        "publish_again(Settings())"
    )
    for _ in range(20):
        publisher = subprocess.Popen([sys.executable, "-c", script], env=environment, cwd=Path(__file__).parents[2])
        _, status = os.waitpid(publisher.pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            assert is_held(service.settings.state_dir / "publish.lock")
            os.kill(publisher.pid, signal.SIGKILL)
            return -publisher.wait()
        publisher.returncode = os.waitstatus_to_exitcode(status)  # Another publisher was at it too long.
    raise AssertionError("no publisher got as far as the commit")


def done(service: Any, names: list[str], seconds: float) -> bool:
    rows = service.sql(f"SELECT video_id FROM videos WHERE abs(duration_s - {seconds}) < 0.01")
    return {row["video_id"] for row in rows} == set(names)


def test_the_first_takes_are_published_while_others_read_and_write(gathered: Crowd) -> None:
    assert done(gathered.service, VIDEOS, 4.0)
    assert json.loads((gathered.root / "seen").read_text())["wrong"] == []


def test_no_run_fails(crowd: Crowd) -> None:
    # The daemon is still up: a publish may just be on.
    failed = [
        (record.dagster_run.job_name, record.dagster_run.tags.get("dagster/partition"), record.dagster_run.status)
        for record in crowd.service.runs()
        if record.dagster_run.is_finished and not record.dagster_run.is_success
    ]
    assert failed == [], crowd.service.tail()


def test_the_command_line_beside_the_daemon_fails_at_nothing(crowd: Crowd) -> None:
    assert [process.returncode for process in crowd.processes] == [0, 0], [p.stderr for p in crowd.processes]


def test_each_content_is_computed_once_whoever_comes_first(crowd: Crowd) -> None:
    assert crowd.computed == {f"audio_features/{name}": 1 + (name in RETAKEN) for name in VIDEOS}


def test_an_analyst_who_reconnects_sees_no_error_and_no_wrong_missing_or_mixed_row(crowd: Crowd) -> None:
    assert crowd.analyst["wrong"] == []
    assert crowd.analyst["videos"] == len(VIDEOS)
    # Not only at rest: also while the one take replaces the other, in whatever version was published meanwhile.
    assert crowd.analyst["queries"].keys() == set(PHASES), crowd.analyst
    assert crowd.analyst["versions"] >= 3, crowd.analyst


def test_an_analyst_who_holds_a_version_open_keeps_it(crowd: Crowd) -> None:
    first, last = crowd.seen_by_the_holder
    assert first == last != []


def test_a_killed_publisher_keeps_nobody_from_publishing(crowd: Crowd) -> None:
    assert crowd.killed == signal.SIGKILL
    warehouse = crowd.service.settings.warehouse_dir
    assert list(warehouse.glob(".building*")) == []
    assert not is_held(crowd.service.settings.state_dir / "publish.lock")


def test_what_a_writer_wrote_is_nowhere_else(crowd: Crowd) -> None:
    assert crowd.service.sql("SELECT table_name FROM duckdb_tables() WHERE table_name = 'mine'") == []
