"""Measuring tiers on the sentiment of labelled tweets.

The metric is that of TweetEval and SemEval-2017 task 4 A: the mean recall of positive, neutral and negative. A tweet
that a tier does not read counts as wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from klip_assets.contracts import SENTIMENTS
from klip_assets.evaluation.bootstrap import Indices, differences, draws, interval
from klip_assets.evaluation.figures import Figure
from klip_assets.evaluation.metrics import Labels, macro_recall
from klip_assets.settings import Settings
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.language import language_of
from klip_assets.signals.text.lexicon import TIER as LEXICON
from klip_assets.signals.text.llm.prompt import TWEET
from klip_assets.signals.text.tiers import Chain, LexiconTier, Tier, build_chain

#: Label of a text that was not read.
UNREAD = -1
MACRO_RECALL, READ = "macro-recall", "share read"


@dataclass(frozen=True)
class TweetSet:
    """Tweets with labels given by people.

    Attributes:
        name: Name of the set.
        texts: The tweets.
        labels: Index into negative, neutral, positive.
    """

    name: str
    texts: tuple[str, ...]
    labels: Labels


def tiers_of(settings: Settings, *, with_llm: bool) -> list[Tier]:
    """Return what can be measured: the configured models, and both lexicons.

    Args:
        settings: Settings of the installation.
        with_llm: Whether to include a configured language model, which costs money.
    """
    names = [name for name in ("llm", "bert") if name == "bert" or with_llm]
    tiers = build_chain(names, settings, prompt_version=TWEET).tiers
    return [*tiers, LexiconTier("vader"), LexiconTier("textblob")]


def tweet_figures(golden: TweetSet, tiers: Sequence[Tier]) -> list[Figure]:
    """Measure tiers on a set, each separately, in the way they read the tweets of a day.

    Returns:
        Macro-recall and the recall of each label (0..1), with 95 % intervals from 1,000 resamples of tweets, the share
        that was read, and the differences in macro-recall between the first tier and the others on the same resamples.
    """
    items = [Item(text, language=language_of(text, None)) for text in golden.texts]
    guesses = {_name(tier): _labels(tier, items) for tier in tiers}
    resamples = draws(len(items), 1)
    found: list[Figure] = []
    for metric, measure in _METRICS.items():
        for name, guess in guesses.items():
            low, high = interval(_on(measure, golden.labels, guess), resamples)
            found.append(Figure(metric, name, measure(golden.labels, guess), low, high, _cases(metric, golden.labels)))
    on = {name: _on(_METRICS[MACRO_RECALL], golden.labels, guess) for name, guess in guesses.items()}
    first = _name(tiers[0])
    everything = np.arange(len(items))
    for name, (low, high) in differences(on, first, resamples).items():
        value = on[first](everything) - on[name](everything)
        found.append(Figure(MACRO_RECALL, f"{first} - {name}", value, low, high, len(items)))
    return found


def _name(tier: Tier) -> str:
    return tier.reader if tier.name == LEXICON else f"{tier.name}: {tier.reader}"


def _labels(tier: Tier, items: Sequence[Item]) -> Labels:
    readings = Chain([tier], []).read(items)
    return np.array([SENTIMENTS.index(r.label) if r.label in SENTIMENTS else UNREAD for r in readings], np.int64)


def _on(measure: Callable[[Labels, Labels], float], labels: Labels, guess: Labels) -> Callable[[Indices], float]:
    return lambda places: measure(labels[places], guess[places])


def _cases(metric: str, labels: Labels) -> int:
    of = [place for place, name in enumerate(SENTIMENTS) if metric == f"recall of {name}"]
    return int((labels == of[0]).sum()) if of else len(labels)


def _recall(label: int) -> Callable[[Labels, Labels], float]:
    return lambda labels, guess: float(np.mean(guess[labels == label] == label)) if (labels == label).any() else np.nan


_METRICS: dict[str, Callable[[Labels, Labels], float]] = {
    MACRO_RECALL: macro_recall,
    **{f"recall of {name}": _recall(place) for place, name in enumerate(SENTIMENTS)},
    READ: lambda labels, guess: float(np.mean(guess != UNREAD)),
}
