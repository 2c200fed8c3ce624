"""How a chat message sounds.

Put here: the lexicon's score of single messages. Keep out: sums over seconds (`chat.activity`), and the model tiers
for speech and tweets (`klip_assets.sentiment`).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any


@cache
def _analyzer() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def vader_scores(texts: Iterable[str | None]) -> list[float | None]:
    """Return VADER's compound score of each text, -1 to 1; NULL for NULL and for what is blank.

    Chats repeat themselves: each distinct text is scored once.
    """
    known: dict[str, float | None] = {}
    scores: list[float | None] = []
    for text in texts:
        if text is None:
            scores.append(None)
            continue
        if text not in known:
            known[text] = float(_analyzer().polarity_scores(text)["compound"]) if text.strip() else None
        scores.append(known[text])
    return scores
