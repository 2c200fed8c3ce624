"""Replies of language models: thoughts of every kind, replies without text, usage that lies, and budgets.

Each input is what a server on loopback sends; the judge reads one or more texts with the LLM tier, and looks at the
label, at the ledger, and at how often the server was asked. The warehouse has no part in it.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from klip_assets.contracts import EMOTIONS
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm import channel
from klip_assets.signals.text.llm.models import Endpoint, Model
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets.store.state.ledger import Budget, read_calls
from klip_assets_tests.signals.text.llm.fake_llm import Asked, Dropped, FakeLlm, Reply, Silence, serving
from odd_text.case import Odd, Outcome

_INPUT_USD, _OUTPUT_USD = 10.0, 100.0

_VALUES = {"sentiment": 0.8, **dict.fromkeys(EMOTIONS, 0.1), "highlight_score": 0.3}
_ANSWER, _DRAFT = json.dumps(_VALUES), json.dumps(_VALUES | {"sentiment": -0.9})
_TOLD = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}

_Choose = Callable[[Asked], Reply]


def _usd(prompt: int, completion: int) -> float:
    return (prompt * _INPUT_USD + completion * _OUTPUT_USD) / 1e6


@dataclass(frozen=True)
class _Case:
    # What the server sends, and what is right: the label (None: no answer), what each request costs (or least and most
    # for all of them), requests at most, and words of the reason.
    kind: str
    name: str
    sends: Reply | _Choose
    sentiment: float | None = 0.8
    each_usd: float | None = _usd(100, 50)
    between: tuple[float, float] | None = None
    asked: int | None = None
    reason: str = ""
    note: str = ""
    texts: int = 1
    budget: float | None = None
    timeout_s: float = 5.0

    def judge(self, _: Outcome) -> list[str]:
        """Read the texts, and say what is wrong."""
        channel.FIRST_WAIT_S = 0.005
        choose = self.sends if callable(self.sends) else None
        fake = FakeLlm()
        fake.reply = choose or (lambda _: self.sends)  # type: ignore[return-value, assignment]
        with tempfile.TemporaryDirectory() as folder, serving(fake):
            model = Model("m", Endpoint(fake.base_url, SecretStr("none")), _INPUT_USD, _OUTPUT_USD)
            tier = LlmTier(
                [model],
                "tweet-1",
                Path(folder, "state", "llm.sqlite"),
                budget=Budget(run_usd=self.budget),
                timeout_s=self.timeout_s,
            )
            readings = tier.read([Item(f"such a day {number}") for number in range(self.texts)])
            calls = read_calls(tier.state).to_pylist()
        spent = sum(call["cost_usd"] or 0.0 for call in calls)
        wrong = []
        if self.texts == 1 and readings[0].sentiment != self.sentiment:
            wrong.append(f"sentiment {readings[0].sentiment}, not {self.sentiment} ({readings[0].error})")
        least, most = self.between or ((self.each_usd or 0.0) * len(fake.asked),) * 2
        if not least - 1e-9 <= spent <= most + 1e-9:
            wrong.append(f"{spent:.4f} USD booked for {len(fake.asked)} requests, not {least:.4f} to {most:.4f}")
        if self.asked is not None and len(fake.asked) > self.asked:
            wrong.append(f"asked {len(fake.asked)} times, not {self.asked}")
        if self.reason not in (readings[0].error or ""):
            wrong.append(f"the reason does not say {self.reason!r}: {readings[0].error}")
        if self.note not in (calls[0]["error"] or "" if calls else ""):
            wrong.append(f"the ledger does not say {self.note!r}")
        return wrong


def cases() -> Iterator[Odd]:
    """Yield the inputs."""
    groups = (_unclosed, _tags, _channels, _parts, _own_fields, _cut_off, _without_text, _usage, _no_response)
    for group in (*groups, _streams, _budgets):
        for number, case in enumerate(group(), start=1):
            name = f"reply-{group.__name__.strip('_').replace('_', '-')}-{number}-{case.name}"
            yield Odd(case.kind, name, replace(case, name=name).judge, seconds=None)


def _body(message: Any, finish: str = "stop", usage: Any = _TOLD, **more: Any) -> dict[str, Any]:
    body = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", **more}
    body.setdefault("choices", [{"index": 0, "finish_reason": finish, "message": {"role": "assistant", **message}}])
    return body if usage is None else body | {"usage": usage}


def _json(*arguments: Any, **more: Any) -> Reply:
    return Reply(200, json.dumps(_body(*arguments, **more)).encode())


def _text(text: str, finish: str = "stop", usage: Any = _TOLD) -> Reply:
    return _json({"content": text.replace("DRAFT", _DRAFT).replace("ANSWER", _ANSWER)}, finish, usage)


def _texts(kind: str, texts: dict[str, str], sentiment: float | None = 0.8, **more: Any) -> Iterator[_Case]:
    for name, text in texts.items():
        yield _Case(kind, name, _text(text), sentiment, **more)


def _unclosed() -> Iterator[_Case]:
    texts = {
        "think": "<think>Let me see. A first idea: DRAFT But wait, the person is happy, so",
        "draft-last": "<think>I would say DRAFT",
        "second": "<think>first</think><think>DRAFT or maybe",
        "nested": "<think>outer <think>inner</think> so DRAFT and then",
        "square": "[THINK]Hm. DRAFT",
        "upper": "<THINKING>Hm. DRAFT no,",
        "after-answer-tag": "<thinking>I'll write <answer>DRAFT</answer> but is it",
        "harmony": "<|channel|>analysis<|message|>We could say DRAFT but",
        "ended-without-answer": "<think>DRAFT</think>",
    }
    yield from _texts("thoughts unclosed", texts, None, asked=2, reason="only thoughts")


def _tags() -> Iterator[_Case]:
    texts = {
        "closing-only": "First idea: DRAFT but no.\n</think>\n\nANSWER",
        "closing-only-square": "First idea: DRAFT but no.[/THINK]ANSWER",
        "thinking": "<thinking>first DRAFT</thinking>ANSWER",
        "thought": "<thought>first DRAFT</thought>ANSWER",
        "reasoning": "<reasoning>first DRAFT</reasoning>\n```json\nANSWER\n```",
        "reflection": "<thinking>DRAFT<reflection>too low: DRAFT</reflection></thinking><output>ANSWER</output>",
        "kimi": "◁think▷first DRAFT◁/think▷ANSWER",
        "square": "[THINK]first DRAFT[/THINK]ANSWER",
        "upper": "<THINK>first DRAFT</THINK>ANSWER",
        "attribute": '<think time="3">first DRAFT</think>ANSWER',
        "nested": "<think>outer <think>inner</think> draft DRAFT</think>ANSWER",
        "mixed": "<think>DRAFT</thinking>ANSWER",
        "cohere": "<|START_THINKING|>DRAFT<|END_THINKING|><|START_RESPONSE|>ANSWER<|END_RESPONSE|>",
        "seed": "<seed:think>DRAFT</seed:think>ANSWER",
        "scratchpad": "<scratchpad>DRAFT</scratchpad>ANSWER",
        "unknown": "<pondering_aloud>DRAFT</pondering_aloud>ANSWER",
        "of-no-known-name": "<zwoop>DRAFT</zwoop>ANSWER",
        "fence": "```thinking\nDRAFT\n```\nANSWER",
        "escaped": "&lt;think&gt;DRAFT&lt;/think&gt;ANSWER",
        "quoted": '<think>They write "</think>" here. DRAFT</think>ANSWER',
        "prose": "I think, and I think again: <3 ANSWER",
    }
    yield from _texts("other tags of thoughts", texts, asked=1)


def _channels() -> Iterator[_Case]:
    texts = {
        "harmony": "<|channel|>analysis<|message|>DRAFT<|end|><|start|>assistant<|channel|>final<|message|>ANSWER",
        "constrained": "<|channel|>analysis<|message|>DRAFT<|end|><|start|>assistant<|channel|>final "
        "<|constrain|>JSON<|message|>ANSWER<|return|>",
        "bare": "analysisWe could say DRAFT but no.assistantfinalANSWER",
        "commentary": "analysisDRAFTassistantcommentaryDRAFTassistantfinalANSWER",
        "gemma": "<|channel>thought\nDRAFT<channel|>ANSWER",
        "lines": "analysis\nDRAFT\nfinal\nANSWER",
    }
    yield from _texts("channels", texts, asked=1)


def _parts() -> Iterator[_Case]:
    text, thinking = {"type": "text", "text": _ANSWER}, {"type": "thinking", "thinking": _DRAFT}
    contents: dict[str, Any] = {
        "text": [text],
        "thinking-and-text": [{"type": "thinking", "thinking": [{"type": "text", "text": _DRAFT}]}, text],
        "output-text": [{"type": "output_text", "text": _ANSWER, "annotations": []}],
        "nested": [{"type": "message", "content": [thinking, text]}],
        "strings": [_ANSWER[:40], _ANSWER[40:]],
        "one": text,
        "google": [{"text": _DRAFT, "thought": True}, {"text": _ANSWER}],
        "draft-thinking-text": [{"type": "text", "text": _DRAFT}, thinking, text],
    }
    for name, content in contents.items():
        yield _Case("content in parts", name, _json({"content": content}), asked=1)


def _own_fields() -> Iterator[_Case]:
    kind = "thoughts in a field of their own"
    for field in ("reasoning_content", "reasoning", "thinking"):
        message = {"content": None, field: _ANSWER}
        yield _Case(kind, field, _json(message), None, asked=2, reason="only thoughts")
        yield _Case(kind, f"{field}-text", _json({"content": _ANSWER, field: _DRAFT}), asked=1)
    yield _Case(
        kind, "empty", _json({"content": "", "reasoning_content": _DRAFT}), None, asked=2, reason="only thoughts"
    )
    only = [{"type": "thinking", "thinking": _DRAFT}]
    yield _Case(kind, "part", _json({"content": only}), None, asked=2, reason="only thoughts")


def _cut_off() -> Iterator[_Case]:
    kind, long = "cut off by thoughts", "hm " * 390

    def limited(needed: int, message: Any) -> _Choose:
        def choose(asked: Asked) -> Reply:
            limit = asked.body["max_tokens"]
            if limit >= needed:
                return _json({"content": _ANSWER}, usage={"prompt_tokens": 100, "completion_tokens": needed})
            return _json(message, "length", {"prompt_tokens": 100, "completion_tokens": limit})

        return choose

    messages: dict[str, Any] = {
        "own-field": {"content": "", "reasoning_content": long},
        "null": {"content": None, "reasoning": long},
        "think": {"content": f"<think>{long}{_DRAFT}"},
        "half": {"content": f"<think>{long}</think>{_ANSWER[:50]}"},
    }
    for name, message in messages.items():
        between = _usd(200, 1600), _usd(200, 1600)
        yield _Case(kind, name, limited(1200, message), between=between, asked=2)
    between = _usd(200, 2000), _usd(200, 2000)
    reason = "1600 tokens, most of them thoughts"
    endless = limited(5000, messages["own-field"])
    yield _Case(kind, "endless", endless, None, between=between, asked=2, reason=reason)
    at_limit = _text("<think>" + long, "stop", {"prompt_tokens": 100, "completion_tokens": 1600})
    yield _Case(kind, "says-stop", at_limit, None, _usd(100, 1600), asked=2, reason=reason)


def _without_text() -> Iterator[_Case]:
    kind = "no text, but usage"
    tool = {"id": "1", "type": "function", "function": {"name": "label", "arguments": _ANSWER}}
    yield _Case(kind, "refusal", _json({"content": None, "refusal": "I can't."}), None, asked=1, reason="refuses")
    yield _Case(kind, "filter", _json({"content": ""}, "content_filter"), None, asked=1, reason="filter")
    yield _Case(kind, "refusal-part", _json({"content": [{"type": "refusal", "refusal": "No."}]}), None, asked=1)
    yield _Case(
        kind, "tool", _json({"content": None, "tool_calls": [tool]}, "tool_calls"), None, asked=2, reason="tool"
    )
    yield _Case(kind, "function", _json({"content": None, "function_call": tool["function"]}), None, asked=2)
    yield _Case(kind, "null", _json({"content": None}), None, asked=2)
    yield _Case(kind, "no-choice", _json({}, choices=[]), None, asked=2)
    broken = json.dumps(_body({"content": _ANSWER})).encode()[:-1]
    yield _Case(kind, "broken-json", Reply(200, broken), None, asked=2)
    error = json.dumps({"error": {"message": "no"}, "usage": _TOLD}).encode()
    for status in (400, 429, 500):
        yield _Case(kind, str(status), Reply(status, error), None)


def _usage() -> Iterator[_Case]:
    kind, likely, most = "usage that lies", _usd(100, 50), (0.05, 0.07)
    told: dict[str, tuple[Any, float | None]] = {
        "total": ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 1150}, _usd(100, 1050)),
        "thoughts-outside": (
            {**_TOLD, "total_tokens": 1150, "completion_tokens_details": {"reasoning_tokens": 1000}}, _usd(100, 1050),
        ),
        "thoughts-inside": ({**_TOLD, "completion_tokens_details": {"reasoning_tokens": 40}}, likely),
        "more-thoughts-than-tokens": (
            {"prompt_tokens": 100, "completion_tokens": 50, "completion_tokens_details": {"reasoning_tokens": 900}},
            _usd(100, 950),
        ),
        "beyond-the-limit": ({"prompt_tokens": 100, "completion_tokens": 9000}, _usd(100, 9000)),
        "anthropic": ({"input_tokens": 100, "output_tokens": 50}, likely),
        "floats": ({"prompt_tokens": 100.0, "completion_tokens": 50.0}, likely),
        "total-too-small": ({"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 3}, likely),
        "strings": ({"prompt_tokens": "100", "completion_tokens": "50"}, None),
        "negative": ({"prompt_tokens": -100, "completion_tokens": -50}, None),
        "absurd": ({"prompt_tokens": 10**15, "completion_tokens": 10**15}, None),
        "ones": ({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}, None),
        "zeros": ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, None),
        "null": ({"prompt_tokens": None, "completion_tokens": None}, None),
        "list": ([100, 50], None),
        "missing": (None, None),
    }  # fmt: skip
    for name, (usage, cost) in told.items():
        between = most if cost is None else (cost, cost)
        yield _Case(kind, name, _text("ANSWER", usage=usage), between=between, asked=1)


def _no_response() -> Iterator[_Case]:
    kind, whole = "no response", json.dumps(_body({"content": _ANSWER})).encode()
    # The prompt is about 400 tokens; an answer may have come to the limit.
    least, most = _usd(100, 0), 3 * _usd(2000, 400)
    yield _Case(kind, "silence", Silence(60), None, between=(least, most), note="estimate", timeout_s=0.3)
    yield _Case(kind, "dropped", Dropped(200, whole[:40]), None, between=(3 * least, most), note="estimate")
    yield _Case(kind, "half-json", Reply(200, whole[:40]), None, between=(3 * least, most), note="estimate")

    def first_dropped(asked: Asked) -> Reply:
        return Dropped(200, whole[:40]) if asked.number == 0 else Reply(200, whole)

    yield _Case(kind, "dropped-once", first_dropped, between=(_usd(200, 50), most), note="estimate", asked=2)
    yield _Case(kind, "html", Reply(200, b"<html>down</html>"), None, each_usd=0.0)
    yield _Case(kind, "500", Reply(500, b'{"error": "on fire"}'), None, each_usd=0.0)


def _streams() -> Iterator[_Case]:
    kind = "event streams"

    def chunks(*deltas: dict[str, Any]) -> list[dict[str, Any]]:
        found = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
        return [*found, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]

    def stream(parts: Sequence[Any], end: str = "data: [DONE]\n\n") -> Reply:
        body = "".join(f"data: {json.dumps(part)}\n\n" for part in parts) + end
        return Reply(200, body.encode(), {"content-type": "text/event-stream"})

    pieces = chunks(*({"content": _ANSWER[at : at + 9]} for at in range(0, len(_ANSWER), 9)))
    usage = {"choices": [], "usage": _TOLD}
    yield _Case(kind, "pieces", stream([*pieces, usage]), asked=1)
    yield _Case(kind, "one", stream([{"choices": [{"delta": {"content": _ANSWER}}]}]), between=(0.05, 0.07), asked=1)
    thoughts = [{"choices": [{"delta": {"reasoning_content": _DRAFT}}]}, *pieces, usage]
    yield _Case(kind, "thoughts", stream(thoughts), asked=1)
    yield _Case(kind, "only-thoughts", stream([thoughts[0], pieces[-1], usage]), None, asked=2, reason="only thoughts")
    running = [{**piece, "usage": {"prompt_tokens": 100, "completion_tokens": n}} for n, piece in enumerate(pieces, 1)]
    yield _Case(kind, "usage-in-each", stream(running), each_usd=_usd(100, len(pieces)), asked=1)
    lines = "\r\n\r\n".join(f": ping\r\nevent: message\r\ndata: {json.dumps(part)}" for part in [*pieces, usage])
    yield _Case(kind, "comments", Reply(200, lines.encode()), asked=1)
    yield _Case(kind, "broken-off", stream(pieces[:5], ""), None, between=(_usd(100, 0), 3 * _usd(2000, 400)))
    plain = "\n".join(json.dumps(part) for part in [*pieces, usage])
    yield _Case(kind, "json-lines", Reply(200, plain.encode()), asked=1)
    twice = json.dumps(_body({"content": _ANSWER})).encode() * 2
    yield _Case(kind, "same-twice", Reply(200, twice), asked=1)


def _budgets() -> Iterator[_Case]:
    kind = "budgets"
    refusal = _json({"content": None, "refusal": "no"}, usage={"prompt_tokens": 1000, "completion_tokens": 400})
    tool = _json(
        {"content": None, "tool_calls": [{"id": "1"}]}, usage={"prompt_tokens": 1000, "completion_tokens": 400}
    )
    lies = _text("ANSWER", usage={"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 1150})

    def every_other(reply: Reply) -> _Choose:
        return lambda asked: reply if asked.number % 2 else _text("ANSWER")

    for name, reply, one in (
        ("refusals", refusal, 0.05), ("tools", tool, 0.05), ("total", lies, 0.106), ("errors", Reply(500, b""), 0.0)
    ):  # fmt: skip
        # What is reported beyond the reservation may pass the budget, by the requests under way.
        most = 0.5 if one < 0.06 else 0.5 + 16 * one
        yield _Budgeted(kind, name, every_other(reply), between=(0.0, most), texts=60, budget=0.5, price=one)
    yield _Budgeted(kind, "thoughts", lies, between=(0.0, 0.5 + 8 * 0.106), texts=60, budget=0.5, price=0.106)
    dropped = Dropped(200, b"{")
    yield _Case(kind, "dropped", dropped, between=(_usd(100, 0), 0.2), texts=60, budget=0.2, note="estimate")


@dataclass(frozen=True)
class _Budgeted(_Case):
    # The ledger must equal what the server counted: `price` for each odd reply, the usual for the others.
    price: float = 0.0

    def judge(self, outcome: Outcome) -> list[str]:
        """Count at the server, and compare."""
        counted: list[float] = []
        choose = self.sends if callable(self.sends) else (lambda _: self.sends)
        usual = _text("ANSWER").content

        def counting(asked: Asked) -> Reply:
            reply = choose(asked)
            assert isinstance(reply, Reply)
            counted.append(_usd(100, 50) if reply.content == usual else self.price)
            return reply

        wrong = replace(self, sends=counting)._plain(outcome)
        most = self.between[1] if self.between else 0.0
        if sum(counted) > most:
            wrong.append(f"the server counted {sum(counted):.4f} USD, not at most {most:.4f}")
        return wrong

    def _plain(self, outcome: Outcome) -> list[str]:
        return _Case.judge(self, outcome)
