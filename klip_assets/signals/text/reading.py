"""Result of a tier for one text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: VADER's published bounds: compound scores inside are neutral (Hutto and Gilbert, 2014).
NEUTRAL_BAND = 0.05


@dataclass(frozen=True)
class Reading:
    """One row produced by a model.

    Attributes:
        tier: Tier that answered; None if none did.
        model: Model or library with its version.
        status: ok, repaired, fallback, skipped or failed.
        sentiment: -1..1, None where failed or skipped.
        emotions: Scores by emotion; an emotion the tier can't tell is absent.
        highlight_score: How worth watching the model finds it, None where not requested.
        error: Why the status is not ok.
        prompt_version: Version of the prompt, None for tiers without one.
        model_label: positive, neutral or negative, where the model itself chooses one.
        confidence: The probability of that label, 0..1.
        input_sha256: Hash of everything the model was given.
    """

    status: str
    input_sha256: str
    tier: str | None = None
    model: str | None = None
    sentiment: float | None = None
    emotions: Mapping[str, float] = field(default_factory=dict)
    highlight_score: float | None = None
    error: str | None = None
    prompt_version: str | None = None
    model_label: str | None = None
    confidence: float | None = None

    @property
    def label(self) -> str | None:
        """positive, neutral or negative: the model's label, else by sentiment; None where there is neither."""
        if self.model_label is not None or self.sentiment is None:
            return self.model_label
        if abs(self.sentiment) < NEUTRAL_BAND:
            return "neutral"
        return "positive" if self.sentiment > 0 else "negative"

    def columns(self) -> dict[str, Any]:
        """Return the columns shared by all tables of model results."""
        return {
            "sentiment": self.sentiment,
            **self.emotions,
            "tier": self.tier,
            "model": self.model,
            "status": self.status,
            "error": self.error,
            "input_sha256": self.input_sha256,
        }


def input_hash(tier: str, model: str, text: str) -> str:
    """Hash the whole input of a tier without a prompt."""
    return hashlib.sha256(json.dumps([tier, model, text]).encode()).hexdigest()
