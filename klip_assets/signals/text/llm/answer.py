"""Parsing of replies: numbers within their ranges, or an error. Never a default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from klip_assets.contracts import EMOTIONS
from klip_assets.signals.text.llm.objects import json_objects
from klip_assets.signals.text.llm.response import Reply
from klip_assets.signals.text.llm.thoughts import Said, without_thoughts

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

#: Characters of a reply that are parsed after its thoughts; an answer has about 250.
MAX_CHARS = 100_000

_WRAPPER = re.compile(r"(?:final_|json_)?(?:answer|response|output|result|reply|labels?|json|final)", re.IGNORECASE)
_CLOSING = re.compile(r"</(?!answer|final|response|output|result)\w[\w:.-]{0,40}\s{0,9}>", re.IGNORECASE)


class AnswerError(ValueError):
    """A reply without a valid answer; the message says what is wrong with it."""


class RefusedError(AnswerError):
    """The model, or a filter of its endpoint, refuses to answer: asking again costs the same for nothing."""


class CutOffError(AnswerError):
    """A reply that ends because of the limit on its length.

    Attributes:
        is_thoughts: Whether thoughts filled most of it.
    """

    def __init__(self, limit: int, *, is_thoughts: bool) -> None:
        super().__init__(f"it was cut off after {limit} tokens{', most of them thoughts' if is_thoughts else ''}")
        self.is_thoughts = is_thoughts


class _Answer(BaseModel):
    # Strict: "0.7 (positive)" and true are not numbers.
    model_config = ConfigDict(strict=True, extra="ignore")

    sentiment: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
    highlight_score: Share

    @property
    def emotions(self) -> dict[str, float]:
        """Scores by emotion."""
        return {name: getattr(self, name) for name in EMOTIONS}


#: An answer: sentiment -1..1, highlight_score and each of the nine emotions 0..1.
Answer = create_model("Answer", __base__=_Answer, **dict.fromkeys(EMOTIONS, (Share, ...)))  # type: ignore[call-overload]


def json_schema() -> dict[str, Any]:
    """Return the schema of an answer for `response_format` (strict: every field required, no others)."""
    lowest = dict.fromkeys(["sentiment", *EMOTIONS, "highlight_score"], 0) | {"sentiment": -1}
    return {
        "type": "object",
        "properties": {name: {"type": "number", "minimum": low, "maximum": 1} for name, low in lowest.items()},
        "required": list(lowest),
        "additionalProperties": False,
    }


def read_reply(reply: Reply, limit: int) -> _Answer:
    """Return the answer in a reply.

    Prose and code fences around the JSON are ignored, as is any thinking aloud before it. If several different objects
    are valid answers, the reply is ambiguous and refused.

    Args:
        reply: The reply.
        limit: Most tokens that were asked for.

    Raises:
        CutOffError: It was cut off before a whole answer.
        RefusedError: The model refuses to answer.
        AnswerError: There is no answer, there are several, or a value is missing, out of range, or of another type.
    """
    if reply.refusal:
        raise RefusedError(reply.refusal)
    said = without_thoughts(reply.text)
    is_silent = not said.text.strip()
    received = reply.used.completion_tokens or 0 if reply.used else 0
    thought_chars = reply.thought_chars + said.thought_chars
    if reply.cut_off and not said.never_ends and (answer := _before_the_cut(said)):
        return answer
    if reply.cut_off or (is_silent and thought_chars and received >= limit):
        thought_tokens = reply.used.thought_tokens if reply.used else 0
        is_thoughts = 2 * thought_chars > reply.thought_chars + len(reply.text) or 2 * thought_tokens > received > 0
        raise CutOffError(limit, is_thoughts=is_thoughts)
    if reply.lacks:
        raise AnswerError(reply.lacks)
    if is_silent and reply.thought_chars:
        raise AnswerError("only thoughts came, no answer")
    return _answer(said)


def _answer(said: Said) -> _Answer:
    if said.never_ends:
        raise AnswerError("only thoughts came, and they never end")
    text = said.text[:MAX_CHARS]
    if said.thought_chars and not text.strip():
        raise AnswerError("only thoughts came, no answer after them")
    valid: dict[int, _Answer] = {}
    problem = "the reply holds no JSON object"
    for found in json_objects(text):
        try:
            valid[found.start] = Answer.model_validate(_unwrapped(found.value))
        except ValidationError as error:
            problem = _sentence(error)
    if not valid:
        raise AnswerError(problem)
    if _differ(valid.values()):
        # A draft between tags of any name, then the answer.
        ends = [match.end() for match in _CLOSING.finditer(text) if match.end() <= max(valid)]
        valid = {start: answer for start, answer in valid.items() if start >= max(ends, default=0)}
    if _differ(valid.values()):
        raise AnswerError("the reply holds several answers that differ")
    return next(iter(valid.values()))


def _before_the_cut(said: Said) -> _Answer | None:
    # The answer of a reply that was cut off after it; another may have begun before the cut.
    last = max((found.end for found in json_objects(said.text)), default=0)
    if not last or "{" in said.text[last:]:
        return None
    try:
        return _answer(said)
    except AnswerError:
        return None


def _unwrapped(found: Mapping[str, Any]) -> Mapping[str, Any]:
    # {"answer": {...}}, perhaps beside other fields.
    inner = [value for name, value in found.items() if isinstance(value, Mapping) and _WRAPPER.fullmatch(name)]
    return inner[0] if len(inner) == 1 and "sentiment" not in found else found


def _differ(answers: Iterable[_Answer]) -> bool:
    first, *others = answers
    return any(other != first for other in others)


def _sentence(error: ValidationError) -> str:
    parts = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}" for problem in error.errors()[:4]]
    more = error.error_count() - len(parts)
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
