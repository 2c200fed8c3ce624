"""The answer is what stands after the last thought that ends, however a model marks its thoughts."""

from __future__ import annotations

import json
import time

import pytest

from klip_assets.signals.text.llm.answer import AnswerError, read_reply
from klip_assets.signals.text.llm.response import Reply
from klip_assets.signals.text.llm.thoughts import is_of_thoughts, without_thoughts
from klip_assets_tests.signals.text.llm.fake_llm import GOOD

ANSWER, DRAFT = json.dumps(GOOD), json.dumps({**GOOD, "sentiment": -0.9})


def sentiment(reply: str) -> float:
    """Read a reply in which DRAFT and ANSWER stand for two labels."""
    text = reply.replace("DRAFT", DRAFT).replace("ANSWER", ANSWER)
    return read_reply(Reply(text), limit=400).sentiment


ANSWERED = [
    "<think>DRAFT</think>ANSWER",
    "<think>\n<think>DRAFT</think>ANSWER",
    "<think>outer <think>inner</think> DRAFT</think>ANSWER",
    '<think time="3">DRAFT</think>ANSWER',
    "<think>DRAFT<answer>DRAFT</answer></think>ANSWER",
    "<think></think>ANSWER",
    "<think/>ANSWER",
    "ANSWER\n<think>\n</think>",
    "ANSWER<think>hm",
    "ANSWER\n<think>I am done</think>",
    "ANSWER\n<reasoning>because it says so",
    "ANSWER\n```thinking\nIt is happy.\n```",
    "```json\nANSWER\n```\n<think>Not DRAFT, then",
    "<think>DRAFT</think>ANSWER<think>done</think>",
    "ANSWER <!-- draft: DRAFT -->",
    "<!-- think: DRAFT -->\nANSWER",
    "~~~thinking\nDRAFT\n~~~\nANSWER",
    "[Analysis] The tweet is happy. ANSWER",
    "[Thoughts]\nThe tweet is happy.\n[Answer]\nANSWER",
    "The tag <think> appears in the tweet, but it is happy. ANSWER",
    '{"answer": ANSWER}',
    '{"reasoning": "It is happy.", "final_answer": ANSWER}',
    "<thinking>DRAFT</think>ANSWER",
    "<think>DRAFT</think\n>ANSWER",
    "<think>DRAFT<\\/think>ANSWER",
    "DRAFT no.\n</think>\n\nANSWER",
    "DRAFT[/THINK]ANSWER",
    "DRAFT<channel|>ANSWER",
    "<THINK>DRAFT</THINK>ANSWER",
    "<thought_process>DRAFT</thought_process>ANSWER",
    "<reasoning_content>DRAFT</reasoning_content>ANSWER",
    "<thinking>DRAFT<reflection>DRAFT</reflection>DRAFT</thinking><output>ANSWER</output>",
    "<scratchpad>DRAFT</scratchpad>ANSWER",
    "<inner_monologue>DRAFT</inner_monologue>ANSWER",
    "<cot>DRAFT</cot><answer>ANSWER</answer>",
    "<seed:think>DRAFT</seed:think>ANSWER",
    "<unused94>thought\nDRAFT<unused95>ANSWER",
    "<zwoop>DRAFT</zwoop>ANSWER",
    "<zwoop>DRAFT</zwoop><answer>ANSWER</answer>",
    "◁think▷DRAFT◁/think▷ANSWER",
    "<｜think｜>DRAFT<｜/think｜>ANSWER",
    "{think}DRAFT{/think}ANSWER",
    "[THINK]DRAFT[/THINK]ANSWER",
    "[BEGIN THINKING]DRAFT[END THINKING]ANSWER",
    "Here are my reasoning steps:\nDRAFT\n[BEGIN FINAL RESPONSE]\nANSWER\n[END FINAL RESPONSE]",
    "Here is my thought process: DRAFT\nHere is my response: ANSWER",
    "Thought: DRAFT\nFinal Answer: ANSWER",
    "<|START_THINKING|>DRAFT<|END_THINKING|><|START_RESPONSE|>ANSWER<|END_RESPONSE|>",
    "<|begin_of_thought|>DRAFT<|end_of_thought|><|begin_of_solution|>ANSWER<|end_of_solution|>",
    "<|inner_prefix|>DRAFT<|inner_suffix|>ANSWER",
    "```thinking\nDRAFT\n```\n```json\nANSWER\n```",
    '<details type="reasoning" done="true">DRAFT</details>ANSWER',
    "&lt;think&gt;DRAFT&lt;/think&gt;ANSWER",
    "<|channel|>analysis<|message|>DRAFT<|end|><|start|>assistant<|channel|>final<|message|>ANSWER",
    "<|channel|>analysis<|message|>DRAFT<|end|><|start|>assistant<|channel|>commentary<|message|>DRAFT<|end|>"
    "<|start|>assistant<|channel|>final <|constrain|>JSON<|message|>ANSWER<|return|>",
    "<|channel|>analysis<|message|>DRAFT<|end|>ANSWER",
    "analysisWe could say DRAFT but no.assistantfinalANSWER",
    "analysiswe need DRAFTassistantcommentaryDRAFTassistantfinal ANSWER",
    "analysis\nDRAFT\nfinal\nANSWER",
    "<|channel>thought\nDRAFT<channel|>ANSWER",
    "Thinking...\nDRAFT\n...done thinking.\n\nANSWER",
    "## Thoughts\nDRAFT\n\n## Final Answer\nANSWER",
    # What only looks like it.
    "I think it is great: ANSWER",
    "I <3 this, I think >:( ANSWER",
    "(thinking) *thinks* [I think so] ANSWER",
    "Analysis: a happy one. ANSWER",
    "<sentiment_analysis>ANSWER</sentiment_analysis>",
    "<output>ANSWER</output>",
    "<s>ANSWER<|end|>",
    '<think>They write "</think>" here. DRAFT</think>ANSWER',
    "<think>They write `<think>` here. DRAFT</think>ANSWER",
]


@pytest.mark.parametrize("reply", ANSWERED)
def test_the_answer_is_found_after_thoughts_of_any_kind(reply: str) -> None:
    assert sentiment(reply) == 0.5


DRAFTS = [
    "<think>DRAFT but wait",
    "<think>DRAFT",
    "<think>outer <think>inner</think>DRAFT",
    "<think>first</think><think>DRAFT or",
    "Sure! <think>Let me see. DRAFT But wait",
    "<!-- think: DRAFT",
    "~~~thinking\nDRAFT",
    "<think>DRAFT</think>",
    "DRAFT</think>\n",
    "<reasoning effort=high>DRAFT",
    "[THINK]DRAFT",
    "◁think▷DRAFT",
    "```thinking\nDRAFT",
    "<|START_THINKING|>DRAFT",
    "<|channel|>analysis<|message|>DRAFT",
    "<|channel|>analysis<|message|>DRAFT<|end|>",
    "<|channel>thought\nDRAFT",
    "analysisWe could say DRAFT but",
    "Thinking...\nDRAFT",
    "<think>I'd write <answer>DRAFT</answer> but",
    "Draft: DRAFT <reflection>too low</reflection>",
    "<think>" * 1000 + "DRAFT" + "</think>" * 999,
]


@pytest.mark.parametrize("reply", DRAFTS, ids=[reply[:40] for reply in DRAFTS])
def test_a_draft_is_never_the_answer(reply: str) -> None:
    with pytest.raises(AnswerError, match="only thoughts came"):
        sentiment(reply)


def test_two_answers_without_thoughts_stay_ambiguous() -> None:
    with pytest.raises(AnswerError, match="several"):
        sentiment("<answer>DRAFT</answer><answer>ANSWER</answer>")


@pytest.mark.parametrize("mark", ["<think>", "</think>", "<|channel|>analysis", "assistantfinal", "```thinking"])
def test_marks_in_what_an_answer_quotes_mean_nothing(mark: str) -> None:
    assert sentiment(json.dumps({"quote": f"lol {mark} {mark} ok", **GOOD})) == 0.5


def test_names_of_thoughts_are_told_by_what_they_mean() -> None:
    for name in ("think", "reasoning_content", "Reasoning-Steps", "inner_monologue", "redacted_thinking", "analysis"):
        assert is_of_thoughts(name), name
    for name in ("answer", "text", "dinner", "sentiment_analysis", "output_text", "explanation"):
        assert not is_of_thoughts(name), name


HOSTILE = {
    "open tags": "<think>" * 40_000,
    "other tags": "<think><reason>" * 20_000,
    "closed tags": "</think>" * 40_000,
    "open brackets": "<[{" * 100_000,
    "objects without end": '{"a":' * 60_000 + "<think>",
    "long objects without end": ('{"a":"' + "x" * 80 + '","b":') * 3_000 + "<think>",
    "blanks": " " * 300_000 + "<think>",
    "lines": "\n" * 300_000,
    "answers": "answer " * 40_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_long_reply_takes_no_long_time(what: str) -> None:
    began = time.process_time()
    without_thoughts(HOSTILE[what])
    assert time.process_time() - began < 5
