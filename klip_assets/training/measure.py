"""Measuring text models: macro-recall of sentiment and macro-F1 of emotions, compared with baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from klip_assets.contracts import EMOTIONS, SENTIMENTS
from klip_assets.evaluation.bootstrap import Indices, draws, interval
from klip_assets.evaluation.figures import Figure
from klip_assets.evaluation.metrics import Labels, macro_recall
from klip_assets.signals.text import lexicon
from klip_assets.signals.text.bert.compact import CompactModel
from klip_assets.signals.text.bert.plain import plain

Flags = NDArray[np.bool_]

SENTIMENT_SET, EMOTION_SET = "tweeteval-sentiment-val", "goemotions-dev"

#: The metric of each task.
MAIN = ("macro_recall", "macro_f1")


def measure(measured: pa.Table, models: Mapping[str, CompactModel], rows: pa.Table) -> dict[str, list[Figure]]:
    """Measure compact models, both lexicons, and a linear model trained on the same texts.

    Args:
        measured: From `texts.measured_set`.
        models: Models by display name.
        rows: The training set, from `texts.training_set`.

    Returns:
        Figures by set, all 0..100: macro_recall on `SENTIMENT_SET`; macro_f1 and f1_<emotion> on `EMOTION_SET`. The
        macro figures have bootstrap intervals over texts.
    """
    tweets = measured.filter(pc.equal(measured["source"], SENTIMENT_SET))
    comments = measured.filter(pc.equal(measured["source"], EMOTION_SET))
    labels = np.array(tweets["sentiment"].to_pylist(), np.int64)
    flags = np.array(comments["emotions"].to_pylist(), bool)
    tweet_texts, comment_texts = tweets["text"].to_pylist(), comments["text"].to_pylist()
    guesses = {f"{name}": sentiment_of(model, tweet_texts) for name, model in models.items()}
    guesses |= {name: _lexicon_guesses(tweet_texts, name) for name in ("vader", "textblob")}
    found = {f"{name}": emotions_of(model, comment_texts) for name, model in models.items()}
    guesses["tf-idf + logistic regression"], found["tf-idf + logistic regression"] = _linear(
        rows, tweet_texts, comment_texts
    )
    figures: dict[str, list[Figure]] = {SENTIMENT_SET: [], EMOTION_SET: []}
    # The same resamples for every system, so that none gets easier texts.
    resamples = draws(len(labels), 1)
    for system, guess in guesses.items():
        low, high = interval(_on(_macro_recall_percent, labels, guess), resamples)
        value = _macro_recall_percent(labels, guess)
        figures[SENTIMENT_SET].append(Figure("macro_recall", system, value, low, high, len(labels)))
    resamples = draws(len(flags), 1)
    for system, there in found.items():
        low, high = interval(_on(macro_f1, flags, there), resamples)
        figures[EMOTION_SET].append(Figure("macro_f1", system, macro_f1(flags, there), low, high, len(flags)))
        figures[EMOTION_SET] += [
            Figure(f"f1_{name}", system, f1(flags[:, place], there[:, place]), None, None, len(flags))
            for place, name in enumerate(EMOTIONS)
        ]
    return figures


def sentiment_of(model: CompactModel, texts: Sequence[str]) -> Labels:
    """Return the most likely sentiment of each text, as an index into `SENTIMENTS`."""
    return np.asarray(model.read(texts).sentiment.argmax(axis=1), np.int64)


def emotions_of(model: CompactModel, texts: Sequence[str]) -> Flags:
    """Return which emotions the model predicts, shape (texts, 9)."""
    return np.asarray(model.read(texts).emotions >= 0.5)


def _macro_recall_percent(labels: Labels, guesses: Labels) -> float:
    return 100 * macro_recall(labels, guesses)


def macro_f1(flags: Flags, guesses: Flags) -> float:
    """Return the mean F1 of the emotions, in percent."""
    return float(np.mean([f1(flags[:, place], guesses[:, place]) for place in range(flags.shape[1])]))


def f1(flags: Flags, guesses: Flags) -> float:
    """Return the F1 of one emotion in percent, 0 if it neither occurs nor is predicted."""
    total = int(flags.sum() + guesses.sum())
    return 200 * float((flags & guesses).sum()) / total if total else 0.0


def _on(
    metric: Callable[[NDArray[Any], NDArray[Any]], float], truth: NDArray[Any], guesses: NDArray[Any]
) -> Callable[[Indices], float]:
    return lambda places: metric(truth[places], guesses[places])


def _lexicon_guesses(texts: Sequence[str], name: str) -> Labels:
    labels = [reading.label or "neutral" for reading in lexicon.read_texts(texts, name)]
    return np.array([SENTIMENTS.index(label) for label in labels], np.int64)


def _linear(rows: pa.Table, tweets: Sequence[str], comments: Sequence[str]) -> tuple[Labels, Flags]:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    texts = rows["text"].to_pylist()
    sentiments, emotions = rows["sentiment"].to_pylist(), rows["emotions"].to_pylist()
    with_sentiment = [place for place, label in enumerate(sentiments) if label is not None]
    with_emotions = [place for place, marked in enumerate(emotions) if marked is not None]
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True).fit(texts)
    # Balanced: macro metrics weight rare classes as much as the others.
    one = LogisticRegression(max_iter=300, class_weight="balanced")
    one.fit(words.transform([texts[at] for at in with_sentiment]), [sentiments[at] for at in with_sentiment])
    many = OneVsRestClassifier(LogisticRegression(max_iter=300, class_weight="balanced"))
    many.fit(words.transform([texts[at] for at in with_emotions]), np.array([emotions[at] for at in with_emotions]))
    guesses = np.asarray(one.predict(words.transform([plain(text) for text in tweets])), np.int64)
    return guesses, np.asarray(many.predict(words.transform([plain(text) for text in comments])), bool)


def main_figures(figures: Mapping[str, Sequence[Figure]]) -> dict[str, dict[str, Figure]]:
    """Return the main figure of each task: system -> macro_recall and macro_f1, where it has them."""
    found: dict[str, dict[str, Figure]] = {}
    for figure in [*figures[SENTIMENT_SET], *figures[EMOTION_SET]]:
        if figure.metric in MAIN:
            found.setdefault(figure.system, {})[figure.metric] = figure
    return found


def as_markdown(figures: Mapping[str, Sequence[Figure]]) -> str:
    """Return the two main figures of each system as a table."""
    lines = ["| system | tweet sentiment, macro-recall | emotions, macro-F1 |", "| --- | --- | --- |"]
    for system, found in main_figures(figures).items():
        cells = [
            f"{found[metric].value:.1f} ({found[metric].low:.1f} to {found[metric].high:.1f})"
            if metric in found
            else "-"
            for metric in MAIN
        ]
        lines.append(f"| {system} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)
