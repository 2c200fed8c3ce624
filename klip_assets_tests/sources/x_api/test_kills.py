"""A process that dies between two writes: the next one fetches what is left, and every post is counted once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from klip_assets.settings import Settings
from klip_assets_tests.made import REPOSITORY
from klip_assets_tests.processed import process, query
from klip_assets_tests.sources.x_api.conftest import ids_in
from klip_assets_tests.sources.x_api.fake_x import TOKEN, FakeX, serving

pytestmark = pytest.mark.slow

FETCH = """
from klip_assets.settings import Settings
from klip_assets.sources.x_api.fetch import fetch_posts
done = fetch_posts(Settings())
assert not done.problems, done.problems
"""


@pytest.fixture
def x(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeX]:
    import time

    with serving(FakeX(clock_s=time.time(), page=3)) as fake:
        monkeypatch.setenv("KLIP_X_BEARER_TOKEN", TOKEN)
        monkeypatch.setenv("KLIP_X_BASE_URL", fake.base_url)
        monkeypatch.setenv("KLIP_X_QUERIES", "#run")
        yield fake


def fetch_in_a_process(failpoint: str = "") -> int:
    environment = {**os.environ, "KLIP_FAILPOINT": failpoint}
    return subprocess.run([sys.executable, "-c", FETCH], cwd=REPOSITORY, env=environment).returncode


@pytest.mark.parametrize(
    "failpoint",
    [
        "kill write.filled search-run-*",
        "kill write.placed search-run-*",
        # The state is written when a source is begun (two points), and after each page (a page and the state: four).
        "kill 5",
        "kill 8",
        "kill 9",
        "kill 10",
    ],
)
def test_a_kill_loses_nothing_and_doubles_nothing(failpoint: str, x: FakeX, settings: Settings) -> None:
    import time

    from klip_assets_tests.sources.x_api.fake_x import NOW

    ago = (NOW.timestamp() - time.time()) / 60
    for minute in range(8):
        x.add(ago + 10 + minute, f"post {minute}")
    assert fetch_in_a_process(failpoint) == -signal.SIGKILL
    x.add(ago + 1, "meanwhile")
    assert fetch_in_a_process() == 0
    asked = len(x.asked)
    assert fetch_in_a_process() == 0
    assert len(x.asked) == asked + 1, "nothing is left"
    assert set(ids_in(settings.tweet_inbox)) == x.ids()
    assert process(settings).ok
    assert query(settings, "SELECT count(*) AS n, count(DISTINCT text) AS texts FROM tweets") == [{"n": 9, "texts": 9}]
    assert not list(settings.tweet_inbox.rglob(".*.tmp"))
