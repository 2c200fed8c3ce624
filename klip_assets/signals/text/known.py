"""Readings that are there already: of equal texts, and of a table that is made anew.

A reading depends on the text, the model and the code alone, so that it can stand for another reading of the same hash.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from klip_assets.signals.text.reading import Reading

#: Readings by `input_sha256`.
Known = Mapping[str, Reading]

NOTHING_KNOWN: Known = MappingProxyType({})


def read_once(
    texts: Sequence[str],
    digest: Callable[[str], str],
    known: Known,
    read: Callable[[Sequence[str]], list[Reading]],
) -> list[Reading]:
    """Read each distinct text once, and those that are known not at all.

    Args:
        texts: The texts.
        digest: The `input_sha256` that the reading of a text has.
        known: What was read before.
        read: Reads texts, one reading each, in order; not called if nothing is left.

    Returns:
        One reading a text, in order.
    """
    digests = {text: digest(text) for text in dict.fromkeys(texts)}
    found = {text: known[key] for text, key in digests.items() if key in known}
    if left := [text for text in digests if text not in found]:
        found |= zip(left, read(left), strict=True)
    return [found[text] for text in texts]
