"""Alias of `defs.launcher`, for copies of dagster.yaml that still name the run launcher here."""

from klip_assets.defs.launcher import WatchedRunLauncher

__all__ = ["WatchedRunLauncher"]
