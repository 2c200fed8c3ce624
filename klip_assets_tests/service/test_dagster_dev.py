"""`dagster dev`, as somebody who knows Dagster starts it in a checkout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from klip_assets_tests.service.klip_dev import Service

pytestmark = pytest.mark.slow


def test_dagster_dev_in_a_checkout_shows_the_runs_of_klip(
    make_service: Callable[..., Service], sound: Callable[..., Path]
) -> None:
    service = make_service("plain")
    service.settings.make_folders()
    sound(service.settings.vod_inbox / "talk.wav", 4)
    done = service.klip("process")
    assert done.returncode == 0, done.stdout + done.stderr
    made = {record.dagster_run.run_id for record in service.runs()}
    service.start(plain=True)
    try:
        shown = service.ask("{runsOrError {... on Runs {results {runId status}}}}")["runsOrError"]["results"]
    finally:
        service.kill()
    assert {run["runId"] for run in shown} == made and len(made) == 2
    assert {run["status"] for run in shown} == {"SUCCESS"}
