"""Code location that workspace.yaml loads: every asset, check, job, sensor and schedule of Klip."""

from __future__ import annotations

import dagster as dg

from klip_assets.defs.build import build_defs


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that the Dagster services load."""
    return build_defs()
