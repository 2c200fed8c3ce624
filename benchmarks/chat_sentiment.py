"""Quality and speed of chat sentiment, compared with VADER and TextBlob.

The labelled messages are those of Kobs et al., Emote-Controlled (2020), github.com/konstantinkobs/emote-controlled: 902
from Twitch, each labelled -1, 0 or 1 by three people. They are for non-commercial use and not in this repository:

    python benchmarks/chat_sentiment.py [--data ../shared/data/chat-emote-controlled]

(or set KLIP_GOLDEN_DIR to the folder or its parent). Scores at or above the threshold are positive, at or below minus
the threshold negative. VADER's authors recommend .05; the other thresholds show how much depends on it.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from record import keep, table

from klip_assets.signals.chat.sentiment import FEELING_FROM, message_scores

REPOSITORY = Path(__file__).resolve().parents[1]
LABELLED = Path("data", "labeled_dataset.csv")
THRESHOLDS = (FEELING_FROM, 0.1, 0.2, 0.3)
RESAMPLES = 2_000

Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


def main() -> None:
    """Print macro-F1 of each system with its interval, and how fast Klip is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    texts, truth = labelled(parser.parse_args().data)
    print(f"{len(truth)} messages: {[int(np.sum(truth == label)) for label in (-1, 0, 1)]} of -1, 0, 1\n")
    rows = []
    for name, score in SYSTEMS.items():
        scores = score(texts)
        low, high = interval(truth, scores)
        each = f1_of_each(truth, labels_of(scores, FEELING_FROM))
        rows.append(
            {
                "system": name,
                **{f"macro-F1 at {at}": round(macro_f1(truth, scores, at), 3) for at in THRESHOLDS},
                f"95 % at {FEELING_FROM}": f"{low:.3f} to {high:.3f}",
                f"F1 of -1, 0, 1 at {FEELING_FROM}": " ".join(f"{value:.3f}" for value in each),
            }
        )
    table(rows)
    rates = speed(texts)
    print("\n" + "; ".join(f"{what}: {rate:,.0f} messages per second" for what, rate in rates.items()))
    keep("chat_sentiment", systems=rows, messages=len(truth), messages_a_second=rates)


def labelled(data: Path | None) -> tuple[list[str], Labels]:
    """Return the messages and their labels."""
    golden = os.environ.get("KLIP_GOLDEN_DIR")
    roots = [data] if data else [Path(golden)] if golden else [REPOSITORY.parent / "shared" / "data"]
    files = [folder / LABELLED for root in roots for folder in (root, root / "chat-emote-controlled")]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        raise SystemExit(f"no {LABELLED} in {', '.join(map(str, roots))}; give the folder with --data")
    with found.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["message"] for row in rows], np.array([int(row["sentiment"]) for row in rows])


def with_vader(texts: list[str]) -> Scores:
    """Score with unmodified VADER."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return np.array([analyzer.polarity_scores(text)["compound"] for text in texts])


def with_textblob(texts: list[str]) -> Scores:
    """Score with TextBlob."""
    from textblob import TextBlob

    return np.array([TextBlob(text).sentiment.polarity for text in texts])


def with_klip(texts: list[str]) -> Scores:
    """Score with Klip; blank messages have no score and count as neutral."""
    return np.array([0.0 if score is None else score for score in message_scores(texts)])


SYSTEMS: dict[str, Callable[[list[str]], Scores]] = {"VADER": with_vader, "TextBlob": with_textblob, "Klip": with_klip}


def labels_of(scores: Scores, threshold: float) -> Labels:
    """Return -1, 0 or 1 for each score."""
    return np.where(scores >= threshold, 1, np.where(scores <= -threshold, -1, 0))


def f1_of_each(truth: Labels, found: Labels) -> list[float]:
    """Return the F1 of -1, 0 and 1."""
    hits = [np.sum((truth == label) & (found == label)) for label in (-1, 0, 1)]
    sums = [np.sum(truth == label) + np.sum(found == label) for label in (-1, 0, 1)]
    return [float(2 * hit / total) if total else 0.0 for hit, total in zip(hits, sums, strict=True)]


def macro_f1(truth: Labels, scores: Scores, threshold: float) -> float:
    """Return the mean F1 of the three labels."""
    return float(np.mean(f1_of_each(truth, labels_of(scores, threshold))))


def interval(truth: Labels, scores: Scores) -> tuple[float, float]:
    """Return the middle 95 % of macro-F1 over resamples of the messages."""
    chance = np.random.default_rng(0)
    draws = (chance.integers(0, len(truth), len(truth)) for _ in range(RESAMPLES))
    values = [macro_f1(truth[draw], scores[draw], FEELING_FROM) for draw in draws]
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def speed(texts: list[str]) -> dict[str, float]:
    """Return messages per second of CPU time: all different, and with the repetition of a chat."""
    different = [f"{text} {turn}" for turn in range(20) for text in texts]
    order = np.random.default_rng(0).integers(0, 2_000, 500_000)
    repeated = [different[at] for at in order]
    rates = {}
    for what, messages in (("no message twice", different), ("500,000 of 2,000 different ones", repeated)):
        began = time.process_time()
        message_scores(messages)
        rates[what] = len(messages) / (time.process_time() - began)
    return rates


if __name__ == "__main__":
    main()
