"""Fixtures of the tests of tweets."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from klip_assets.contracts import TWEETS_RAW


@pytest.fixture
def drop(tmp_path: Path) -> Callable[..., Path]:
    """Write a file as somebody would drop it: text, bytes, or objects one a line."""

    def write(content: str | bytes | list[object], name: str = "dropped.jsonl", *, gzipped: bool = False) -> Path:
        if isinstance(content, list):
            content = "".join(json.dumps(value) + "\n" for value in content)
        data = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if gzipped else data)
        return path

    return write


@pytest.fixture
def raw() -> Callable[..., pa.Table]:
    """Make a table TWEETS_RAW of one day from rows that say only what matters."""

    def make(*rows: dict[str, object]) -> pa.Table:
        base = {"day": date(2021, 4, 8), "created_at": datetime(2021, 4, 8), "text": "x", "is_retweet": False}
        return TWEETS_RAW.from_rows(
            {**base, "hashtags": [], "text_observed_at": row.get("observed_at"), **row} for row in rows
        )

    return make
