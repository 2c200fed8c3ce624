"""Stages that ask a language model: what is asked again, and what stays published."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from klip_assets.settings import Settings
from klip_assets_tests.processed import drop_stream, drop_tweets, query
from klip_assets_tests.signals.text.llm.fake_llm import FakeLlm, in_use
from klip_assets_tests.worked import work


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLlm]:
    with in_use(monkeypatch) as fake:
        yield fake


def test_making_a_video_again_costs_no_call_and_the_hits_are_published(llm: FakeLlm, settings: Settings) -> None:
    drop_stream(settings)
    work(settings)
    asked = len(llm.asked)
    assert work(settings, videos=["stream"], force=True).ok
    assert len(llm.asked) == asked
    counts = query(settings, "SELECT cached, count(*) AS n FROM llm_calls GROUP BY ALL ORDER BY ALL")
    assert [row["n"] for row in counts] == [asked, asked]


def test_calls_of_a_ledger_that_was_lost_stay_published(llm: FakeLlm, settings: Settings) -> None:
    drop_stream(settings)
    work(settings)
    asked = len(llm.asked)
    for path in settings.state_dir.glob("llm.sqlite*"):
        path.unlink()
    assert work(settings, videos=["stream"], force=True).ok
    assert len(llm.asked) == 2 * asked, "the cache is gone as well"
    assert query(settings, "SELECT count(*) AS n, count(DISTINCT call_id) AS ids FROM llm_calls") == [
        {"n": 2 * asked, "ids": 2 * asked}
    ]


def test_tweets_are_read_by_the_model_if_asked_to(
    llm: FakeLlm, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_TWEET_TIERS", "llm,lexicon")
    drop_tweets(settings)
    assert work(Settings()).ok
    rows = query(settings, "SELECT DISTINCT tier, model, status FROM tweet_sentiment")
    assert rows == [{"tier": "llm", "model": "first", "status": "ok"}]
    assert "text" in llm.asked[0].data
