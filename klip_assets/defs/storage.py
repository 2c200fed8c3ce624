"""Where Dagster keeps runs, events and logs: in the data folder, whoever starts it.

dagster.yaml names these classes. Dagster's own need an absolute path there, or an environment variable, which nobody
sets for `dagster dev` in a checkout; these ask the settings, as everything else does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from klip_assets.settings import Settings


def storage_dir() -> str:
    """Return the folder of Dagster's own state: KLIP_DAGSTER_STORAGE, or `.dagster` in the data folder."""
    return os.environ.get("KLIP_DAGSTER_STORAGE") or str(Settings().dagster_storage_dir)


class _InDataFolder:
    """What dagster.yaml has to say of such a class: nothing but its name."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data=inst_data)  # type: ignore[call-arg]

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """There is nothing to configure."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Open it; its folder is made if absent."""
        folder = storage_dir()
        Path(folder).mkdir(parents=True, exist_ok=True)
        return cls(folder, inst_data=inst_data)


class DataFolderSqliteStorage(_InDataFolder, DagsterSqliteStorage):
    """Runs, events, schedules and sensors in SQLite files of the data folder."""


class DataFolderArtifactStorage(_InDataFolder, LocalArtifactStorage):
    """Files of runs in the data folder."""


class DataFolderLogs(_InDataFolder, LocalComputeLogManager):
    """What steps print, in the data folder."""
