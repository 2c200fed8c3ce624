"""The code location: what the Dagster services load, and that loading it is cheap, complete and free of warnings."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml

from klip_assets import definitions
from klip_assets.contracts import TABLES
from klip_assets.definitions import defs
from klip_assets.defs.build import build_defs
from klip_assets.defs.schedules import build_schedules
from klip_assets.defs.sensors import build_sensors
from klip_assets.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = (
    "torch", "transformers", "librosa", "textblob", "openai", "sklearn", "faster_whisper", "matplotlib", "scipy",
    "pocketsphinx", "vaderSentiment", "py3langid", "httpx2", "tokenizers", "onnxruntime", "pandas",
)  # fmt: skip

#: Loads everything the services ask of a code location, then names the heavy modules that came along.
_LOAD = f"""
import sys
import klip_assets.definitions as module
repository = module.defs().get_repository_def()
assert repository.get_all_jobs() and repository.assets_defs_by_key and repository.sensor_defs
print(*sorted(name for name in {HEAVY!r} if name in sys.modules))
"""

SENSORS, SCHEDULES = build_sensors(Settings()), build_schedules(Settings())
SPECS = sorted(build_defs().resolve_all_asset_specs(), key=lambda spec: spec.key)
IDS = [spec.key.to_user_string() for spec in SPECS]


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True)


def test_loading_the_code_location_imports_no_heavy_library() -> None:
    done = _python(_LOAD)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_loading_raises_no_warning_about_deprecated_superseded_or_preview_parts() -> None:
    # Python reads -W before it can import Dagster's own classes, so the filters are set in the code. What Dagster
    # itself uses of Pydantic is its own affair.
    strict = """
import warnings
import dagster as dg
import pydantic
for kind in (DeprecationWarning, PendingDeprecationWarning, FutureWarning, dg.SupersessionWarning, dg.PreviewWarning):
    warnings.simplefilter("error", kind)
warnings.filterwarnings("ignore", category=pydantic.PydanticDeprecatedSince20, module="dagster")
"""
    done = _python(strict + _LOAD)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def test_loading_says_nothing_on_the_terminal() -> None:
    done = _python(_LOAD)
    assert done.stderr == ""


def test_every_definition_is_loadable() -> None:
    dg.Definitions.validate_loadable(build_defs())


def test_the_function_that_dagster_finds_gives_the_definitions() -> None:
    loaded = defs()
    found = {spec.key for spec in loaded.resolve_all_asset_specs()}
    assert found == {spec.key for spec in SPECS}


def test_two_builds_share_nothing_that_one_could_break_for_the_other() -> None:
    first, second = build_defs(), build_defs(resources={"installation": dg.ResourceDefinition.mock_resource()})
    assert first.resources is not second.resources
    dg.Definitions.validate_loadable(first)
    dg.Definitions.validate_loadable(second)


def test_workspace_and_pyproject_agree_on_module_and_location() -> None:
    (entry,) = yaml.safe_load((REPOSITORY / "workspace.yaml").read_text())["load_from"]
    block = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["dagster"]
    module = entry["python_module"]
    assert module["module_name"] == block["module_name"] == definitions.__name__
    assert module["location_name"] == block["code_location_name"]


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_every_asset_says_what_it_is(spec: dg.AssetSpec) -> None:
    assert spec.description and len(spec.description) > 20
    assert spec.group_name and spec.group_name != "default"
    assert spec.owners
    assert spec.kinds
    assert spec.code_version


@pytest.mark.parametrize("spec", SPECS, ids=IDS)
def test_every_asset_that_is_a_table_shows_its_columns(spec: dg.AssetSpec) -> None:
    name = spec.key.path[-1]
    if name not in TABLES:
        is_table = name not in ("x_posts", "tweet_files", "learnt_weights") and spec.group_name != "models"
        assert not is_table, "an asset that is no table of the contracts"
        return
    schema = spec.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    assert [column.name for column in schema.columns] == TABLES[name].schema.names
    assert all(column.description for column in schema.columns)
    assert spec.metadata["dagster/table_name"].endswith(f".{name}")


def test_every_asset_of_a_video_or_day_is_in_a_job() -> None:
    loaded = build_defs()
    jobs = [job for job in loaded.get_repository_def().get_all_jobs() if not job.name.startswith("__")]
    covered = {key for job in jobs for key in job.asset_layer.executable_asset_keys if job.asset_layer}
    assert {spec.key for spec in SPECS} - covered == set()


@pytest.mark.parametrize("sensor", SENSORS, ids=lambda sensor: sensor.name)
def test_every_sensor_runs_by_default_and_is_described(sensor: dg.SensorDefinition) -> None:
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert sensor.description


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.name)
def test_every_schedule_runs_by_default_and_is_described(schedule: dg.ScheduleDefinition) -> None:
    # Nothing is fetched from X before somebody sets a token and says what.
    wanted = "STOPPED" if schedule.name == "x_posts" and not Settings().fetches_from_x else "RUNNING"
    assert schedule.default_status is dg.DefaultScheduleStatus[wanted]
    assert schedule.description
    assert schedule.execution_timezone == "UTC"


def test_no_sensor_or_schedule_is_left_out() -> None:
    repository = build_defs().get_repository_def()
    assert {sensor.name for sensor in repository.sensor_defs} == {sensor.name for sensor in SENSORS}
    assert {schedule.name for schedule in repository.schedule_defs} == {schedule.name for schedule in SCHEDULES}


def test_a_publish_is_taken_from_the_queue_before_the_videos_that_wait_in_it() -> None:
    # Else the first of fifty recordings that were dropped together is seen when the last one is done.
    jobs = {job.name: job for job in build_defs().get_repository_def().get_all_jobs()}
    priority = {name: int(job.tags.get("dagster/priority", "0")) for name, job in jobs.items()}
    assert priority["publish_warehouse"] > priority["process_video"]
