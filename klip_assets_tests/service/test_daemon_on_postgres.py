"""What test_daemon tests, with Dagster's state in PostgreSQL, as deploy/postgres has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from klip_assets_tests.service.test_daemon import *  # noqa: F403


@pytest.fixture(scope="module")
def service(make_service: Callable[..., Any], postgres: Callable[[str], str]) -> Iterator[Any]:
    """`klip dev` with Dagster's state in PostgreSQL."""
    url = postgres("daemon")
    service = make_service("on_postgres", deploy="deploy/postgres", KLIP_SENSOR_INTERVAL_S="5", KLIP_POSTGRES_URL=url)
    service.start()
    yield service
    service.stop()
