"""Where Dagster keeps runs, events and logs: in the data folder, whoever starts it.

dagster.yaml names these classes. Dagster's own need an absolute path there, or an environment variable, which nobody
sets for `dagster dev` in a checkout; these ask the settings, as everything else does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from klip_assets.settings import Settings


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
        settings = Settings()
        folder = settings.dagster_storage_dir
        if not folder.exists():
            # A new installation, and perhaps nobody's command made the inbox: `dagster dev` does not.
            settings.make_folders()
        folder.mkdir(parents=True, exist_ok=True)
        return cls(str(folder), inst_data=inst_data)


class DataFolderSqliteStorage(_InDataFolder, DagsterSqliteStorage):
    """Runs, events, schedules and sensors in SQLite files of the data folder."""


class DataFolderArtifactStorage(_InDataFolder, LocalArtifactStorage):
    """Files of runs in the data folder."""


class DataFolderLogs(_InDataFolder, LocalComputeLogManager):
    """What steps print, in the data folder."""
