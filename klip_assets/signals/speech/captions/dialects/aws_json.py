"""Amazon Transcribe: `results.items[]`, times as text, punctuation in items of its own.

See https://docs.aws.amazon.com/transcribe/latest/dg/how-input.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import spans, with_marks
from klip_assets.signals.speech.captions.json_words import is_list, language_of, take_words


def is_aws(document: Any) -> bool:
    """Return whether a JSON document has results with items."""
    results = document.get("results") if isinstance(document, dict) else None
    return isinstance(results, dict) and is_list(results, "items")


def read_aws(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of Amazon's.

    Args:
        document: A JSON document for which `is_aws` holds.
    """
    results = document["results"]
    reading = Reading(language=language_of(results.get("language_code")))
    items = results["items"]
    words = with_marks(spans([with_best(item) for item in items]), lambda index: is_punctuation(items[index]))
    take_words(reading, words, "results.items", (None, None))
    return reading


def with_best(item: Any) -> Any:
    """Return an item with the text and confidence of its first alternative."""
    alternatives = item.get("alternatives") if isinstance(item, dict) else None
    best = alternatives[0] if isinstance(alternatives, list) and alternatives else None
    return {**best, **item} if isinstance(best, dict) else item


def is_punctuation(item: object) -> bool:
    """Return whether an item is punctuation."""
    return isinstance(item, dict) and item.get("type") in ("punctuation", "punct")


FORMAT = JsonFormat("Amazon Transcribe", is_aws, read_aws, ('"start_time"',), order=22)
