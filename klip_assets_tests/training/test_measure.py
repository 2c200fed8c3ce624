from __future__ import annotations

import numpy as np
import pyarrow as pa

from klip_assets.contracts import EMOTIONS, SENTIMENTS
from klip_assets.evaluation.bootstrap import draws, interval
from klip_assets.evaluation.metrics import macro_recall
from klip_assets.signals.text import lexicon
from klip_assets.training.measure import EMOTION_SET, SENTIMENT_SET, main_figures, measure

WORDS = ("awful", "table", "great")


def texts_of(source: str, *, count: int) -> list[dict[str, object]]:
    draw = np.random.default_rng(0)
    found: list[dict[str, object]] = []
    for number in range(count):
        # Every fourth text says something else than its label.
        label, said = number % 3, int(draw.integers(0, 3)) if number % 4 == 0 else number % 3
        flags = [place in (label, said) for place in range(len(EMOTIONS))]
        text = f"a {WORDS[said]} evening"
        found.append({"source": source, "text": text, "sentiment": label, "emotions": flags})
    return found


def test_intervals_are_those_of_the_bootstrap_that_all_figures_have() -> None:
    """Training drew resamples of its own: fewer, and others for each figure."""
    tweets, comments = texts_of(SENTIMENT_SET, count=90), texts_of(EMOTION_SET, count=90)
    figures = measure(pa.Table.from_pylist(tweets + comments), {}, pa.Table.from_pylist(tweets + comments))
    found = main_figures(figures)["vader"]["macro_recall"]
    labels = np.array([row["sentiment"] for row in tweets])
    readings = lexicon.read_texts([str(row["text"]) for row in tweets], "vader")
    guesses = np.array([SENTIMENTS.index(reading.label or "neutral") for reading in readings])
    low, high = interval(lambda at: 100 * macro_recall(labels[at], guesses[at]), draws(len(labels), 1))
    assert found.value == 100 * macro_recall(labels, guesses)
    assert (found.low, found.high) == (low, high) and low < found.value < high
