"""A run with the LLM tier: from the recording to `llm_calls` in the warehouse, with a server that answers well."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from klip_assets.cli import main
from klip_assets.defs.instance import dagster_instance
from klip_assets.settings import Settings
from klip_assets_tests.processed import drop_stream, drop_tweets, due, process, query
from klip_assets_tests.signals.text.llm.fake_llm import FakeLlm, error, serving

KEY = "sk-secret-0987654321"


@pytest.fixture
def llm(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLlm]:
    with serving(FakeLlm()) as fake:
        monkeypatch.setenv("KLIP_LLM_BASE_URL", fake.base_url)
        monkeypatch.setenv("KLIP_LLM_API_KEY", KEY)
        monkeypatch.setenv("KLIP_LLM_MODELS", "first,second")
        monkeypatch.setenv("KLIP_LLM_INPUT_USD_PER_MTOK", "0.5")
        monkeypatch.setenv("KLIP_LLM_OUTPUT_USD_PER_MTOK", "1.5")
        yield fake


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


def test_making_a_video_anew_costs_no_call_and_the_hits_are_published(llm: FakeLlm, settings: Settings) -> None:
    drop_stream(settings)
    process(settings)
    asked = len(llm.asked)
    assert process(settings, videos=["stream"], force=True).ok
    assert len(llm.asked) == asked
    counts = query(settings, "SELECT cached, count(*) AS n FROM llm_calls GROUP BY ALL ORDER BY ALL")
    assert [row["n"] for row in counts] == [asked, asked]


def test_calls_of_a_ledger_that_was_lost_stay_published(llm: FakeLlm, settings: Settings) -> None:
    drop_stream(settings)
    process(settings)
    asked = len(llm.asked)
    for path in settings.state_dir.glob("llm.sqlite*"):
        path.unlink()
    assert process(settings, videos=["stream"], force=True).ok
    assert len(llm.asked) == 2 * asked, "the cache is gone as well"
    assert query(settings, "SELECT count(*) AS n, count(DISTINCT call_id) AS ids FROM llm_calls") == [
        {"n": 2 * asked, "ids": 2 * asked}
    ]


def test_tweets_are_read_by_the_model_if_asked_to(
    llm: FakeLlm, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_TWEET_TIERS", "llm,lexicon")
    drop_tweets(settings)
    assert process(settings).ok
    rows = query(settings, "SELECT DISTINCT tier, model, status FROM tweet_sentiment")
    assert rows == [{"tier": "llm", "model": "first", "status": "ok"}]
    assert "text" in llm.asked[0].data


def test_a_run_without_an_answer_is_no_failed_run_and_says_what_happened(llm: FakeLlm, settings: Settings) -> None:
    llm.reply = lambda _: error(401, f"bad key {KEY}")
    drop_stream(settings)
    assert process(settings).ok
    rows = query(settings, "SELECT DISTINCT status, error FROM segment_sentiment")
    assert {row["status"] for row in rows} == {"fallback"}
    assert all("refuses the API key" in row["error"] for row in rows)
    with dagster_instance(settings) as instance:
        (event,) = instance.fetch_materializations(dg.AssetKey(["segment_sentiment"]), limit=1).records
        metadata = event.asset_materialization.metadata
        assert metadata["note/llm_calls"].value == 1
        assert "refuses the API key" in str(metadata["note/llm_models_left_alone"].value)
    _assert_nowhere(KEY, settings.data_dir)


def test_the_key_is_in_no_file_that_a_run_leaves(llm: FakeLlm, settings: Settings) -> None:
    drop_stream(settings)
    process(settings)
    assert llm.asked[0].headers["authorization"] == f"Bearer {KEY}"
    _assert_nowhere(KEY, settings.data_dir)


def test_the_cache_can_be_looked_at_and_cleared_on_the_command_line(llm: FakeLlm, settings: Settings) -> None:
    run = CliRunner()
    assert "No replies" in run.invoke(main, ["cache", "stats"]).output
    drop_stream(settings)
    process(settings)
    asked = len(llm.asked)
    assert "first" in run.invoke(main, ["cache", "stats"]).output
    assert "0 replies" in run.invoke(main, ["cache", "clear", "--older-than", "1"]).output
    assert f"{asked} replies" in run.invoke(main, ["cache", "clear"]).output
    assert run.invoke(main, ["cache", "stats", "--json"]).output.strip() == "[]"


def _assert_nowhere(secret: str, folder: Path) -> None:
    for path in folder.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
