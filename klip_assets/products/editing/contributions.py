"""Contribution of each term to the score of a highlight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from klip_assets.products.highlights.weights import MODEL


@dataclass(frozen=True)
class Contribution:
    """One term of a score.

    Attributes:
        term: Its column.
        value: 0..1; None if it was not used for this video.
        weight: Its weight in the set.
        share: weight x value / the sum of the weights of the terms used; the shares add up to base_score.
    """

    term: str
    value: float | None
    weight: float
    share: float | None


def contributions(highlight: Mapping[str, Any], weights: Mapping[str, float]) -> list[Contribution]:
    """Break down the base score of a highlight, the largest share first, terms without a value last.

    Args:
        highlight: The row of `highlights`.
        weights: Weight by term, of the highlight's weights_version; `model_score` is not part of the base score.
    """
    terms = {term: weight for term, weight in weights.items() if term != MODEL}
    total = sum(weight for term, weight in terms.items() if highlight.get(term) is not None)
    found = []
    for term, weight in terms.items():
        value = highlight.get(term)
        found.append(Contribution(term, value, weight, weight * value / total if value is not None and total else None))
    return sorted(found, key=lambda c: (c.share is None, -(c.share or 0.0), c.term))
