"""Mapping of model labels to Klip's vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from klip_assets.contracts import EMOTIONS
from klip_assets.errors import EngineUnavailableError

#: Sentiment label -> value on the scale, as in cardiffnlp/twitter-roberta-base-sentiment-latest, distilbert sst-2 and
#: others.
_POLARITY = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}

#: Models with numbered labels: (part of the name, meaning of LABEL_0, LABEL_1, ...), from their model cards.
_NUMBERED = (("twitter-roberta-base-sentiment", ("negative", "neutral", "positive")),)

#: j-hartmann/emotion-english-distilroberta-base (Ekman's six and neutral).
_EKMAN = frozenset({"anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise"})

#: Labels of GoEmotions (Demszky et al., 2020) besides Klip's nine: SamLowe/roberta-base-go_emotions has all 28.
_GOEMOTIONS = frozenset(EMOTIONS) | {
    "admiration", "annoyance", "approval", "caring", "confusion", "curiosity", "desire", "disappointment",
    "disapproval", "embarrassment", "gratitude", "grief", "love", "nervousness", "optimism", "pride", "realization",
    "relief", "remorse",
}  # fmt: skip


@dataclass(frozen=True)
class Meaning:
    """Meaning of the labels of one model.

    Attributes:
        sentiment: Index of a label -> value on the scale -1..1; empty for an emotion model.
        emotions: Emotion -> index of its label; empty for a sentiment model.
    """

    sentiment: Mapping[int, float]
    emotions: Mapping[str, int]


def meaning_of(name: str, labels: Sequence[str]) -> Meaning:
    """Return the meaning of the labels of a model.

    Args:
        name: The model's name.
        labels: Its labels, in order.

    Raises:
        EngineUnavailableError: They are unknown; names them.
    """
    plain = [label.strip().lower() for label in labels]
    for part, meaning in _NUMBERED:
        if part in name.lower() and plain == [f"label_{index}" for index in range(len(meaning))]:
            plain = list(meaning)
    found = set(plain)
    if len(found) == len(plain):
        if {"negative", "positive"} <= found <= set(_POLARITY):
            return Meaning({index: _POLARITY[label] for index, label in enumerate(plain)}, {})
        if found == _EKMAN or (found <= _GOEMOTIONS and found >= set(EMOTIONS)):
            return Meaning({}, {label: index for index, label in enumerate(plain) if label in EMOTIONS})
    raise EngineUnavailableError(
        f"the labels of {name} are not supported: {', '.join(labels[:30])}",
        hint="sentiment: negative, (neutral,) positive; emotions: those of GoEmotions, or anger, disgust, fear, joy, "
        "neutral, sadness, surprise",
    )
