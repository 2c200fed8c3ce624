"""Code location that workspace.yaml loads: every asset, check, job, sensor and schedule of Klip."""

from __future__ import annotations

import dagster as dg

from klip_assets.defs.build import build_defs
from klip_assets.env_files import stray_file
from klip_assets.errors import InputError
from klip_assets.settings import Settings


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions that the Dagster services load.

    Raises:
        InputError: Dagster was started in a folder whose `.env`, which Klip does not read, has settings of Klip.
    """
    settings = Settings()
    if stray := stray_file(settings.env_files):
        # Each process of Dagster has put that file into its environment.
        raise InputError(
            f"Dagster has read {stray}, which is not a settings file of this installation",
            hint="use klip dev, or start dagster dev in the checkout or in the data folder",
        )
    return build_defs(settings)
