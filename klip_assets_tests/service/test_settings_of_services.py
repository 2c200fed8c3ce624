"""The services read the same settings files as the command line, and nothing else of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil
import pytest

from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.service.klip_dev import Service

pytestmark = pytest.mark.slow

_SENSORS = (
    '{sensorsOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "klip_assets"})'
    " {... on Sensors {results {name minIntervalSeconds}}}}"
)
_SCHEDULES = (
    '{schedulesOrError(repositorySelector: {repositoryName: "__repository__", repositoryLocationName: "klip_assets"})'
    " {... on Schedules {results {name cronSchedule}}}}"
)


class OfACopy(Service):
    """A service of a copied checkout, started in a folder of its own as a person starts it."""

    @property
    def environment(self) -> dict[str, str]:
        unset = ("KLIP_ENV_FILE", "KLIP_DAGSTER_STORAGE")
        found = {name: value for name, value in super().environment.items() if name not in unset}
        return {**found, "PYTHONPATH": str(self.home), "DAGSTER_HOME": str(self.home), "KLIP_X_EVERY_MIN": "30"}


@pytest.fixture
def service(tmp_path: Path) -> OfACopy:
    checkout = tmp_path / "checkout"
    shutil.copytree(
        REPOSITORY / "klip_assets", checkout / "klip_assets", ignore=shutil.ignore_patterns("__pycache__", "*.onnx")
    )
    for name in ("workspace.yaml", "dagster.yaml"):
        shutil.copy(REPOSITORY / name, checkout)
    (tmp_path / "stranger").mkdir()
    data = tmp_path / "50% off?#x [bold]" / "data"
    data.mkdir(parents=True)
    return OfACopy(data, checkout, folder=tmp_path / "stranger")


def test_klip_dev_reads_the_files_of_the_checkout_and_the_data_folder_as_klip_does(service: OfACopy) -> None:
    secret = "AWS_SECRET_ACCESS_KEY=of-the-checkout\n"
    (service.home / ".env").write_text(secret + "KLIP_SENSOR_INTERVAL_S=55\nKLIP_X_EVERY_MIN=20\n")
    (service.data_dir / ".env").write_text(secret + "KLIP_SENSOR_INTERVAL_S=77\n")
    (service.folder / ".env").write_text(secret + "KLIP_SENSOR_INTERVAL_S=66\nKLIP_X_EVERY_MIN=10\n")
    service.start()
    try:
        sensors = service.ask(_SENSORS)["sensorsOrError"]["results"]
        schedules = service.ask(_SCHEDULES)["schedulesOrError"]["results"]
        environments = {pid: psutil.Process(pid).environ() for pid in service.processes()}
    finally:
        service.kill()
    assert 77 in {sensor["minIntervalSeconds"] for sensor in sensors}, "the data folder's file wins over the checkout's"
    assert not {55, 66} & {sensor["minIntervalSeconds"] for sensor in sensors}
    assert any("/30 " in schedule["cronSchedule"] for schedule in schedules), "the environment wins over all files"
    assert len(environments) >= 4, "the web page, the daemon, and a code server of each"
    assert not any("AWS_SECRET_ACCESS_KEY" in environment for environment in environments.values())


def test_a_file_that_only_dagster_would_read_is_refused(service: OfACopy) -> None:
    (service.data_dir / ".dagster").mkdir()
    (service.data_dir / ".dagster" / ".env").write_text("KLIP_SENSOR_INTERVAL_S=66\n")
    done = service.klip("dev", "--port", "1")
    assert done.returncode == 1 and ".dagster/.env would be read by Dagster only" in done.stderr
