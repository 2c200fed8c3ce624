"""A run with the LLM tier: from the recording to `llm_calls` in the warehouse, with a server that answers well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from klip_assets.defs.instance import dagster_instance
from klip_assets.settings import Settings
from klip_assets_tests.processed import drop_stream, drop_tweets, due, process, query
from klip_assets_tests.signals.text.llm.fake_llm import KEY, FakeLlm, error, in_use


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLlm]:
    with in_use(monkeypatch) as fake:
        yield fake


@pytest.mark.slow
def test_segments_are_read_by_the_model_and_every_call_is_published(llm: FakeLlm, settings: Settings) -> None:
    drop_stream(settings)
    drop_tweets(settings)
    assert process(settings).ok
    rows = query(settings, "SELECT * FROM segment_sentiment ORDER BY segment_index")
    assert {(row["tier"], row["model"], row["status"], row["prompt_version"]) for row in rows} == {
        ("llm", "first", "ok", "segment-1")
    }
    assert {(row["sentiment"], row["joy"], row["model_highlight_score"]) for row in rows} == {(0.5, 0.125, 0.25)}
    calls = query(settings, "SELECT * FROM llm_calls")
    assert len(calls) == len(rows) == len(llm.asked)
    assert {(call["table_name"], call["partition"], call["status"]) for call in calls} == {
        ("segment_sentiment", "stream", "ok")
    }
    assert {call["cost_usd"] for call in calls} == {(100 * 0.5 + 50 * 1.5) / 1e6}
    assert {call["input_sha256"] for call in calls} == {row["input_sha256"] for row in rows}
    tiers = query(settings, "SELECT DISTINCT tier FROM tweet_sentiment")
    assert "llm" not in {row["tier"] for row in tiers}, "tweets go to language models only if asked to"
    data = llm.asked[0].data
    assert "calm walk" in data["transcript"] and "amazing" in data["after"]
    assert data["speech_rate"] is not None and data["relative_loudness"] is not None
    assert query(settings, "SELECT DISTINCT model_score FROM segment_scores") == [{"model_score": 0.25}]
    assert due(settings) is None


@pytest.mark.slow
def test_a_run_without_an_answer_succeeds_and_says_what_happened(llm: FakeLlm, settings: Settings) -> None:
    llm.reply = lambda _: error(401, f"bad key {KEY}")
    drop_stream(settings)
    assert process(settings).ok
    rows = query(settings, "SELECT DISTINCT status, error FROM segment_sentiment")
    assert {row["status"] for row in rows} == {"fallback"}
    assert all("rejects the API key" in row["error"] for row in rows)
    with dagster_instance(settings) as instance:
        (event,) = instance.fetch_materializations(dg.AssetKey(["segment_sentiment"]), limit=1).records
        metadata = event.asset_materialization.metadata
        assert metadata["note/llm_calls"].value == 1
        assert "rejects the API key" in str(metadata["note/llm_models_left_alone"].value)
    _assert_nowhere(KEY, settings.data_dir)


@pytest.mark.slow
def test_the_key_is_in_no_file_that_a_run_leaves(llm: FakeLlm, settings: Settings) -> None:
    drop_stream(settings)
    process(settings)
    assert llm.asked[0].headers["authorization"] == f"Bearer {KEY}"
    _assert_nowhere(KEY, settings.data_dir)


def _assert_nowhere(secret: str, folder: Path) -> None:
    for path in folder.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
