"""What is left when `klip dev` or everything is killed at once, and a recording on which every worker dies.

One service for the whole module: its chapters follow each other, and each test looks at one of them.
"""

from __future__ import annotations

import os
import signal
from typing import Any

import dagster as dg
import pytest

from klip_assets.defs.partitions import VIDEOS
from klip_assets_tests.service.kills import STOP, Stage, flat

pytestmark = pytest.mark.slow

KILL = "kill stage.begin segments/poisoned"
#: A run that lost its worker is repeated this often (`run_retries` in dagster.yaml).
MAX_RETRIES = 2


@pytest.fixture(scope="module")
def klip_dev_killed(stage: Stage, refusals: dict[str, Any]) -> Stage:
    """Chapter 1: a second `klip dev` is tried, then the first is killed, and nobody tells its services to end."""
    service = stage.service
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
    """Chapter 2: everything is killed at once while a run is on, as when the machine loses its power."""
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
    """Chapter 3: a recording on which every worker dies, beside one that is well."""
    stage = switched_off
    stage.drop("poisoned")
    stage.drop("bystander")
    stage.service.wait(lambda: stage.failures("poisoned") == 1 + MAX_RETRIES, "the retries to be used up")
    stage.at_rest("bystander")
    return stage


def test_there_is_one_klip_dev_at_a_time(klip_dev_killed: Stage, refusals: dict[str, Any]) -> None:
    said = refusals["second klip dev"]
    assert said.returncode != 0
    assert f"{klip_dev_killed.service.data_dir} is in use by process" in flat(said.stderr)


def test_the_services_of_a_killed_klip_dev_end_and_it_can_be_started_again(klip_dev_killed: Stage) -> None:
    assert klip_dev_killed.gone
    assert not klip_dev_killed.gone.keys() & klip_dev_killed.service.processes().keys()


def test_a_run_that_was_on_when_the_power_went_is_noticed_and_repeated(switched_off: Stage) -> None:
    runs = switched_off.runs("dark")
    statuses = [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS]
    assert [run.status for run in runs] == statuses, [(run.status, run.tags) for run in runs]
    with switched_off.service.instance() as instance:
        failure = instance.all_logs(runs[0].run_id, of_type=dg.DagsterEventType.RUN_FAILURE)[-1]
    assert "that ran it is gone" in failure.message
    assert switched_off.taken_slots() == []


def test_a_recording_on_which_every_worker_dies_is_tried_three_times_and_no_more(poisoned: Stage) -> None:
    statuses = [run.status for run in poisoned.runs("poisoned")]
    assert statuses == [dg.DagsterRunStatus.FAILURE] * (1 + MAX_RETRIES)
    assert poisoned.taken_slots() == []


def test_a_recording_on_which_every_worker_dies_stops_no_other(poisoned: Stage) -> None:
    assert [run.status for run in poisoned.runs("bystander")] == [dg.DagsterRunStatus.SUCCESS]


def test_a_poisoned_recording_is_tried_again_when_its_content_changes(poisoned: Stage) -> None:
    before = len(poisoned.runs("poisoned"))
    poisoned.drop("poisoned")
    poisoned.service.wait(lambda: len(poisoned.runs("poisoned")) > before, "another run")
    # Until it is given up again, so that no run is on when the service is stopped.
    poisoned.service.wait(lambda: poisoned.failures("poisoned") == before + 1 + MAX_RETRIES, "the retries")


def test_a_video_is_removed_once_its_run_is_over(poisoned: Stage) -> None:
    done = poisoned.service.klip("remove", "dark")
    assert done.returncode == 0, done.stderr
    assert not poisoned.published("dark")
    with poisoned.service.instance() as instance:
        assert not instance.has_dynamic_partition(VIDEOS.name or "", "dark")
