"""Dagster storage in the data folder for runs, events and logs, whoever starts Dagster.

dagster.yaml names these classes. Dagster's own need an absolute path there, or an environment variable, which is not
set for `dagster dev` in a checkout; these use the settings, like everything else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import URL, make_url

from klip_assets.errors import InputError
from klip_assets.settings import Settings


def _url_of(base_dir: str, db_name: str) -> str:
    path = os.path.join(os.path.abspath(base_dir), f"{db_name}.db")  # noqa: PTH100, PTH118 (as Dagster does)
    url = URL.create("sqlite", database=path).render_as_string()
    if make_url(url).database != path:
        raise InputError(f"{path} has characters that SQLAlchemy can't pass to SQLite", hint="rename the folder")
    return url


# Dagster puts the path into a URL as it is: `%41` in a folder's name would mean `A`, and a `?` would begin options.
for _module in (sqlite_run_storage, sqlite_event_log, sqlite_schedule_storage):
    _module.create_db_conn_string = _url_of  # type: ignore[attr-defined]


class _InDataFolder:
    """Mixin for a class that dagster.yaml configures by name alone."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data=inst_data)  # type: ignore[call-arg]

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return the configuration schema: empty."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        """Open the storage, creating its folder if absent."""
        settings = Settings()
        folder = settings.dagster_storage_dir
        if not folder.exists():
            # A new installation: `dagster dev`, unlike the klip commands, does not create the inbox.
            settings.make_folders()
        folder.mkdir(parents=True, exist_ok=True)
        return cls(str(folder), inst_data=inst_data)


class DataFolderSqliteStorage(_InDataFolder, DagsterSqliteStorage):
    """Runs, events, schedules and sensors in SQLite files of the data folder."""


class DataFolderArtifactStorage(_InDataFolder, LocalArtifactStorage):
    """Files of runs in the data folder."""


class DataFolderLogs(_InDataFolder, LocalComputeLogManager):
    """Output of steps in the data folder."""
