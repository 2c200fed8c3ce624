"""Money: every call on record, and never more spent than allowed, whoever runs beside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets.signals.text.tiers import Chain, LexiconTier
from klip_assets.store.state.ledger import Budget, Purpose, read_calls
from klip_assets.store.state.replies import Store
from klip_assets_tests.signals.text.llm.fake_llm import GOOD, Asked, FakeLlm, Reply, answers, error, says

Make = Callable[..., LlmTier]
TEXTS = [Item(f"what a play {number}") for number in range(40)]

#: USD for a million tokens; a reply of the fake model takes 150 tokens, so a call costs 0.0015 USD.
PRICE, COST = 10.0, 0.0015


def spent(tier: LlmTier) -> float:
    with Store(tier.state) as store:
        assert store.rows("SELECT * FROM reservations") == []
        return float(store.rows("SELECT total(cost_usd) FROM calls")[0][0])


def test_every_call_stands_in_the_ledger_with_tokens_attempts_and_cost(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: error(500) if asked.number == 0 else answers()
    made = tier("first", price=PRICE, purpose=Purpose("run 1", "segment_sentiment", "stream"))
    made.read(TEXTS[:1])
    made.read(TEXTS[:1])
    call, hit = read_calls(made.state).to_pylist()
    assert (call["run_id"], call["table_name"], call["partition"]) == ("run 1", "segment_sentiment", "stream")
    assert (call["endpoint"], call["model"], call["prompt_version"]) == (llm.base_url, "first", "segment-1")
    assert (call["status"], call["attempts"], call["cached"], call["error"]) == ("ok", 2, False, None)
    assert (call["prompt_tokens"], call["completion_tokens"]) == (100, 50)
    assert call["cost_usd"] == pytest.approx(COST) and call["latency_ms"] > 0
    assert (hit["status"], hit["attempts"], hit["cached"], hit["cost_usd"]) == ("ok", 0, True, 0.0)
    assert hit["input_sha256"] == call["input_sha256"] and len(call["input_sha256"]) == 64


def test_a_failed_call_stands_in_the_ledger_with_its_reason(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: says("banana")
    made = tier("first", price=PRICE)
    made.read(TEXTS[:1])
    (call,) = read_calls(made.state).to_pylist()
    assert (call["status"], call["attempts"], call["prompt_tokens"]) == ("failed", 2, 200)
    assert call["cost_usd"] == pytest.approx(2 * COST) and "no JSON object" in call["error"]


def test_a_cost_that_is_not_known_is_null(llm: FakeLlm, tier: Make) -> None:
    made = tier("first")
    made.read(TEXTS[:1])
    assert read_calls(made.state)["cost_usd"].to_pylist() == [None]


@pytest.mark.parametrize("kind", ["run_usd", "day_usd"])
def test_at_the_end_of_a_budget_the_rest_goes_to_the_next_tier_and_says_so(kind: str, llm: FakeLlm, tier: Make) -> None:
    llm.delay_s = 0.01
    made = tier("first", "second", price=PRICE, budget=Budget(**{kind: 0.08}))
    readings = Chain([made, LexiconTier("vader")], []).read(TEXTS)
    assert {(reading.status, reading.tier) for reading in readings} == {("ok", "llm"), ("fallback", "lexicon")}
    assert {reading.error for reading in readings if reading.status == "fallback"} != {None}
    assert all("budget" in (reading.error or "") for reading in readings if reading.status == "fallback")
    assert spent(made) <= 0.08
    # As long as the most a call may cost still fits, calls are made.
    assert sum(reading.tier == "llm" for reading in readings) >= 20
    assert llm.count("second") == 0


def test_calls_that_wait_for_another_try_do_not_block_those_that_wait_for_money(llm: FakeLlm, tier: Make) -> None:
    # One request at a time, room for one reservation, and every first request fails.
    seen: set[str] = set()

    def choose(asked: Asked) -> Reply:
        text = asked.data["transcript"]
        first = text not in seen
        seen.add(text)
        return error(500) if first else answers()

    llm.reply = choose
    readings = tier("first", price=PRICE, budget=Budget(run_usd=0.06), most=2).read(TEXTS[:6])
    assert [reading.status for reading in readings] == ["ok"] * 6


def test_what_the_cache_holds_is_used_although_the_budget_is_gone(llm: FakeLlm, tier: Make) -> None:
    tier("first", price=PRICE).read(TEXTS[:5])
    readings = tier("first", price=PRICE, budget=Budget(run_usd=0.0)).read(TEXTS[:8])
    assert [reading.status for reading in readings] == ["ok"] * 5 + ["failed"] * 3
    assert len(llm.asked) == 5


def test_a_hit_of_the_cache_is_one_row_of_the_ledger_with_a_budget_that_is_gone_too(llm: FakeLlm, tier: Make) -> None:
    tier("first", price=PRICE).read(TEXTS[5:10])
    made = tier("first", price=PRICE, budget=Budget(run_usd=0.0), most=1)
    made.read(TEXTS[:10])
    assert read_calls(made.state)["cached"].to_pylist() == [False] * 5 + [True] * 5
    assert made.spent.cache_hits == 5


def test_a_model_without_a_price_is_not_asked_while_a_budget_is_set(llm: FakeLlm, tier: Make) -> None:
    (reading,) = tier("first", budget=Budget(run_usd=5.0)).read(TEXTS[:1])
    assert reading.status == "failed" and "KLIP_LLM_INPUT_USD_PER_MTOK" in (reading.error or "")
    assert llm.asked == []


def test_where_an_endpoint_counts_no_tokens_the_most_is_booked(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: says('{"no": "usage"}', usage={})
    made = tier("first", price=PRICE, budget=Budget(run_usd=1.0))
    made.read(TEXTS[:1])
    assert spent(made) > 10 * COST


@pytest.mark.slow
def test_runs_at_once_do_not_overspend_the_budget_of_a_day(llm: FakeLlm, tier: Make) -> None:
    llm.delay_s = 0.02
    state = tier().state
    processes = [start(state, llm, f"run {number}") for number in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]
    # As long as the most a request can cost fits beside what was spent, requests are made.
    assert 0.1 - 0.0335 - COST < spent(tier()) <= 0.1


def test_the_reservations_of_a_killed_process_are_booked_not_left_behind(llm: FakeLlm, tier: Make) -> None:
    llm.delay_s = 20.0
    state = tier().state
    process = start(state, llm, "killed")
    while not llm.asked:
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with Store(state) as store:
        assert len(store.rows("SELECT * FROM reservations")) == 1
    llm.delay_s = 0.0
    made = tier("first", price=PRICE, budget=Budget(day_usd=1.0))
    made.read(TEXTS[:1])
    assert spent(made) > COST
    lost, call = read_calls(state).to_pylist()
    assert (lost["run_id"], lost["status"], call["status"]) == ("killed", "failed", "ok")
    assert "died" in lost["error"] and lost["cost_usd"] > COST


def start(state: Path, llm: FakeLlm, run_id: str) -> subprocess.Popen[bytes]:
    """Read forty texts of its own in a process of its own, within a budget of a day."""
    code = f"""
        from pathlib import Path
        from pydantic import SecretStr
        from klip_assets.signals.text.item import Item
        from klip_assets.store.state.ledger import Budget, Purpose
        from klip_assets.signals.text.llm.models import Endpoint, Model
        from klip_assets.signals.text.llm.reader import LlmTier
        model = Model("only", Endpoint({llm.base_url!r}, SecretStr("none")), {PRICE}, {PRICE})
        tier = LlmTier([model], "segment-1", Path({str(state)!r}), Purpose({run_id!r}), Budget(day_usd=0.1))
        tier.read([Item(f"{run_id} text {{n}}") for n in range(40)])
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])


def test_a_model_that_ignores_its_limit_passes_the_budget_by_what_is_under_way_only(llm: FakeLlm, tier: Make) -> None:
    llm.delay_s = 0.01
    llm.reply = lambda _: says(json.dumps(GOOD), usage={"prompt_tokens": 100, "completion_tokens": 4000})
    one = 4100 * PRICE / 1e6
    made = tier("first", price=PRICE, budget=Budget(run_usd=0.5))
    made.read(TEXTS)
    assert spent(made) == pytest.approx(len(llm.asked) * one)
    assert 0.3 < spent(made) <= 0.5 + one


def test_a_budget_that_is_too_small_for_one_request_says_what_one_may_cost(llm: FakeLlm, tier: Make) -> None:
    (reading,) = tier("first", price=PRICE, budget=Budget(run_usd=0.001)).read(TEXTS[:1])
    assert "a request may cost 0.0" in (reading.error or "") and "0.0010 of 0.001 USD is left" in (reading.error or "")
    assert "used up" not in (reading.error or "") and not llm.asked
