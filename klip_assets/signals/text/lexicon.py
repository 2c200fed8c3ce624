"""The lexicon tier: VADER or TextBlob. Fast, offline, sentiment only: it can't tell emotions, so they stay NULL."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version

from klip_assets.signals.text.item import Item, own_words
from klip_assets.signals.text.known import NOTHING_KNOWN, Known, read_once
from klip_assets.signals.text.reading import Reading, input_hash

TIER = "lexicon"

#: Both lexica hold English words.
LANGUAGES = frozenset({"en"})

#: Characters of a text that are read: VADER's time grows with the square of the emoji in it (25,000 would be minutes).
#: A tweet has 280; of a longer text, its beginning stands for the whole.
MAX_CHARS = 2_000


def model_name(lexicon: str) -> str:
    """Name a lexicon with the version of its library."""
    package = {"vader": "vaderSentiment", "textblob": "textblob"}[lexicon]
    return f"{lexicon}-{version(package)}"


def read_texts(texts: Sequence[str], lexicon: str = "vader", known: Known = NOTHING_KNOWN) -> list[Reading]:
    """Score texts. Links and mentions count as no words: "@best_airline" is a name, not praise.

    Args:
        texts: The texts; one without a letter (for VADER: or an emoji) is skipped, not called neutral. Of long ones,
            the first 2,000 characters are read.
        lexicon: vader or textblob.
        known: What was read before.

    Returns:
        One reading a text. A text the library fails on is `failed` with NULL scores.
    """
    name = model_name(lexicon)

    def read(fresh: Sequence[str]) -> list[Reading]:
        score = _scorer(lexicon)
        return [_read(text, name, score) for text in fresh]

    return read_once(texts, lambda text: input_hash(TIER, name, text), known, read)


def _read(text: str, name: str, score: Callable[[str], float]) -> Reading:
    digest = input_hash(TIER, name, text)
    # VADER knows emoji, TextBlob does not: for it they would all be neutral.
    words = own_words(text)
    if Item(text).is_empty if name.startswith("vader") else not any(map(str.isalpha, words)):
        return Reading("skipped", digest, error="no words to read")
    try:
        sentiment = score(words if len(words) <= MAX_CHARS else words[:MAX_CHARS])
    except Exception as error:  # noqa: BLE001 (recorded in the row: one text never stops the rest)
        return Reading("failed", digest, TIER, name, error=f"{type(error).__name__}: {error}")
    if not math.isfinite(sentiment):
        return Reading("failed", digest, TIER, name, error=f"{name} answered {sentiment}")
    return Reading("ok", digest, TIER, name, sentiment=min(1.0, max(-1.0, sentiment)))


@cache
def _scorer(lexicon: str) -> Callable[[str], float]:
    if lexicon == "textblob":
        from textblob import TextBlob

        return lambda text: float(TextBlob(text).sentiment.polarity)
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return lambda text: float(analyzer.polarity_scores(text)["compound"])
