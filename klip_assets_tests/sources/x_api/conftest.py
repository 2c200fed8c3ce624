"""A server of posts, and runs against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from klip_assets.sources.x_api.client import Client
from klip_assets.sources.x_api.fetch import Fetched, Run
from klip_assets.sources.x_api.sources import read_sources
from klip_assets.sources.x_api.state import State
from klip_assets_tests.sources.x_api.fake_x import TOKEN, FakeX, serving

Fetch = Callable[..., Fetched]


@pytest.fixture
def x() -> Iterator[FakeX]:
    with serving(FakeX()) as fake:
        yield fake


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    return tmp_path / "inbox" / "x"


@pytest.fixture
def fetch(x: FakeX, inbox: Path, tmp_path: Path) -> Fetch:
    """Make one run, as another process would: nothing but files is left of the one before."""

    def run(listed: str = "#run", max_posts: int = 1000, timeout_s: float = 10.0) -> Fetched:
        with Client(x.base_url, TOKEN, timeout_s=timeout_s, sleep=x.sleep, clock=x.clock) as client:
            state = State(tmp_path / "x_posts.json")
            return Run(client, state, inbox, max_posts, now=x.now).fetch(read_sources(listed))

    return run


def pages_of(inbox: Path) -> list[dict[str, object]]:
    """Return the pages in an inbox, in the order of their paths."""
    return [json.loads(line) for path in sorted(inbox.rglob("*.jsonl")) for line in path.read_text().splitlines()]


def ids_in(inbox: Path) -> list[int]:
    """Return the ids of the posts in an inbox, as often as they are there."""
    return sorted(int(post["id"]) for page in pages_of(inbox) for post in page.get("data", []))  # type: ignore[attr-defined]
