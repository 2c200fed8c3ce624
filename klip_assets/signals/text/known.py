"""Reuse of readings: of equal texts, and of a table that is rebuilt.

A reading depends only on text, model and code, so it can be reused for the same hash.
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
    """Read each distinct text once, except those already known.

    Args:
        texts: The texts.
        digest: Returns the `input_sha256` of a text's reading.
        known: Earlier readings.
        read: Reads texts, one reading each, in order; not called if all are known.

    Returns:
        One reading per text, in order.
    """
    digests = {text: digest(text) for text in dict.fromkeys(texts)}
    found = {text: known[key] for text, key in digests.items() if key in known}
    if left := [text for text in digests if text not in found]:
        found |= zip(left, read(left), strict=True)
    return [found[text] for text in texts]
