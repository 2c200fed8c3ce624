"""Whatever a server does: one row a text, no invented value, and a bounded number of requests."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence

import pytest

from klip_assets.contracts import EMOTIONS
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.channel import BREAK_AFTER, BREAK_AFTER_INVALID, BREAK_AFTER_REFUSALS, MAX_ATTEMPTS
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets.signals.text.reading import Reading
from klip_assets.signals.text.tiers import Chain, LexiconTier
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

TEXTS = [Item(f"what a wonderful play number {number}") for number in range(30)]


def read(tier: LlmTier, items: Sequence[Item] = TEXTS) -> list[Reading]:
    readings = Chain([tier, LexiconTier("vader")], []).read(items)
    assert len(readings) == len(items)
    for reading in readings:
        assert (reading.sentiment is None) == (reading.status in ("failed", "skipped"))
    return readings


def of(readings: Sequence[Reading]) -> set[tuple[str, str | None, str | None]]:
    return {(reading.status, reading.tier, reading.model) for reading in readings}


def once(reply: Reply, then: Reply | None = None) -> Callable[[Asked], Reply]:
    """Each text gets `reply` to its first request and a good answer after."""
    seen: set[str] = set()

    def choose(asked: Asked) -> Reply:
        text = asked.data["transcript"]
        first = text not in seen
        seen.add(text)
        return reply if first else then or answers()

    return choose


PASSING = {
    "429": error(429),
    "429 with Retry-After": error(429, retry_after="0.02"),
    "429 with Retry-After as a date": error(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    "500": error(500),
    "503": error(503, retry_after="0.02"),
    "a page of HTML with 200": Reply(200, b"<html><body>Service</body></html>", {"content-type": "text/html"}),
    "truncated JSON": Reply(200, b'{"choices": [{"message": {"con'),
    "no choices": Reply(200, b'{"choices": []}'),
    "an error with 200": Reply(200, b'{"error": {"message": "overloaded"}}'),
    "no content": Reply(200, b'{"choices": [{"message": {"content": null}}]}'),
    "a dropped connection": Dropped(200, b'{"choices": [{"message"'),
}


@pytest.mark.parametrize("what", PASSING)
def test_a_fault_that_passes_costs_a_second_request_and_no_row(what: str, llm: FakeLlm, tier: Make) -> None:
    # One text at a time: faults of many at once would rightly count as an outage.
    llm.reply = once(PASSING[what])
    readings = read(tier(most=1), TEXTS[:8])
    assert of(readings) == {("ok", "llm", "first")}
    assert len(llm.asked) == 16


INVALID = {
    "prose only": "I think that is quite exciting.",
    "an example's style": json.dumps({**GOOD, "sentiment": "0.7 (positive because of the cheering)"}),
    "out of range": json.dumps({**GOOD, "joy": 1.2}),
    "a share in percent": json.dumps({**GOOD, "highlight_score": 80}),
    "a wrong type": json.dumps({**GOOD, "anger": True}),
    "null": json.dumps({**GOOD, "fear": None}),
    "not a number": json.dumps({**GOOD, "fear": float("nan")}),
    "a missing field": json.dumps({name: value for name, value in GOOD.items() if name != "neutral"}),
    "a list": json.dumps([GOOD]).replace("{", "(").replace("}", ")"),
    "two answers": json.dumps(GOOD) + json.dumps({**GOOD, "joy": 1}),
    "nothing": "",
    "braces without end": "{" * 5000,
}


@pytest.mark.parametrize("what", INVALID)
def test_an_invalid_answer_is_asked_for_again_once_and_the_row_says_repaired(
    what: str, llm: FakeLlm, tier: Make
) -> None:
    llm.reply = once(says(INVALID[what]))
    readings = read(tier(), TEXTS[:5])
    assert of(readings) == {("repaired", "llm", "first")}
    assert [reading.sentiment for reading in readings] == [0.5] * 5
    assert len(llm.asked) == 10


@pytest.mark.parametrize("what", INVALID)
def test_a_model_that_is_never_valid_gives_no_value_and_the_next_one_reads(what: str, llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: says(INVALID[what]) if asked.model == "first" else answers(sentiment=-0.5)
    readings = read(tier(), TEXTS[:5])
    assert of(readings) == {("ok", "llm", "second")}
    assert {reading.sentiment for reading in readings} == {-0.5}
    assert llm.count("first") == 10


def test_prose_around_the_json_is_passed_over(llm: FakeLlm, tier: Make) -> None:
    thought = '<think>maybe {"sentiment": 0}</think>\nSure! Here it is:\n```json\n'
    llm.reply = lambda _: says(thought + json.dumps(GOOD, indent=2) + "\n```\nHope that helps {smile}.")
    assert of(read(tier(), TEXTS[:3])) == {("ok", "llm", "first")}
    assert len(llm.asked) == 3


def test_an_answer_that_was_cut_off_is_none(llm: FakeLlm, tier: Make) -> None:
    llm.reply = once(says(json.dumps(GOOD)[:-1], finish_reason="length"))
    assert of(read(tier(), TEXTS[:3])) == {("repaired", "llm", "first")}


@pytest.mark.parametrize(
    "fault",
    [error(500), error(503), Reply(200, b"<html>"), Reply(200, b'{"choices": []}'), Dropped(200, b"{")],
    ids=["500", "503", "HTML", "no choices", "dropped"],
)
def test_a_first_model_that_is_always_down_costs_a_few_requests_and_the_second_reads(
    fault: Reply, llm: FakeLlm, tier: Make
) -> None:
    llm.reply = lambda asked: fault if asked.model == "first" else answers()
    made = tier()
    assert of(read(made)) == {("ok", "llm", "second")}
    assert llm.count("first") <= BREAK_AFTER + MAX_ATTEMPTS
    assert llm.count("second") == len(TEXTS)
    assert "in a row failed" in made.spent.closed["first"]


@pytest.mark.slow
def test_a_model_that_never_answers_costs_the_run_one_timeout(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: Silence(600) if asked.model == "first" else answers()
    assert of(read(tier(timeout_s=3.0))) == {("ok", "llm", "second")}
    assert llm.count("first") == 1


def test_refusals_without_end_are_bounded(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: error(429) if asked.model == "first" else answers()
    assert of(read(tier())) == {("ok", "llm", "second")}
    assert llm.count("first") <= BREAK_AFTER_REFUSALS


def test_a_server_that_asks_to_wait_for_minutes_is_left_alone(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: error(429, retry_after="120") if asked.model == "first" else answers()
    made = tier()
    assert of(read(made)) == {("ok", "llm", "second")}
    assert llm.count("first") == 1
    assert "120 s" in made.spent.closed["first"]


def test_retry_after_is_waited_for(llm: FakeLlm, tier: Make) -> None:
    llm.reply = once(error(429, retry_after="0.5"))
    began = time.monotonic()
    assert of(read(tier(), TEXTS[:1])) == {("ok", "llm", "first")}
    assert time.monotonic() - began > 0.45


def test_an_endpoint_that_refuses_the_key_is_asked_once_and_none_of_its_models_again(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: error(401, "Incorrect API key provided")
    readings = read(tier())
    assert of(readings) == {("fallback", "lexicon", readings[0].model)}
    assert len(llm.asked) == 1
    assert all("KLIP_LLM_API_KEY" in (reading.error or "") for reading in readings)


def test_a_model_the_endpoint_does_not_have_is_asked_once(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: error(404, "no model first") if asked.model == "first" else answers()
    assert of(read(tier())) == {("ok", "llm", "second")}
    assert llm.count("first") == 1


def test_with_all_models_down_each_text_falls_to_the_next_tier_and_says_why(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: error(500, "on fire")
    readings = read(tier())
    assert {(reading.status, reading.tier) for reading in readings} == {("fallback", "lexicon")}
    assert all("on fire" in (reading.error or "") for reading in readings)
    assert all(not reading.emotions and reading.highlight_score is None for reading in readings)
    assert len(llm.asked) <= 3 * (BREAK_AFTER + MAX_ATTEMPTS)


def test_where_every_tier_fails_the_scores_are_null_k4(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: error(503)
    for reading in Chain([tier()], []).read(TEXTS[:4]):
        assert (reading.status, reading.tier, reading.sentiment, reading.emotions) == ("failed", None, None, {})
        assert "503" in (reading.error or "")


def test_a_server_that_dies_midway_loses_no_row(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: answers() if asked.number < 10 else error(502)
    readings = read(tier("only"))
    assert [reading.tier for reading in readings].count("llm") == 10
    assert {reading.status for reading in readings if reading.tier == "lexicon"} == {"fallback"}
    assert len(llm.asked) <= 10 + 16 + BREAK_AFTER + MAX_ATTEMPTS


def test_a_connection_that_nobody_answers_is_an_outage_too(tier: Make, llm: FakeLlm) -> None:
    llm.base_url = "http://127.0.0.1:9/v1"
    readings = read(tier("only"), TEXTS[:6])
    assert {(reading.status, reading.tier) for reading in readings} == {("fallback", "lexicon")}


def test_each_text_goes_down_the_chain_by_itself_k3(llm: FakeLlm, tier: Make) -> None:
    def choose(asked: Asked) -> Reply:
        hard = int(asked.data["transcript"].rsplit(" ", 1)[1]) % 3
        return answers() if ("first", "second", "third").index(asked.model) >= hard else says("no")

    llm.reply = choose
    readings = read(tier(), TEXTS[:15])
    assert [reading.model for reading in readings] == ["first", "second", "third"] * 5
    assert {reading.status for reading in readings} == {"ok"}


def test_a_model_of_rubbish_is_left_alone_after_a_while(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: says("banana") if asked.model == "first" else answers()
    many = [Item(f"text {number}") for number in range(100)]
    assert of(read(tier(), many)) == {("ok", "llm", "second")}
    assert llm.count("first") <= 2 * (BREAK_AFTER_INVALID + 16)


def test_every_model_of_the_chain_is_told_the_same_about_the_sound_k5(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: answers() if asked.model == "third" else says("no")
    item = Item("go go go", "before", "after", speech_rate_wps=3.14159, absolute_loudness=1, relative_loudness=0.666)
    read(tier(), [item])
    expected = {
        "transcript": "go go go",
        "before": "before",
        "after": "after",
        "speech_rate": 3.14,
        "absolute_loudness": 1.0,
        "relative_loudness": 0.67,
    }
    assert {asked.model for asked in llm.asked} == {"first", "second", "third"}
    for asked in llm.asked:
        assert asked.data == expected
        assert '"absolute_loudness": 1.00' in asked.body["messages"][1]["content"]


def test_a_valid_answer_becomes_the_row_as_it_is(llm: FakeLlm, tier: Make) -> None:
    values = {name: place / 10 for place, name in enumerate(EMOTIONS)} | {"sentiment": -1, "highlight_score": 1}
    llm.reply = lambda _: answers(**values)
    (reading,) = read(tier(), TEXTS[:1])
    assert reading.emotions == {name: values[name] for name in EMOTIONS}
    assert (reading.sentiment, reading.highlight_score, reading.prompt_version) == (-1.0, 1.0, "segment-1")
