"""Texts of like length together: padding is what makes batches slow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise

#: Tokens of a batch, padding counted. Measured on two cores: more gains nothing, fewer costs calls.
BUDGET_TOKENS = 512


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def batches(lengths: Sequence[int], budget: int = BUDGET_TOKENS, *, equal: bool = False) -> Iterator[list[int]]:
    """Group texts by length.

    Args:
        lengths: Tokens of each text.
        budget: Most tokens of a batch once its texts are padded to the longest; a longer text goes alone.
        equal: Only texts of equal length together, so that there is no padding: sums over more tokens, be they zeros,
            may differ in the last digit.

    Yields:
        Places in `lengths`; every place comes once.
    """
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (lengths[place] * (len(batch) + 1) > budget or (equal and lengths[place] != lengths[batch[0]])):
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def windows(tokens: Sequence[int], most: int) -> list[Sequence[int]]:
    """Cut a text into the fewest pieces of at most `most` tokens, all of about the same length.

    Returns:
        The pieces in order; one empty piece for an empty text.
    """
    count = max(1, -(-len(tokens) // most))
    edges = [len(tokens) * place // count for place in range(count + 1)]
    return [tokens[first:last] for first, last in pairwise(edges)]
