"""`klip prune` beside what else uses the data folder: the web page and the daemon, and kills."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from klip_assets_tests.service.klip_dev import Service

pytestmark = pytest.mark.slow

#: What the page of a run asks for, and what its log does.
PAGE = """{{
  runOrError(runId: "{0}") {{__typename ... on Run {{runId}}}}
  logsForRun(runId: "{0}") {{__typename ... on EventConnection {{events {{__typename}}}}}}
}}"""
ASSET = """{assetOrError(assetKey: {path: ["videos"]}) {... on Asset {assetMaterializations(limit: 1) {timestamp}}}}"""


@pytest.fixture
def service(make_service: Callable[..., Service], sound: Callable[..., Path]) -> Iterator[Service]:
    """A data folder in which one recording was processed."""
    found = make_service("prune", KLIP_SENSOR_INTERVAL_S="5")
    found.settings.make_folders()
    sound(found.settings.vod_inbox / "talk.wav", 4)
    done = found.klip("process")
    assert done.returncode == 0, done.stdout + done.stderr
    yield found
    found.kill()


def runs_left(service: Service) -> list[str]:
    """Return the files and folders of the storage that are named after a run."""
    storage = service.data_dir / ".dagster"
    return [path.name for path in (*storage.glob("*-*-*-*-*"), *storage.glob("history/runs/*-*-*-*-*"))]


def test_beside_klip_dev_a_pruned_run_is_not_found_and_its_asset_stays_materialized(service: Service) -> None:
    service.start()
    made = [record.dagster_run.run_id for record in service.runs()]
    for run_id in made:
        shown = service.ask(PAGE.format(run_id))
        assert shown["runOrError"] == {"__typename": "Run", "runId": run_id}
        assert len(shown["logsForRun"]["events"]) > 5
    done = service.klip("prune", "--older-than", "0")
    assert done.returncode == 0 and "Deleted 2 finished runs" in done.stdout and "Freed" in done.stdout, done.stderr
    for run_id in made:
        shown = service.ask(PAGE.format(run_id))
        assert {answer["__typename"] for answer in shown.values()} == {"RunNotFoundError"}
    # Asking did not make the files again.
    assert runs_left(service) == []
    assert "assetOrError" in service.ask(ASSET)
    assert service.klip("process", "talk").returncode == 0
    assert service.runs("process_video") and service.sql("SELECT count(*) AS n FROM videos") == [{"n": 1}]


@pytest.mark.parametrize("point", ["prune.remove", "prune.events", "prune.run"])
def test_a_prune_that_is_killed_is_finished_by_the_next(service: Service, point: str) -> None:
    service.extra["KLIP_FAILPOINT"] = f"kill {point}"
    assert service.klip("prune", "--older-than", "0").returncode == -signal.SIGKILL
    assert runs_left(service)
    del service.extra["KLIP_FAILPOINT"]
    done = service.klip("prune", "--older-than", "0", "--json")
    assert done.returncode == 0 and json.loads(done.stdout)
    assert runs_left(service) == [] and service.runs() == []
    assert "Freed nothing" in service.klip("prune", "--older-than", "0").stdout
