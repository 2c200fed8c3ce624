"""`klip cache`: the replies of language models that are kept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from klip_assets.cli import main
from klip_assets.settings import Settings
from klip_assets_tests.processed import drop_stream
from klip_assets_tests.signals.text.llm.fake_llm import FakeLlm, in_use
from klip_assets_tests.worked import work


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLlm]:
    with in_use(monkeypatch) as fake:
        yield fake


@pytest.mark.slow
def test_the_cache_can_be_looked_at_and_cleared_on_the_command_line(llm: FakeLlm, settings: Settings) -> None:
    run = CliRunner()
    assert "The cache is empty" in run.invoke(main, ["cache", "stats"]).output
    drop_stream(settings)
    work(settings)
    asked = len(llm.asked)
    assert "first" in run.invoke(main, ["cache", "stats"]).output
    assert "0 replies" in run.invoke(main, ["cache", "clear", "--older-than", "1"]).output
    assert f"{asked} replies" in run.invoke(main, ["cache", "clear"]).output
    assert run.invoke(main, ["cache", "stats", "--json"]).output.strip() == "[]"
