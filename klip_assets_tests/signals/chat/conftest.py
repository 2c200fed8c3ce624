"""Fixtures of the tests of chat."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from klip_assets.contracts import CHAT_MESSAGES


@pytest.fixture
def drop(tmp_path: Path) -> Callable[..., Path]:
    """Write a file as somebody would drop it: text, bytes, or a JSON document."""

    def write(content: str | bytes | list[object] | dict[str, object], name: str = "talk.chat.json") -> Path:
        text = content if isinstance(content, str | bytes) else json.dumps(content)
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.fixture
def log() -> Callable[..., pa.Table]:
    """Make a table CHAT_MESSAGES from rows that say only what matters."""

    def make(*rows: dict[str, object]) -> pa.Table:
        base = {"video_id": "v", "author": "ann", "text": "x", "emotes": [], "is_bot": False}
        return CHAT_MESSAGES.from_rows({**base, "message_index": i, **row} for i, row in enumerate(rows))

    return make
