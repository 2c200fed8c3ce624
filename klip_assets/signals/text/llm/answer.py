"""Parsing of replies: numbers within their ranges, or an error. Never a default."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from klip_assets.contracts import EMOTIONS

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

#: Characters of a reply that are parsed; an answer has about 250, a model that thinks aloud some thousands.
MAX_CHARS = 100_000
_MAX_OBJECTS = 200
_THINKING, _THOUGHT = "<think>", "</think>"


class AnswerError(ValueError):
    """A reply without a valid answer; the message says what is wrong with it."""


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


def read_answer(text: str) -> _Answer:
    """Extract the answer from a reply.

    Prose and code fences around the JSON are ignored, as is any thinking aloud before it. If several different objects
    are valid answers, the reply is ambiguous and refused.

    Args:
        text: The reply.

    Raises:
        AnswerError: There is no answer, there are several, or a value is missing, out of range, or of another type.
    """
    objects = list(_objects(_without_thoughts(text[:MAX_CHARS])))
    if not objects:
        raise AnswerError("the reply holds no JSON object")
    valid: list[_Answer] = []
    problem = ""
    for found in objects:
        try:
            answer = Answer.model_validate(found)
        except ValidationError as error:
            problem = _sentence(error)
            continue
        if answer not in valid:
            valid.append(answer)
    if len(valid) > 1:
        raise AnswerError("the reply holds several answers that differ")
    if not valid:
        raise AnswerError(problem)
    return valid[0]


def _without_thoughts(text: str) -> str:
    # Not by a pattern: from each mark that is never closed, it would search to the end of the reply.
    parts, at = [], 0
    while (begin := text.find(_THINKING, at)) >= 0 and (end := text.find(_THOUGHT, begin)) >= 0:
        parts.append(text[at:begin])
        at = end + len(_THOUGHT)
    return "".join(parts) + text[at:]


def _objects(text: str) -> Iterator[Mapping[str, Any]]:
    # Each outermost JSON object, wherever it starts.
    decoder = json.JSONDecoder(parse_constant=_refuse)
    index = text.find("{")
    for _ in range(_MAX_OBJECTS):
        if index < 0:
            return
        try:
            found, end = decoder.raw_decode(text, index)
        except (ValueError, RecursionError):
            index = text.find("{", index + 1)
            continue
        yield found
        index = text.find("{", end)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not valid JSON")


def _sentence(error: ValidationError) -> str:
    parts = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}" for problem in error.errors()[:4]]
    more = error.error_count() - len(parts)
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")
