"""What the labels of well-known models mean in Klip's vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from klip_assets.contracts import EMOTIONS
from klip_assets.errors import EngineUnavailableError

#: Labels of sentiment -> place on the scale. Of cardiffnlp/twitter-roberta-base-sentiment-latest, distilbert sst-2 and
#: whoever else names them so.
_POLARITY = {"negative": -1.0, "neutral": 0.0, "positive": 1.0}

#: Models whose labels are numbered: (part of the name, meaning of LABEL_0, LABEL_1, ...), from their model cards.
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
    """What the labels of one model mean.

    Attributes:
        sentiment: Place of a label -> place on the scale -1..1; empty for a model of emotions.
        emotions: Emotion -> place of its label; empty for a model of sentiment.
    """

    sentiment: Mapping[int, float]
    emotions: Mapping[str, int]


def meaning_of(name: str, labels: Sequence[str]) -> Meaning:
    """Say what the labels of a model mean.

    Args:
        name: The model's name.
        labels: Its labels, in order.

    Raises:
        EngineUnavailableError: Nobody declared what they mean; names them.
    """
    plain = [label.strip().lower() for label in labels]
    for part, meaning in _NUMBERED:
        if part in name.lower() and plain == [f"label_{place}" for place in range(len(meaning))]:
            plain = list(meaning)
    found = set(plain)
    if len(found) == len(plain):
        if {"negative", "positive"} <= found <= set(_POLARITY):
            return Meaning({place: _POLARITY[label] for place, label in enumerate(plain)}, {})
        if found == _EKMAN or (found <= _GOEMOTIONS and found >= set(EMOTIONS)):
            return Meaning({}, {label: place for place, label in enumerate(plain) if label in EMOTIONS})
    raise EngineUnavailableError(
        f"the labels of {name} mean nothing to Klip: {', '.join(labels[:30])}",
        hint="sentiment: negative, (neutral,) positive; emotions: those of GoEmotions, or anger, disgust, fear, joy, "
        "neutral, sadness, surprise",
    )
