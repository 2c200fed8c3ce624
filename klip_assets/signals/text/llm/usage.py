"""What requests used, as endpoints report it, and what they are booked at.

Whatever an endpoint reports is booked, whether the reply could be used or not. What it doesn't report, or can't be
true, is booked at the most it can be; a request without a response at an estimate, and the call's row says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klip_assets.signals.text.llm.models import Model
from klip_assets.signals.text.llm.prompt import Message
from klip_assets.store.state.ledger import Call, max_tokens

#: Tokens from which on a count is not believed; no model has a larger context.
ABSURD_TOKENS = 10_000_000

# Names by OpenAI (https://platform.openai.com/docs/api-reference/chat/object), Anthropic, Google and Ollama.
_PROMPT = ("prompt_tokens", "input_tokens", "promptTokenCount", "prompt_eval_count", "inputTokens")
_COMPLETION = ("completion_tokens", "output_tokens", "candidatesTokenCount", "eval_count", "outputTokens")
_TOTAL = ("total_tokens", "totalTokenCount", "totalTokens")
_THOUGHTS = ("reasoning_tokens", "thoughtsTokenCount", "thinking_tokens")
_DETAILS = ("completion_tokens_details", "output_tokens_details")
# Anthropic counts these beside input_tokens.
_CACHE = ("cache_creation_input_tokens", "cache_read_input_tokens")
_PLACES = ("usage", "usageMetadata", "usage_metadata", "x_groq")

_USAGE = re.compile(r'"usage"\s*:\s*(?=\{)')

# Places looked at in a text that is not JSON; an event stream may have one in each chunk.
_MOST_USAGES = 50

# Characters (or bytes) in a token from which on a count is not believed: text has about four, blanks have some dozens.
_MOST_PER_TOKEN = 40

# For estimates: bytes of English text in a token, and tokens of a request besides its text.
_BYTES_PER_TOKEN, _OVERHEAD_TOKENS = 4, 150
# A quarter of the limit: 100 tokens by default, which is the length of an answer.
_LIKELY_SHARE = 4


@dataclass(frozen=True)
class Usage:
    """Tokens of one request; None where they are not reported, or not credibly.

    Attributes:
        prompt_tokens: Those sent.
        completion_tokens: Those received, thoughts included.
        thought_tokens: The thoughts among them, as far as they are reported.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    thought_tokens: int = 0


def read_usage(found: object) -> Usage | None:
    """Read the object `usage` of a response; None if it holds no credible count.

    Thoughts are paid for, but not every endpoint counts them in `completion_tokens`: where the total is larger than the
    sum of both, or there is none and there are more thoughts than tokens received, they come on top.
    """
    if not isinstance(found, Mapping):
        return None
    prompt, completion, total = _first(found, _PROMPT), _first(found, _COMPLETION), _first(found, _TOTAL)
    details = [found, *(found[name] for name in _DETAILS if isinstance(found.get(name), Mapping))]
    thoughts = max((_first(place, _THOUGHTS) or 0 for place in details), default=0)
    if prompt is None and completion is None and total is None:
        return None
    if prompt is not None and "input_tokens" in found and "prompt_tokens" not in found:
        prompt += sum(_count(found.get(name)) or 0 for name in _CACHE)
    if total is not None and not prompt and completion is not None:
        prompt = max(0, total - completion)
    if completion is not None and thoughts > completion:
        completion = thoughts if total is not None else completion + thoughts
    if total is not None and total > (prompt or 0) + (completion or 0):
        completion = total - (prompt or 0)
    return Usage(prompt, completion, thoughts)


def usage_of(response: object) -> Usage | None:
    """Return the usage that a response (or a chunk of one, or the body of an error) reports, wherever it stands."""
    if not isinstance(response, Mapping):
        return None
    places: list[Mapping[str, Any]] = [response]
    choices = response.get("choices")
    inner = [response.get("error"), response.get("x_groq"), *(choices[:1] if isinstance(choices, list) else ())]
    places += [place for place in inner if isinstance(place, Mapping)]
    for place in places:
        for name in _PLACES:
            if (used := read_usage(place.get(name))) is not None:
                return used
    return read_usage(response)


def usage_in_body(content: bytes) -> Usage | None:
    """Return the usage that the body of an error reports."""
    try:
        return usage_of(json.loads(content))
    except (ValueError, RecursionError):
        return usage_in(content.decode("utf-8", "replace"))


def usage_in(text: str) -> Usage | None:
    """Return the last usage reported in a text that is not JSON as a whole."""
    used = None
    for match in [*_USAGE.finditer(text)][-_MOST_USAGES:]:
        try:
            found, _ = json.JSONDecoder().raw_decode(text, match.end())
        except (ValueError, RecursionError):
            continue
        used = read_usage(found) or used
    return used


@dataclass
class Beyond:
    """What a model has taken beyond what was asked for, and may take again.

    Attributes:
        prompt_tokens: Most tokens sent beyond those that the messages can have.
        completion_tokens: Most tokens received where they were more than asked for, else 0.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Bill:
    """What one call costs, request by request.

    Args:
        call: Its row of the ledger.
        model: The model, with its prices.
    """

    def __init__(self, call: Call, model: Model) -> None:
        self.call, self._model = call, model
        self._without_response = self._without_usage = 0

    def most_usd(self, messages: Sequence[Message], limit: int, beyond: Beyond) -> float | None:
        """Return the most that a request can cost, None where prices are unknown.

        Args:
            messages: What is sent.
            limit: Most tokens of an answer that are asked for.
            beyond: What the model took beyond what earlier requests asked for.
        """
        return self._model.cost_usd(max_tokens(messages) + beyond.prompt_tokens, max(limit, beyond.completion_tokens))

    def book(
        self, used: Usage | None, messages: Sequence[Message], limit: int, *, received: int, beyond: Beyond
    ) -> None:
        """Book a request with a response.

        Args:
            used: What the response reports.
            messages: What was sent.
            limit: Most tokens of an answer that were asked for.
            received: Characters of text and thoughts in the response, which can't have taken no tokens, or few.
            beyond: What the model takes beyond what it is asked for; changed in place.
        """
        used = used or Usage()
        prompt, completion = used.prompt_tokens, used.completion_tokens
        most = max_tokens(messages)
        if not prompt or prompt < _sent(messages) // _MOST_PER_TOKEN:
            prompt = None
        if completion is not None and completion < -(-received // _MOST_PER_TOKEN):
            completion = None
        beyond.prompt_tokens = max(beyond.prompt_tokens, (prompt or 0) - most)
        if completion is not None and completion > limit:
            beyond.completion_tokens = max(beyond.completion_tokens, completion)
        likely = max(limit, received // _BYTES_PER_TOKEN, beyond.completion_tokens)
        cost = self._model.cost_usd(
            most + beyond.prompt_tokens if prompt is None else prompt, likely if completion is None else completion
        )
        self._without_usage += prompt is None or completion is None
        self.call.add(prompt, completion, cost)

    def book_estimate(self, messages: Sequence[Message], limit: int) -> None:
        """Book a request that was sent and got no response: what it was about, and an answer of usual length."""
        prompt = min(_sent(messages) // _BYTES_PER_TOKEN + _OVERHEAD_TOKENS, max_tokens(messages))
        self._without_response += 1
        self.call.add(None, None, self._model.cost_usd(prompt, limit // _LIKELY_SHARE))

    @property
    def note(self) -> str | None:
        """What of the cost is an estimate, None if nothing is or the cost is unknown."""
        if self.call.cost_usd is None:
            return None
        parts = []
        if self._without_response:
            parts.append(f"{_requests(self._without_response)} without a response at an estimate")
        if self._without_usage:
            parts.append(f"{_requests(self._without_usage)} without a credible usage at the most it can be")
        return f"booked {' and '.join(parts)}" if parts else None


def _sent(messages: Sequence[Message]) -> int:
    return sum(len(message["content"].encode()) for message in messages)


def _requests(number: int) -> str:
    return "1 request" if number == 1 else f"{number} requests"


def _first(found: Mapping[str, Any], names: Sequence[str]) -> int | None:
    return next((count for name in names if (count := _count(found.get(name))) is not None), None)


def _count(value: object) -> int | None:
    # Only numbers: an endpoint that writes "100" may as well write anything else.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < ABSURD_TOKENS:
        return None
    return int(value) + (value > int(value))
