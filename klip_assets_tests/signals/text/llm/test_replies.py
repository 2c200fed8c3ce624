"""Replies in other forms than one string of text: parts, thoughts beside it, event streams, and answers cut off."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.answer import json_schema
from klip_assets.signals.text.llm.dialect import AnswerTokens, Dialect
from klip_assets.signals.text.llm.prompt import SEGMENT, prompt
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets.signals.text.llm.response import Reply as Read
from klip_assets.signals.text.llm.response import UnreadableError, read_response
from klip_assets.signals.text.llm.usage import Usage
from klip_assets.store.state.ledger import Budget, read_calls
from klip_assets.store.state.replies import Store, StoredReply, put_reply, question_key
from klip_assets_tests.signals.text.llm.fake_llm import GOOD, Asked, FakeLlm, Reply, answers, error, says

Make = Callable[..., LlmTier]

ANSWER, DRAFT = json.dumps(GOOD), json.dumps({**GOOD, "sentiment": -0.9})
TEXTS = [Item(f"text {number}") for number in range(12)]


def of(content: Any, finish: str = "stop", **message: Any) -> Reply:
    """A reply with such a content."""
    choice = {"message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    usage = {"prompt_tokens": 100, "completion_tokens": 50}
    return Reply(200, json.dumps({"choices": [choice], "usage": usage}).encode())


TEXT, THINKING = {"type": "text", "text": ANSWER}, {"type": "thinking", "thinking": DRAFT}
PARTS: dict[str, Any] = {
    "text": [TEXT],
    "one part": TEXT,
    "strings": [ANSWER[:30], ANSWER[30:]],
    "output_text": [{"type": "output_text", "text": ANSWER, "annotations": []}],
    "a value inside": [{"type": "text", "text": {"value": ANSWER}}],
    "the answer itself": GOOD,
    "a part of JSON": [{"type": "json", "json": GOOD}],
    "nested": [{"type": "message", "content": [THINKING, TEXT]}],
    "thinking before": [{"type": "thinking", "thinking": [{"type": "text", "text": DRAFT}]}, TEXT],
    "a draft and thinking before": [{"type": "text", "text": DRAFT}, THINKING, TEXT],
    "reasoning before": [{"type": "reasoning", "text": DRAFT}, TEXT],
    "a thought as Google marks it": [{"text": DRAFT, "thought": True}, {"text": ANSWER}],
}


@pytest.mark.parametrize("what", PARTS)
def test_the_answer_is_found_in_parts_of_a_content(what: str) -> None:
    assert read_response(of(PARTS[what]).content).text == ANSWER


@pytest.mark.parametrize("after", ["", "\n\nThe person is happy, since", "\n<think>That was"])
def test_a_reply_cut_off_after_its_answer_is_one(after: str, llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: says(ANSWER + after, "length")
    assert [reading.sentiment for reading in tier("m").read(TEXTS[:1])] == [0.5]
    assert len(llm.asked) == 1


@pytest.mark.parametrize("text", [ANSWER + "\nNo, rather " + ANSWER[:40], "<think>" + ANSWER, ANSWER[:-1]])
def test_a_reply_cut_off_within_an_answer_is_none(text: str, llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda _: says(text, "length")
    assert [reading.status for reading in tier("m").read(TEXTS[:1])] == ["failed"]


def test_parts_nested_without_end_are_not_followed() -> None:
    content: Any = "x"
    for _ in range(200):
        content = [content]
    with pytest.raises(UnreadableError, match="no text"):
        read_response(json.dumps({"choices": [{"message": {"content": content}}]}).encode())
    with pytest.raises(UnreadableError):
        read_response(b'{"choices": ' + b"[" * 100_000)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "thinking", "reasoning_details"])
@pytest.mark.parametrize("content", [None, ""], ids=["null", "empty"])
def test_thoughts_in_a_field_of_their_own_are_no_answer(
    field: str, content: str | None, llm: FakeLlm, tier: Make
) -> None:
    llm.reply = lambda _: of(content, **{field: ANSWER})
    (reading,) = tier("first").read(TEXTS[:1])
    assert (reading.status, reading.sentiment) == ("failed", None)
    assert "only thoughts came, no answer" in (reading.error or "")
    assert len(llm.asked) == 2
    llm.reply = lambda _: of(ANSWER, **{field: DRAFT})
    assert [reading.sentiment for reading in tier("first").read(TEXTS[1:2])] == [0.5]


def test_a_repair_after_a_reply_without_text_tells_what_is_missing_and_nothing_of_the_reply(
    llm: FakeLlm, tier: Make
) -> None:
    llm.reply = lambda asked: of(None, tool_calls=[{"name": "banana"}]) if asked.number == 0 else answers()
    assert [reading.status for reading in tier("first").read(TEXTS[:1])] == ["repaired"]
    repair = llm.asked[1].body["messages"][-1]["content"]
    assert "called a tool" in repair and "banana" not in repair


def test_after_a_refusal_the_next_model_is_asked(llm: FakeLlm, tier: Make) -> None:
    llm.reply = lambda asked: of(None, refusal="no") if asked.model == "first" else answers()
    assert [reading.model for reading in tier("first", "second").read(TEXTS[:3])] == ["second"] * 3
    assert llm.count("first") == 3


def stream(documents: Sequence[Any], end: str = "data: [DONE]\n\n") -> bytes:
    """Such an event stream."""
    return ("".join(f"data: {json.dumps(document)}\n\n" for document in documents) + end).encode()


def pieces(*deltas: dict[str, Any], finish: str | None = "stop") -> list[dict[str, Any]]:
    """The chunks of a reply."""
    chunks: list[dict[str, Any]] = [{"choices": [{"delta": delta}]} for delta in deltas]
    return [*chunks, {"choices": [{"delta": {}, "finish_reason": finish}]}]


SPLIT = [{"content": ANSWER[at : at + 7]} for at in range(0, len(ANSWER), 7)]
USAGE = {"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": 50}}


def test_an_event_stream_that_nobody_asked_for_is_read() -> None:
    whole = Read(ANSWER, Usage(100, 50))
    assert (
        read_response(stream([*pieces(*SPLIT, finish=None), USAGE], "").replace(b"\n\n", b"\n") + b"data: [DONE]")
        == whole
    )
    assert read_response(stream([*pieces(*SPLIT), USAGE])) == whole
    assert read_response(stream([*pieces(*SPLIT, finish=None), USAGE])) == whole
    comments = b": ping\r\nevent: x\r\n" + stream([*pieces(*SPLIT), USAGE], "").replace(b"\n", b"\r\n")
    assert read_response(comments) == whole
    assert read_response(b"\n".join(json.dumps(piece).encode() for piece in [*pieces(*SPLIT), USAGE])) == whole
    running = [
        piece | {"usage": {"prompt_tokens": 9, "completion_tokens": n}} for n, piece in enumerate(pieces(*SPLIT))
    ]
    assert read_response(stream(running)) == Read(ANSWER, Usage(9, len(SPLIT)))
    thoughts = read_response(stream(pieces({"reasoning_content": DRAFT}, *SPLIT)))
    assert (thoughts.text, thoughts.thought_chars) == (ANSWER, len(DRAFT))
    assert read_response(stream(pieces(*SPLIT, finish="length"))).cut_off


def test_an_event_stream_that_breaks_off_is_no_reply() -> None:
    with pytest.raises(UnreadableError, match="broke off") as told:
        read_response(stream(pieces(*SPLIT)[:4], 'data: {"choi'))
    assert told.value.was_read
    with pytest.raises(UnreadableError, match="overloaded"):
        read_response(stream([*pieces(*SPLIT)[:4], {"error": {"message": "overloaded"}}]))


def test_a_reply_that_is_sent_twice_is_one() -> None:
    assert read_response(answers().content * 2) == read_response(answers().content)


def thinks(needed: int) -> Callable[[Asked], Reply]:
    """A model whose thoughts and answer take so many tokens."""

    def reply(asked: Asked) -> Reply:
        limit = asked.body["max_tokens"]
        usage = {"prompt_tokens": 100, "completion_tokens": min(limit, needed)}
        if limit < needed:
            return says(f"<think>{'hm ' * limit}{DRAFT}", "length", usage)
        return says(f"<think>{'hm ' * needed}</think>{ANSWER}", usage=usage)

    return reply


def limits(llm: FakeLlm) -> list[int]:
    return [asked.body["max_tokens"] for asked in llm.asked]


def test_what_thoughts_cut_off_is_asked_for_once_with_a_larger_limit_and_that_is_remembered(
    llm: FakeLlm, tier: Make
) -> None:
    llm.reply = thinks(1200)
    made = tier("first", price=10.0, budget=Budget(run_usd=1.0))
    readings = made.read(TEXTS[:1])
    assert [(reading.status, reading.sentiment) for reading in readings] == [("repaired", 0.5)]
    assert llm.asked[0].body["messages"] == llm.asked[1].body["messages"], "the same question"
    assert [call["completion_tokens"] for call in read_calls(made.state).to_pylist()] == [1600]
    assert {reading.status for reading in tier("first").read(TEXTS)} == {"ok", "repaired"}
    assert limits(llm) == [400, 1600] + [1600] * 11, "the next run knows, and the cache still holds"


def test_an_answer_without_thoughts_that_is_cut_off_does_not_raise_the_limit_of_others(
    llm: FakeLlm, tier: Make
) -> None:
    llm.reply = lambda asked: says(ANSWER[:-9], "length") if asked.number == 0 else answers()
    tier("first").read(TEXTS[:2])
    assert limits(llm) == [400, 1600, 400]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (of("", "length", reasoning_content="hm " * 900), "it was cut off after 1600 tokens, most of them thoughts"),
        (of("<think>hm " * 90, "MAX_TOKENS"), "it was cut off after 1600 tokens, most of them thoughts"),
        (of("banana " * 90, "length"), "it was cut off after 1600 tokens"),
    ],
    ids=["a field", "a tag", "prose"],
)
def test_a_model_that_is_cut_off_again_is_not_asked_a_third_time_and_the_reason_tells_of_thoughts(
    reply: Reply, reason: str, llm: FakeLlm, tier: Make
) -> None:
    llm.reply = lambda _: reply
    (reading,) = tier("first").read(TEXTS[:1])
    assert reading.error == f"first: no valid answer: {reason}"
    assert limits(llm) == [400, 1600]


def test_thoughts_that_fill_the_limit_are_cut_off_whatever_the_reply_says_of_its_end(llm: FakeLlm, tier: Make) -> None:
    usage = {"prompt_tokens": 100, "completion_tokens": 400}
    llm.reply = lambda asked: says("<think>hm", "stop", usage) if asked.number == 0 else answers()
    tier("first").read(TEXTS[:1])
    assert limits(llm) == [400, 1600]


def test_limits_are_those_of_the_settings_and_one_may_rule_out_the_retry(llm: FakeLlm, tier: Make) -> None:
    llm.reply = thinks(5000)
    tier("first", tokens=AnswerTokens(700, 700)).read(TEXTS[:1])
    tier("second", tokens=AnswerTokens(500, 6000)).read(TEXTS[:1])
    assert limits(llm) == [700, 500, 6000]


def test_a_larger_limit_that_the_budget_does_not_allow_is_not_tried_and_others_are_read(
    llm: FakeLlm, tier: Make
) -> None:
    llm.reply = lambda asked: says("<think>hm", "length") if asked.number == 0 else answers()
    readings = tier("first", price=10.0, budget=Budget(run_usd=0.04), most=1).read(TEXTS[:3])
    assert [reading.status for reading in readings] == ["failed", "ok", "ok"]
    assert "the budget does not allow for 1600" in (readings[0].error or "")
    assert limits(llm) == [400] * 3


def test_a_larger_limit_that_the_server_does_not_take_fails_that_text_alone(llm: FakeLlm, tier: Make) -> None:
    cut_off = says("<think>hm", "length")
    llm.reply = lambda asked: (
        error(400, "max_tokens is too large")
        if asked.body["max_tokens"] > 1000
        else cut_off
        if asked.data["transcript"] == "text 3"
        else answers()
    )
    assert [reading.status for reading in tier("first").read(TEXTS)].count("ok") == 11


@pytest.mark.parametrize("room", [{}, {"needs_room": True}], ids=["of an old version", "that needs room"])
def test_answers_that_older_versions_cached_are_still_used(room: dict[str, bool], llm: FakeLlm, tier: Make) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "label", "strict": True, "schema": json_schema()}}
    parameters = {"temperature": 0, "seed": 7, "max_tokens": 400, "response_format": schema}
    key = question_key(SEGMENT, llm.base_url, "first", parameters, prompt(SEGMENT).messages(TEXTS[0]))
    old = {"mode": "json_schema", "token_limit": "max_tokens", "has_temperature": True, "has_seed": True}
    with Store(tier().state) as store:
        store.remember_dialect(llm.base_url, "first", old | room)
        with store.writing() as connection:
            put_reply(connection, key, StoredReply(GOOD, "ok"), (llm.base_url, "first", SEGMENT))
    for tokens in (AnswerTokens(), AnswerTokens(800, 3000)):
        assert [reading.status for reading in tier("first", tokens=tokens).read(TEXTS[:1])] == ["ok"]
    assert llm.asked == []
    assert Dialect.of(old) == Dialect()
