"""Where Dagster keeps runs, events and logs: in the data folder, whoever starts it.

dagster.yaml names these classes. Dagster's own need an absolute path there, or an environment variable, which nobody
sets for `dagster dev` in a checkout; these ask the settings, as everything else does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from klip_assets.settings import Settings


def storage_dir() -> str:
    """Return the folder of Dagster's own state: KLIP_DAGSTER_STORAGE, or `.dagster` in the data folder."""
    return os.environ.get("KLIP_DAGSTER_STORAGE") or str(Settings().dagster_storage_dir)


class DataFolderSqliteStorage(DagsterSqliteStorage):
    """Runs, events, schedules and sensors in SQLite files of the data folder."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """There is nothing to configure."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Open it, made if absent."""
        return cls.from_local(storage_dir(), inst_data=inst_data)


class DataFolderArtifactStorage(LocalArtifactStorage):
    """Files of runs in the data folder."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """There is nothing to configure."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Open it."""
        return cls(storage_dir(), inst_data=inst_data)


class DataFolderLogs(LocalComputeLogManager):
    """What steps print, in the data folder."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """There is nothing to configure."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Open it."""
        return cls(storage_dir(), inst_data=inst_data)
