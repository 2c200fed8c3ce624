"""What a kill leaves behind: a worker, or the daemon, while `klip dev` works on recordings.

One service for the whole module: its chapters follow each other, and each test looks at one of them.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import dagster as dg
import pytest

from klip_assets.contracts import Subject
from klip_assets.defs.partitions import VIDEOS
from klip_assets.store.locks import is_held, subject_lock
from klip_assets.store.state.attempts import WAITS_S, Attempts
from klip_assets_tests.service.kills import STOP, Stage, flat

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def worker_killed(stage: Stage, refusals: dict[str, Any]) -> Stage:
    """Chapter 1: the worker of a run is killed before `segments`."""
    pid = stage.drop_and_stop("killed")
    before = stage.belongings("killed")
    refusals["running"] = stage.service.klip("remove", "killed")
    stage.untouched = before == stage.belongings("killed")
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
    stage.service.wait(lambda: stage.failures("unlisted"), "the run without a partition to fail")
    stage.service.wait_for_runs()
    # It failed because of the machine, so it is tried again after minutes: let them be over.
    with Attempts(stage.service.settings.memory_path).writing() as db:
        db.execute("UPDATE attempts SET failed_at = failed_at - ? WHERE failures > 0", (WAITS_S[0],))
    stage.at_rest("unlisted")
    return stage


def test_a_run_whose_worker_was_killed_is_repeated_and_published(worker_killed: Stage) -> None:
    first, second = worker_killed.runs("killed")
    assert (first.status, second.status) == (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS)
    assert second.parent_run_id == first.run_id
    assert second.tags["dagster/retry_number"] == "1"


def test_the_retry_resumes_with_the_step_that_was_killed(worker_killed: Stage) -> None:
    first, second = worker_killed.runs("killed")
    done = worker_killed.steps(first, dg.DagsterEventType.STEP_SUCCESS)
    again = worker_killed.steps(second, dg.DagsterEventType.STEP_START)
    assert {"videos", "transcript_words", "audio_features"} <= done
    assert "segments" in again
    assert done & again == set()


def test_a_killed_worker_leaves_no_lock_and_no_slot_behind(worker_killed: Stage) -> None:
    locks = list((worker_killed.service.settings.lake_dir / "_locks").iterdir())
    assert subject_lock(worker_killed.service.settings.lake_dir, Subject.video("killed")) in locks
    assert [lock.name for lock in locks if is_held(lock)] == []
    assert worker_killed.taken_slots() == []


def test_a_video_with_a_run_on_it_is_not_removed(worker_killed: Stage, refusals: dict[str, Any]) -> None:
    said = refusals["running"]
    assert said.returncode != 0
    assert f"killed was not removed: run {worker_killed.runs('killed')[0].run_id} is not finished" in flat(said.stderr)
    assert worker_killed.untouched


def test_a_video_whose_run_is_queued_is_not_removed(daemon_killed: Stage, refusals: dict[str, Any]) -> None:
    said = refusals["queued"]
    assert said.returncode != 0
    assert f"queued was not removed: run {daemon_killed.runs('queued')[0].run_id} is not finished" in flat(said.stderr)


def test_klip_dev_ends_with_its_daemon_and_says_so(daemon_killed: Stage) -> None:
    assert daemon_killed.code == 1
    assert "dagster-daemon was killed by signal 9; stopping klip dev." in daemon_killed.said


def test_after_the_daemon_was_killed_every_video_is_processed_exactly_once(daemon_killed: Stage) -> None:
    for name in ("finishing", "lasting", "queued"):
        assert [run.status for run in daemon_killed.runs(name)] == [dg.DagsterRunStatus.SUCCESS], name
    assert daemon_killed.taken_slots() == []


def test_no_process_of_a_killed_daemon_is_left_once_its_runs_are_over(daemon_killed: Stage) -> None:
    service = daemon_killed.service
    assert any("api grpc" in command for command in daemon_killed.gone.values())
    service.wait(lambda: not daemon_killed.gone.keys() & service.processes().keys(), "the old processes to go")


def test_a_partition_that_is_deleted_while_its_run_is_in_progress_comes_back_and_is_processed(unlisted: Stage) -> None:
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
