"""What workspace.yaml loads: every asset, check, job, sensor and schedule of Klip.

`build_defs` makes a fresh set, with other resources where a test or the command line wants its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from klip_assets.assets import evaluations, highlights, learning, models, recordings, segments, tweets, warehouse
from klip_assets.checks import CHECKS
from klip_assets.jobs import JOBS
from klip_assets.resources import Installation
from klip_assets.schedules import SCHEDULES
from klip_assets.sensors import SENSORS
from klip_assets.work.progress import LogProgress

GROUPS = (recordings, segments, highlights, learning, tweets, evaluations, models, warehouse)


def build_defs(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Build the definitions.

    Args:
        resources: Resources that replace the usual ones, by key (`installation`, `progress`).
    """
    return dg.Definitions(
        assets=dg.load_assets_from_modules(GROUPS),
        asset_checks=[*CHECKS, *models.MODEL_CHECKS],
        jobs=JOBS,
        sensors=SENSORS,
        schedules=SCHEDULES,
        resources={"installation": Installation(), "progress": LogProgress(), **(resources or {})},
        # Without this, runs print every event of Dagster's own at level DEBUG.
        loggers={"console": dg.colored_console_logger},
        # A step is a second of work or minutes of one library: a process each would cost more than it gains.
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that the Dagster services load."""
    return build_defs()
