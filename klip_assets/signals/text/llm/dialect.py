"""How a model is asked: the parameters of a request that it accepts, and how long its answer may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from klip_assets.signals.text.llm.answer import json_schema

TEMPERATURE, SEED = 0, 7

# The limit in the key of a question. A whole answer is the same under any limit, and data folders hold answers of this.
_KEY_TOKENS = 400

_MODES = ("json_schema", "json_object", "text")


@dataclass(frozen=True)
class AnswerTokens:
    """Most tokens of an answer, thoughts included.

    Attributes:
        usual: The limit.
        retry: The limit for the one further request after an answer was cut off.
    """

    usual: int = 400
    retry: int = 1600


@dataclass(frozen=True)
class Dialect:
    """Request parameters that a model accepts, determined once.

    Attributes:
        mode: How the answer is constrained: json_schema, json_object, or text (by the prompt alone).
        token_limit: Name of the endpoint's parameter for the maximum answer length; None if it has none.
        has_temperature: Whether it accepts a temperature.
        has_seed: Whether it accepts a seed.
        needs_room: Whether its thoughts need the limit for retries from the start.
    """

    mode: str = _MODES[0]
    token_limit: str | None = "max_tokens"
    has_temperature: bool = True
    has_seed: bool = True
    needs_room: bool = False

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Dialect:
        """Return a stored dialect; fields written by a newer version are ignored."""
        return cls(**{name: value for name, value in known.items() if name in cls.__dataclass_fields__})

    def parameters(self, answer_tokens: int = _KEY_TOKENS) -> dict[str, Any]:
        """Return the fields of a request besides model and messages.

        Args:
            answer_tokens: The limit of the answer; by default the one in the key of a question.
        """
        found: dict[str, Any] = {}
        if self.has_temperature:
            found["temperature"] = TEMPERATURE
        if self.has_seed:
            found["seed"] = SEED
        if self.token_limit:
            found[self.token_limit] = answer_tokens
        if self.mode == "json_schema":
            schema = {"name": "label", "strict": True, "schema": json_schema()}
            found["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.mode == "json_object":
            found["response_format"] = {"type": "json_object"}
        return found

    def simpler(self, complaint: str) -> Dialect | None:
        """Return the next dialect to try after a request was refused with a complaint; None if there is none."""
        if self.token_limit == "max_tokens" and "max_tokens" in complaint:
            return replace(self, token_limit="max_completion_tokens")
        if self.token_limit and self.token_limit in complaint:
            return replace(self, token_limit=None)
        if self.has_temperature and "temperature" in complaint:
            return replace(self, has_temperature=False)
        if self.has_seed and "seed" in complaint:
            return replace(self, has_seed=False)
        index = _MODES.index(self.mode) + 1
        return replace(self, mode=_MODES[index]) if index < len(_MODES) else None
