"""Batches of texts of similar length, since padding is what makes batches slow."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise

#: Tokens per batch, including padding. Measured on two cores: more gains nothing, fewer means more calls.
BUDGET_TOKENS = 512


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def batches(lengths: Sequence[int], budget: int = BUDGET_TOKENS, *, equal: bool = False) -> Iterator[list[int]]:
    """Group texts by length.

    Args:
        lengths: Tokens of each text.
        budget: Maximum tokens per batch, padded to its longest text; a longer text is a batch of its own.
        equal: Batch only texts of equal length, so that there is no padding: sums over more tokens, even zeros, may
            differ in the last digit.

    Yields:
        Indices into `lengths`, each exactly once.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (lengths[index] * (len(batch) + 1) > budget or (equal and lengths[index] != lengths[batch[0]])):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def windows(tokens: Sequence[int], limit: int) -> list[Sequence[int]]:
    """Cut a text into the fewest pieces of at most `limit` tokens, all of about the same length.

    Returns:
        The pieces in order; one empty piece for an empty text.
    """
    count = max(1, -(-len(tokens) // limit))
    edges = [len(tokens) * index // count for index in range(count + 1)]
    return [tokens[first:last] for first, last in pairwise(edges)]
