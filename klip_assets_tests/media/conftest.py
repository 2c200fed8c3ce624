"""Media files made in the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from klip_assets_tests.media.written import write_media


@pytest.fixture
def make_media(tmp_path: Path) -> Callable[..., Path]:
    return lambda name, **options: write_media(tmp_path / name, **options)
