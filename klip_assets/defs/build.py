"""Everything of Klip that Dagster knows, put together by one function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from klip_assets.defs.assets import evaluations, highlights, models, tweets, warehouse
from klip_assets.defs.assets.stages import stage_assets
from klip_assets.defs.checks import CHECKS
from klip_assets.defs.jobs import JOBS
from klip_assets.defs.resources import Installation
from klip_assets.defs.schedules import build_schedules
from klip_assets.defs.sensors import build_sensors
from klip_assets.settings import Settings
from klip_assets.work.progress import LogProgress

#: Assets that are no stage of a video or day.
OTHERS = (highlights, tweets, evaluations, models, warehouse)


def build_defs(settings: Settings | None = None, *, resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Build a fresh set of definitions; two of them share nothing that one could break for the other.

    Args:
        settings: What sensors and schedules go by; read from the environment if not given. (Runs read their own.)
        resources: Resources that replace the usual ones, by key (`installation`, `progress`).

    Raises:
        pydantic.ValidationError: A variable of the environment holds a value that can't be used.
    """
    settings = settings or Settings()
    return dg.Definitions(
        assets=[*stage_assets(), *dg.load_assets_from_modules(OTHERS)],
        asset_checks=[*CHECKS, *models.MODEL_CHECKS],
        jobs=JOBS,
        sensors=build_sensors(settings),
        schedules=build_schedules(settings),
        resources={"installation": Installation(), "progress": LogProgress(), **(resources or {})},
        # Without this, runs print every event of Dagster's own at level DEBUG.
        loggers={"console": dg.colored_console_logger},
        # A step is a second of work or minutes of one library: a process each would cost more than it gains.
        executor=dg.in_process_executor,
    )
