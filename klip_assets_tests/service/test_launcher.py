"""What run monitoring is told about workers. What it then does: test_kills."""

from __future__ import annotations

import dagster as dg
from dagster._core.launcher.base import WorkerStatus

from klip_assets.defs.launcher import WatchedRunLauncher, worker_tag
from klip_assets.defs.tags import WORKER_TAG
from klip_assets.store.processes import this_process


def _status(run_id: str, tags: dict[str, str]) -> WorkerStatus:
    run = dg.DagsterRun(job_name="process_video", run_id=run_id, tags=tags, status=dg.DagsterRunStatus.STARTED)
    return WatchedRunLauncher().check_run_worker_health(run).status


def test_the_instance_starts_runs_with_the_launcher_that_watches_them(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.run_launcher, WatchedRunLauncher)
    assert instance.run_launcher.supports_check_run_worker_health


def test_a_worker_that_is_there_is_left_alone() -> None:
    assert _status("one", worker_tag("one")) is WorkerStatus.RUNNING


def test_a_worker_that_is_gone_is_reported_with_its_number() -> None:
    run = dg.DagsterRun(job_name="process_video", run_id="one", tags={WORKER_TAG: "one:999999999:1"})
    result = WatchedRunLauncher().check_run_worker_health(run)
    assert (result.status, result.msg) == (WorkerStatus.FAILED, "the process 999999999 that ran it is gone")


def test_a_worker_whose_number_went_to_another_process_is_gone() -> None:
    number, started, boot, host = this_process().split(":")
    assert _status("one", {WORKER_TAG: f"one:{number}:{int(started) - 1}:{boot}:{host}"}) is WorkerStatus.FAILED
    assert _status("one", {WORKER_TAG: f"one:{number}:{int(started) - 1}"}) is WorkerStatus.FAILED, "as 0.1.0 wrote it"


def test_a_worker_of_another_host_is_left_alone() -> None:
    assert _status("one", {WORKER_TAG: "one:999999999:1:00000000:11111111"}) is WorkerStatus.RUNNING


def test_a_retry_that_carries_the_tag_of_the_run_before_it_is_left_alone() -> None:
    assert _status("two", {WORKER_TAG: "one:999999999:1"}) is WorkerStatus.RUNNING


def test_a_run_whose_worker_has_not_said_its_name_yet_is_left_alone() -> None:
    assert _status("one", {}) is WorkerStatus.RUNNING
