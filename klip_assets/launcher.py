"""Another name of `defs.launcher`, for copies of dagster.yaml that name the run launcher here."""

from klip_assets.defs.launcher import WatchedRunLauncher

__all__ = ["WatchedRunLauncher"]
