"""What a kill leaves behind: a worker, the daemon, or everything at once, while `klip dev` works on recordings.

The worker stops itself at a fail point (see `klip_assets.failpoints`), so that the kill always hits the same step. One
service for the whole module: its chapters follow each other, and each test looks at one of them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from klip_assets.contracts import Subject
from klip_assets.defs.partitions import VIDEOS
from klip_assets.store.locks import is_held, subject_lock

pytestmark = pytest.mark.slow

PROCESS_VIDEO = "process_video"
STOP = "stop stage.begin segments/*"
KILL = "kill stage.begin segments/poisoned"
#: A run that lost its worker is repeated this often (`run_retries` in dagster.yaml).
MAX_RETRIES = 2


@dataclass
class Stage:
    """One service, and a hand on the fail points of its workers."""

    service: Any
    sound: Callable[..., Path]
    captions: Callable[..., Path]
    log: Path
    dropped: int = 0
    #: Processes of the first service: pid -> command.
    gone: dict[int, str] = field(default_factory=dict)
    #: Whether a `klip remove` that was refused left everything as it was.
    untouched: bool = False
    #: How `klip dev` ended when its daemon was killed, and what it had said.
    code: int | None = None
    said: str = ""

    def drop(self, name: str) -> None:
        """Put a recording with captions into the inbox."""
        self.dropped += 1
        inbox = self.service.settings.vod_inbox
        self.captions(inbox / f"{name}.en.vtt", (0.5, 3.0, f"Welcome to {name}, everybody."))
        self.sound(inbox / f"{name}.wav", 4, pitch_hz=200.0 + 10 * self.dropped)

    def drop_and_stop(self, name: str) -> int:
        """Put a recording into the inbox and wait until its worker has stopped before `segments`; return its pid."""
        # The note of an earlier stop is what lets later workers pass.
        self.log.write_text("")
        self.drop(name)
        return int(self.service.wait(lambda: self._stopped(name), f"the worker of {name} to stop"))

    def runs(self, name: str) -> list[dg.DagsterRun]:
        return [record.dagster_run for record in self.service.runs(PROCESS_VIDEO, name)]

    def succeeded(self, *names: str) -> bool:
        return all(any(run.status is dg.DagsterRunStatus.SUCCESS for run in self.runs(name)) for name in names)

    def published(self, *names: str) -> bool:
        return {row["video_id"] for row in self.service.sql("SELECT video_id FROM segments")} >= set(names)

    def at_rest(self, *names: str) -> None:
        """Wait until videos are published, all runs are over, and the sensors have looked again."""
        self.service.wait(lambda: self.published(*names), f"{', '.join(names)} to be published")
        self.service.wait_for_runs()
        self.service.wait_for_scans("vods", 2, since=time.time())
        self.service.wait_for_runs()

    def restart(self, failpoint: str) -> None:
        """Start `klip dev` again, after it ended."""
        self.service.extra["KLIP_FAILPOINT"] = failpoint
        self.service.start()

    def _stopped(self, name: str) -> int | None:
        for line in self.log.read_text().splitlines():
            pid, *note = line.split()
            if note == ["stopped", "stage.begin", f"segments/{name}"] and _state(int(pid)) == "T":
                return int(pid)
        return None


@pytest.fixture(scope="module")
def stage(
    make_service: Callable[..., Any], sound: Callable[..., Path], captions: Callable[..., Path], tmp_path_factory: Any
) -> Iterator[Stage]:
    log = tmp_path_factory.mktemp("failpoints") / "log"
    service = make_service("kills", KLIP_SENSOR_INTERVAL_S="5", KLIP_FAILPOINT=STOP, KLIP_FAILPOINT_LOG=str(log))
    service.start()
    yield Stage(service, sound, captions, log)
    # A chapter that failed half way may have left the services without `klip dev`.
    if service.process is None:
        service.kill()
    service.stop()


@pytest.fixture(scope="module")
def refusals() -> dict[str, subprocess.CompletedProcess[str]]:
    """What `klip remove` said while it could not be done."""
    return {}


@pytest.fixture(scope="module")
def worker_killed(stage: Stage, refusals: dict[str, Any]) -> Stage:
    """Chapter 1: the worker of a run is killed before `segments`."""
    pid = stage.drop_and_stop("killed")
    before = _belongings(stage, "killed")
    refusals["running"] = stage.service.klip("remove", "killed")
    stage.untouched = before == _belongings(stage, "killed")
    os.kill(pid, signal.SIGKILL)
    stage.at_rest("killed")
    return stage


@pytest.fixture(scope="module")
def daemon_killed(worker_killed: Stage, refusals: dict[str, Any]) -> Stage:
    """Chapter 2: the daemon is killed while two runs are on and one is queued; `klip dev` is started again."""
    stage = worker_killed
    finishing, lasting = stage.drop_and_stop("finishing"), stage.drop_and_stop("lasting")
    stage.drop("queued")
    stage.service.wait(lambda: stage.runs("queued"), "the third run to be queued")
    refusals["queued"] = stage.service.klip("remove", "queued")
    assert [run.status for run in stage.runs("queued")] == [dg.DagsterRunStatus.QUEUED]
    stage.gone = stage.service.processes()
    (daemon,) = [pid for pid, command in stage.gone.items() if "dagster-daemon" in command]
    os.kill(daemon, signal.SIGKILL)
    stage.code = stage.service.process.wait()
    stage.said = stage.service.log.read_text(errors="replace")
    stage.service.process = None
    # One run ends while there is no daemon, the other under the next one.
    os.kill(finishing, signal.SIGCONT)
    stage.service.wait(lambda: stage.succeeded("finishing"), "the run to end without a daemon")
    stage.restart(STOP)
    stage.service.wait(lambda: stage.succeeded("queued"), "the queued run")
    os.kill(lasting, signal.SIGCONT)
    stage.at_rest("finishing", "lasting", "queued")
    return stage


@pytest.fixture(scope="module")
def unlisted(daemon_killed: Stage) -> Stage:
    """Chapter 3: somebody deletes a partition in the UI while its run is on."""
    stage = daemon_killed
    pid = stage.drop_and_stop("unlisted")
    with stage.service.instance() as instance:
        instance.delete_dynamic_partition(VIDEOS.name or "", "unlisted")
    os.kill(pid, signal.SIGCONT)
    stage.at_rest("unlisted")
    return stage


@pytest.fixture(scope="module")
def klip_dev_killed(unlisted: Stage, refusals: dict[str, Any]) -> Stage:
    """Chapter 4: a second `klip dev` is tried, then the first is killed, and nobody tells its services to end."""
    stage, service = unlisted, unlisted.service
    refusals["second klip dev"] = service.klip("dev", "--port", "1")
    stage.gone = service.processes()
    service.process.kill()
    service.process.wait()
    service.process = None
    service.wait(lambda: not service.processes(), "the services to end by themselves")
    stage.restart(STOP)
    return stage


@pytest.fixture(scope="module")
def switched_off(klip_dev_killed: Stage) -> Stage:
    """Chapter 5: everything is killed at once while a run is on, as when the machine loses its power."""
    stage = klip_dev_killed
    stage.drop_and_stop("dark")
    service = stage.service
    for pid in service.processes():
        os.kill(pid, signal.SIGKILL)
    service.process.wait()
    service.process = None
    stage.restart(KILL)
    stage.at_rest("dark")
    return stage


@pytest.fixture(scope="module")
def poisoned(switched_off: Stage) -> Stage:
    """Chapter 6: a recording on which every worker dies, beside one that is well."""
    stage = switched_off
    stage.drop("poisoned")
    stage.drop("bystander")
    stage.service.wait(lambda: _failures(stage, "poisoned") == 1 + MAX_RETRIES, "the retries to be used up")
    stage.at_rest("bystander")
    return stage


def test_a_run_whose_worker_was_killed_is_repeated_and_published(worker_killed: Stage) -> None:
    first, second = worker_killed.runs("killed")
    assert (first.status, second.status) == (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS)
    assert second.parent_run_id == first.run_id
    assert second.tags["dagster/retry_number"] == "1"


def test_the_retry_resumes_with_the_step_that_was_killed(worker_killed: Stage) -> None:
    first, second = worker_killed.runs("killed")
    done = _steps(worker_killed, first, dg.DagsterEventType.STEP_SUCCESS)
    again = _steps(worker_killed, second, dg.DagsterEventType.STEP_START)
    assert {"videos", "transcript_words", "audio_features"} <= done
    assert "segments" in again
    assert done & again == set()


def test_a_killed_worker_leaves_no_lock_and_no_slot_behind(worker_killed: Stage) -> None:
    locks = list((worker_killed.service.settings.lake_dir / "_locks").iterdir())
    assert subject_lock(worker_killed.service.settings.lake_dir, Subject.video("killed")) in locks
    assert [lock.name for lock in locks if is_held(lock)] == []
    assert _taken_slots(worker_killed) == []


def test_a_video_with_a_run_on_it_is_not_removed(worker_killed: Stage, refusals: dict[str, Any]) -> None:
    said = refusals["running"]
    assert said.returncode != 0
    assert f"killed was not removed: run {worker_killed.runs('killed')[0].run_id} is not finished" in _flat(said.stderr)
    assert worker_killed.untouched


def test_a_video_whose_run_is_queued_is_not_removed(daemon_killed: Stage, refusals: dict[str, Any]) -> None:
    said = refusals["queued"]
    assert said.returncode != 0
    assert f"queued was not removed: run {daemon_killed.runs('queued')[0].run_id} is not finished" in _flat(said.stderr)


def test_klip_dev_ends_with_its_daemon_and_says_so(daemon_killed: Stage) -> None:
    assert daemon_killed.code == 1
    assert "dagster-daemon was killed by signal 9; stopping klip dev." in daemon_killed.said


def test_after_the_daemon_was_killed_every_video_is_processed_exactly_once(daemon_killed: Stage) -> None:
    for name in ("finishing", "lasting", "queued"):
        assert [run.status for run in daemon_killed.runs(name)] == [dg.DagsterRunStatus.SUCCESS], name
    assert _taken_slots(daemon_killed) == []


def test_no_process_of_a_killed_daemon_is_left_once_its_runs_are_over(daemon_killed: Stage) -> None:
    service = daemon_killed.service
    assert any("api grpc" in command for command in daemon_killed.gone.values())
    service.wait(lambda: not daemon_killed.gone.keys() & service.processes().keys(), "the old processes to go")


def test_a_partition_that_is_deleted_while_its_run_is_on_comes_back_and_is_processed(unlisted: Stage) -> None:
    first, second = unlisted.runs("unlisted")
    # Dagster refuses to store what a run made of a partition that is not listed any more.
    assert (first.status, second.status) == (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS)
    with unlisted.service.instance() as instance:
        assert instance.has_dynamic_partition(VIDEOS.name or "", "unlisted")


def test_a_partition_that_is_deleted_after_its_run_comes_back_without_another(unlisted: Stage) -> None:
    name, runs = VIDEOS.name or "", len(unlisted.runs("killed"))
    with unlisted.service.instance() as instance:
        instance.delete_dynamic_partition(name, "killed")
        unlisted.service.wait(lambda: instance.has_dynamic_partition(name, "killed"), "the partition to be listed")
    unlisted.service.wait_for_scans("vods", 2, since=time.time())
    assert len(unlisted.runs("killed")) == runs
    assert unlisted.published("killed")


def test_there_is_one_klip_dev_at_a_time(klip_dev_killed: Stage, refusals: dict[str, Any]) -> None:
    said = refusals["second klip dev"]
    assert said.returncode != 0
    assert f"{klip_dev_killed.service.data_dir} is in use by process" in _flat(said.stderr)


def test_the_services_of_a_killed_klip_dev_end_and_it_can_be_started_again(klip_dev_killed: Stage) -> None:
    assert klip_dev_killed.gone
    assert not klip_dev_killed.gone.keys() & klip_dev_killed.service.processes().keys()


def test_a_run_that_was_on_when_the_power_went_is_noticed_and_repeated(switched_off: Stage) -> None:
    first, second = switched_off.runs("dark")
    assert (first.status, second.status) == (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS)
    with switched_off.service.instance() as instance:
        failure = instance.all_logs(first.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)[-1]
    assert "that ran it is gone" in failure.message
    assert _taken_slots(switched_off) == []


def test_a_recording_on_which_every_worker_dies_is_tried_three_times_and_no_more(poisoned: Stage) -> None:
    statuses = [run.status for run in poisoned.runs("poisoned")]
    assert statuses == [dg.DagsterRunStatus.FAILURE] * (1 + MAX_RETRIES)
    assert _taken_slots(poisoned) == []


def test_a_recording_on_which_every_worker_dies_stops_no_other(poisoned: Stage) -> None:
    assert [run.status for run in poisoned.runs("bystander")] == [dg.DagsterRunStatus.SUCCESS]


def test_a_poisoned_recording_is_tried_anew_when_its_content_changes(poisoned: Stage) -> None:
    before = len(poisoned.runs("poisoned"))
    poisoned.drop("poisoned")
    poisoned.service.wait(lambda: len(poisoned.runs("poisoned")) > before, "another run")
    # Until it is given up again, so that no run is on when the service is stopped.
    poisoned.service.wait(lambda: _failures(poisoned, "poisoned") == before + 1 + MAX_RETRIES, "the retries")


def test_a_video_is_removed_once_its_run_is_over(poisoned: Stage) -> None:
    done = poisoned.service.klip("remove", "queued")
    assert done.returncode == 0, done.stderr
    assert not poisoned.published("queued")
    with poisoned.service.instance() as instance:
        assert not instance.has_dynamic_partition(VIDEOS.name or "", "queued")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _belongings(stage: Stage, name: str) -> tuple[dict[str, int], bool]:
    """Return the files of a video in the lake, with their times, and whether its partition is listed."""
    lake = stage.service.settings.lake_dir
    files = {str(path): path.stat().st_mtime_ns for path in lake.glob(f"*/*={name}/*")}
    assert files
    with stage.service.instance() as instance:
        return files, instance.has_dynamic_partition(VIDEOS.name or "", name)


def _steps(stage: Stage, run: dg.DagsterRun, kind: dg.DagsterEventType) -> set[str]:
    with stage.service.instance() as instance:
        return {str(entry.step_key) for entry in instance.all_logs(run.run_id, of_type=kind)}


def _failures(stage: Stage, name: str) -> int:
    return sum(run.status is dg.DagsterRunStatus.FAILURE for run in stage.runs(name))


def _taken_slots(stage: Stage) -> list[str]:
    with stage.service.instance() as instance:
        storage = instance.event_log_storage
        infos = [storage.get_concurrency_info(key) for key in storage.get_concurrency_keys()]
    return [info.concurrency_key for info in infos if info.active_slot_count or info.pending_step_count]


def _flat(text: str) -> str:
    return " ".join(text.split())
