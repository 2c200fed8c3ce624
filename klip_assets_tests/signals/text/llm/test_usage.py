"""What an endpoint reports is booked, however it words it; what it does not, at the most or at an estimate."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets.signals.text.llm.usage import Usage, read_usage, usage_in, usage_of
from klip_assets.store.state.ledger import Budget, read_calls
from klip_assets_tests.signals.text.llm.fake_llm import (
    GOOD,
    Asked,
    Dropped,
    FakeLlm,
    Reply,
    Silence,
    answers,
    error,
    says,
)

Make = Callable[..., LlmTier]

#: USD for a million tokens; no request of these tests can cost more than `MOST`.
PRICE, MOST = 10.0, 0.04


@pytest.mark.parametrize(
    ("reported", "used"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}, Usage(100, 50)),
        ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 1150}, Usage(100, 1050)),
        ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 20}, Usage(100, 50)),
        ({"prompt_tokens": 100, "completion_tokens": 50, "reasoning_tokens": 900}, Usage(100, 950, 900)),
        (
            {"prompt_tokens": 9, "completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 40}},
            Usage(9, 50, 40),
        ),
        ({"input_tokens": 7, "output_tokens": 5, "cache_read_input_tokens": 3}, Usage(10, 5)),
        ({"promptTokenCount": 7, "candidatesTokenCount": 5, "totalTokenCount": 20}, Usage(7, 13)),
        ({"prompt_tokens": 7.0, "completion_tokens": 4.5}, Usage(7, 5)),
        ({"completion_tokens": 50, "total_tokens": 150}, Usage(100, 50)),
        ({"prompt_tokens": "100", "completion_tokens": 50}, Usage(None, 50)),
        ({"prompt_tokens": -1, "completion_tokens": 10**15}, None),
        ({"prompt_tokens": True, "completion_tokens": None}, None),
        ({"prompt_tokens": float("nan"), "completion_tokens": float("inf")}, None),
        ({}, None),
        ([100, 50], None),
        (None, None),
    ],
)
def test_counts_are_read_under_any_name_and_only_if_they_can_be_true(reported: object, used: Usage | None) -> None:
    assert read_usage(reported) == used


def test_usage_is_found_wherever_it_stands() -> None:
    told, used = {"prompt_tokens": 1, "completion_tokens": 2}, Usage(1, 2)
    for response in (
        {"usage": told},
        {"error": {"message": "no", "usage": told}},
        {"choices": [{"delta": {}, "usage": told}]},
        {"x_groq": {"usage": told}},
        told,
    ):
        assert usage_of(response) == used
    assert usage_of({"usage": None}) is usage_of([told]) is None
    assert usage_in('half {"usage": {"a": 1}, "usage":' + json.dumps(told) + ", and no end") == used
    assert usage_in('"usage": {' * 1000) is None


def without_text(**message: Any) -> Reply:
    """A reply of 150 tokens with such a message."""
    usage = {"prompt_tokens": 100, "completion_tokens": 50}
    return Reply(200, json.dumps({"choices": [{"message": message}], "usage": usage}).encode())


COUNTED = {
    "a refusal": (without_text(content=None, refusal="no"), 1, "the model refuses: no"),
    "a filter": (says("", finish_reason="content_filter"), 1, "filter"),
    "a tool call": (without_text(content=None, tool_calls=[{"id": "1"}]), 2, "called a tool"),
    "null": (without_text(content=None), 2, "no text"),
    "thoughts beside it": (without_text(content=None, reasoning_content=json.dumps(GOOD)), 2, "only thoughts came"),
    "no choices": (Reply(200, b'{"choices": [], "usage": {"total_tokens": 150, "prompt_tokens": 100}}'), 2, "choice"),
    "broken JSON": (Reply(200, says("x").content[:-1]), 2, "not JSON"),
    "400": (Reply(400, says("x").content), 3, "HTTP 400"),
    "500": (Reply(500, says("x").content), 3, "HTTP 500"),
    "an error in a reply": (
        Reply(200, b'{"error": "busy", "usage": {"prompt_tokens": 100, "completion_tokens": 50}}'), 3, "busy",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", COUNTED)
def test_what_a_reply_without_an_answer_used_is_booked_and_it_is_not_asked_for_without_end(
    what: str, llm: FakeLlm, tier: Make
) -> None:
    reply, most_asked, reason = COUNTED[what]
    llm.reply = lambda _: reply
    made = tier("first", price=PRICE)
    made.read([Item("text")])
    (call,) = read_calls(made.state).to_pylist()
    assert len(llm.asked) == call["attempts"] == most_asked
    assert (call["prompt_tokens"], call["completion_tokens"]) == (100 * most_asked, 50 * most_asked)
    assert call["cost_usd"] == pytest.approx(most_asked * 150 * PRICE / 1e6)
    assert reason in call["error"] and "booked" not in call["error"]


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": "100", "completion_tokens": "50"},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": 1, "completion_tokens": 1},
        [1],
    ],
    ids=["null", "empty", "text", "zeros", "ones", "list"],
)
def test_an_answer_whose_usage_can_not_be_true_is_booked_at_the_most_and_says_so(
    usage: Any, llm: FakeLlm, tier: Make
) -> None:
    body = json.loads(answers().content) | {"usage": usage}
    llm.reply = lambda _: Reply(200, json.dumps(body).encode())
    made = tier("first", price=PRICE)
    assert [reading.status for reading in made.read([Item("text")])] == ["ok"]
    (call,) = read_calls(made.state).to_pylist()
    assert 0.005 < call["cost_usd"] <= MOST
    assert call["error"] == "booked 1 request without a credible usage at the most it can be"


@pytest.mark.parametrize("what", ["silence", "dropped", "half"])
def test_a_request_without_a_response_is_booked_at_an_estimate_and_says_so(what: str, llm: FakeLlm, tier: Make) -> None:
    half = answers().content[:30]
    fault = {"silence": Silence(60), "dropped": Dropped(200, half), "half": Reply(200, half)}[what]
    llm.reply = lambda _: fault
    made = tier("first", price=PRICE, timeout_s=0.3)
    made.read([Item("text")])
    (call,) = read_calls(made.state).to_pylist()
    # The instructions are some hundred tokens, and a quarter of an answer's 400 tokens is added.
    assert 300 * PRICE / 1e6 < call["cost_usd"] / len(llm.asked) < MOST / 2
    assert "without a response at an estimate" in call["error"]


def test_a_call_that_is_answered_after_all_says_what_was_estimated(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: Dropped(200, b"{") if asked.number == 0 else answers()
    made = tier("first", price=PRICE)
    assert [reading.error for reading in made.read([Item("text")])] == [None]
    (call,) = read_calls(made.state).to_pylist()
    assert (call["status"], call["attempts"]) == ("ok", 2)
    assert call["error"] == "booked 1 request without a response at an estimate"


@pytest.mark.parametrize("fault", [error(500), Reply(200, b"<html>")], ids=["500", "HTML"])
def test_an_error_that_reports_no_usage_costs_nothing(fault: Reply, llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: fault
    made = tier("first", price=PRICE)
    made.read([Item("text")])
    assert read_calls(made.state)["cost_usd"].to_pylist() == [None]


def test_a_server_that_can_not_be_reached_costs_nothing(llm: FakeLlm, tier: Make) -> None:
    llm.base_url = "http://127.0.0.1:9/v1"
    made = tier("first", price=PRICE)
    made.read([Item("text")])
    assert read_calls(made.state)["cost_usd"].to_pylist() == [None]


class Counting:
    """A server that lies, refuses, fails and repeats itself, and counts what it reports."""

    def __init__(self) -> None:
        self.tokens = 0

    def __call__(self, asked: Asked) -> Reply:
        prompt, completion = 90 + asked.number % 20, 40 + asked.number % 7
        usage = {"prompt_tokens": prompt, "completion_tokens": completion}
        text: str | None = json.dumps(GOOD)
        match asked.number % 8:
            case 1:
                usage["total_tokens"] = prompt + completion + 300
                completion += 300
            case 2:
                text = None
            case 3:
                text = "<think>hm"
            case 4:
                text = "banana"
            case 5:
                usage = {"input_tokens": prompt, "output_tokens": completion}
        self.tokens += prompt + completion
        body = says("").content.decode()
        reply = json.dumps(json.loads(body) | {"usage": usage, "choices": [{"message": {"content": text}}]}).encode()
        if asked.number % 8 == 6:
            return Reply(503, reply)
        return Reply(200, reply * 2 if asked.number % 8 == 7 else reply)


def test_with_fifty_requests_in_flight_the_ledger_is_what_the_server_counted(llm: FakeLlm, tier: Make) -> None:
    llm.reply, llm.delay_s = (counting := Counting()), 0.01
    made = tier("first", price=PRICE, most=50, budget=Budget(run_usd=100.0))
    made.read([Item(f"text {number}") for number in range(150)])
    calls = read_calls(made.state).to_pylist()
    assert sum(call["attempts"] for call in calls) == len(llm.asked) >= 150
    assert sum(call["cost_usd"] for call in calls) == pytest.approx(counting.tokens * PRICE / 1e6)
    assert made.spent.cost_usd == pytest.approx(counting.tokens * PRICE / 1e6)


def test_a_budget_holds_where_every_other_reply_is_a_refusal(llm: FakeLlm, tier: Make) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 2000}
    refusal = json.dumps({"choices": [{"message": {"content": None, "refusal": "no"}}], "usage": usage}).encode()
    llm.reply = lambda asked: Reply(200, refusal) if asked.number % 2 else answers()
    made = tier("first", price=PRICE, budget=Budget(run_usd=0.5))
    readings = made.read([Item(f"text {number}") for number in range(60)])
    counted = sum(0.03 if asked.number % 2 else 0.0015 for asked in llm.asked)
    assert sum(call["cost_usd"] for call in read_calls(made.state).to_pylist()) == pytest.approx(counted)
    # A refusal costs some more than was reserved for it: as many may be under way as are sent at once.
    assert counted <= 0.5 + 16 * 0.03
    assert "budget" in (readings[-1].error or "")


def test_after_a_report_beyond_the_budget_no_request_is_sent(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: says(json.dumps(GOOD), usage={"prompt_tokens": 100, "completion_tokens": 90_000})
    made = tier("first", price=PRICE, budget=Budget(run_usd=0.5), most=1)
    readings = made.read([Item(f"text {number}") for number in range(9)])
    assert [reading.status for reading in readings] == ["ok"] + ["failed"] * 8
    assert read_calls(made.state)["cost_usd"].to_pylist() == [pytest.approx(0.901)]


def test_what_is_under_way_when_a_run_ends_early_is_booked_at_an_estimate(llm: FakeLlm, tier: Make) -> None:
    def choose(asked: Asked) -> Reply:
        return answers() if asked.number == 0 else Silence(60) if asked.number < 4 else error(401)

    def stop(_: str) -> None:
        raise InterruptedError

    llm.reply = choose
    made = tier("first", price=PRICE, most=4, notify=stop)
    with pytest.raises(ExceptionGroup):
        made.read([Item(f"text {number}") for number in range(6)])
    ended = [call for call in read_calls(made.state).to_pylist() if "the run ended" in (call["error"] or "")]
    under_way = [call for call in ended if "estimate" in call["error"]]
    assert len(under_way) == 3 and all(call["cost_usd"] > 300 * PRICE / 1e6 for call in under_way)
