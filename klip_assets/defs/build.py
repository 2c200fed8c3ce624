"""All Dagster definitions of Klip, assembled by one function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from klip_assets.defs.assets import evaluations, highlights, models, tweets, warehouse
from klip_assets.defs.assets.stages import stage_assets
from klip_assets.defs.checks import CHECKS
from klip_assets.defs.jobs import JOBS
from klip_assets.defs.loggers import escape_console_logs
from klip_assets.defs.resources import Installation
from klip_assets.defs.schedules import build_schedules
from klip_assets.defs.sensors import build_sensors
from klip_assets.settings import Settings
from klip_assets.work.progress import LogProgress

#: Modules with assets that are not stages of a video or day.
OTHERS = (highlights, tweets, evaluations, models, warehouse)


def build_defs(settings: Settings | None = None, *, resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Build a fresh set of definitions; two sets share no mutable state.

    Args:
        settings: Settings of sensors and schedules; read from the environment if not given. (Runs read their own.)
        resources: Resources that replace the defaults, by key (`installation`, `progress`).

    Raises:
        pydantic.ValidationError: An environment variable has an invalid value.
    """
    settings = settings or Settings()
    escape_console_logs()
    return dg.Definitions(
        assets=[*stage_assets(), *dg.load_assets_from_modules(OTHERS)],
        asset_checks=[*CHECKS, *models.MODEL_CHECKS],
        jobs=JOBS,
        sensors=build_sensors(settings),
        schedules=build_schedules(settings),
        resources={"installation": Installation(), "progress": LogProgress(), **(resources or {})},
        # Without this, runs print all of Dagster's own events at level DEBUG.
        loggers={"console": dg.colored_console_logger},
        # A step is a second of work, or minutes inside one library: a process per step would cost more than it gains.
        executor=dg.in_process_executor,
    )
