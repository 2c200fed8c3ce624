"""The lexicon tier: VADER or TextBlob. Fast, offline, sentiment only: emotions stay NULL."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version

from klip_assets.signals.text.item import Item, own_words
from klip_assets.signals.text.known import NOTHING_KNOWN, Known, read_once
from klip_assets.signals.text.reading import Reading, input_hash

TIER = "lexicon"

#: Both lexicons are English.
LANGUAGES = frozenset({"en"})

#: Characters read per text: VADER's time grows with the square of the emoji (minutes for 25,000). A tweet has 280; of
#: longer texts only the beginning is read.
MAX_CHARS = 2_000


def model_name(lexicon: str) -> str:
    """Return the name of a lexicon with the version of its library."""
    package = {"vader": "vaderSentiment", "textblob": "textblob"}[lexicon]
    return f"{lexicon}-{version(package)}"


def read_texts(texts: Sequence[str], lexicon: str = "vader", known: Known = NOTHING_KNOWN) -> list[Reading]:
    """Score texts. Links and mentions do not count as words: "@best_airline" is a name, not praise.

    Args:
        texts: The texts; one without a letter (or, for VADER, an emoji) is skipped, not called neutral. Of long ones,
            the first 2,000 characters are read.
        lexicon: vader or textblob.
        known: Earlier readings.

    Returns:
        One reading per text. A text the library fails on is `failed` with NULL scores.
    """
    name = model_name(lexicon)

    def read(fresh: Sequence[str]) -> list[Reading]:
        score = _scorer(lexicon)
        return [_read(text, name, score) for text in fresh]

    return read_once(texts, lambda text: input_hash(TIER, name, text), known, read)


def _read(text: str, name: str, score: Callable[[str], float]) -> Reading:
    digest = input_hash(TIER, name, text)
    # VADER scores emoji; TextBlob would call them all neutral.
    words = own_words(text)
    if Item(text).is_empty if name.startswith("vader") else not any(map(str.isalpha, words)):
        return Reading("skipped", digest, error="no words to read")
    try:
        sentiment = score(words if len(words) <= MAX_CHARS else words[:MAX_CHARS])
    except Exception as error:  # noqa: BLE001 (recorded in the row: one text must not stop the rest)
        return Reading("failed", digest, TIER, name, error=f"{type(error).__name__}: {error}")
    if not math.isfinite(sentiment):
        return Reading("failed", digest, TIER, name, error=f"{name} returned {sentiment}")
    return Reading("ok", digest, TIER, name, sentiment=min(1.0, max(-1.0, sentiment)))


@cache
def _scorer(lexicon: str) -> Callable[[str], float]:
    if lexicon == "textblob":
        from textblob import TextBlob

        return lambda text: float(TextBlob(text).sentiment.polarity)
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return lambda text: float(analyzer.polarity_scores(text)["compound"])
