"""Rev.ai: `monologues[].elements[]`, each a text with `ts` and `end_ts` in seconds, or punctuation without.

See https://docs.rev.ai/api/asynchronous/transcripts/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.dialects.aws_json import is_punctuation
from klip_assets.signals.speech.captions.json_spans import spans, with_marks
from klip_assets.signals.speech.captions.json_values import entries_of
from klip_assets.signals.speech.captions.json_words import is_list, take_words


def is_rev(document: Any) -> bool:
    """Return whether a JSON document has monologues."""
    return isinstance(document, dict) and is_list(document, "monologues")


def read_rev(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of Rev.ai.

    Args:
        document: A JSON document for which `is_rev` holds.
    """
    reading = Reading()
    for where, monologue in entries_of(document["monologues"], "monologues", reading.refused):
        elements = monologue.get("elements")
        listed = elements if isinstance(elements, list) else []
        words = with_marks(spans(listed), lambda index, listed=listed: is_punctuation(listed[index]))  # type: ignore[misc]
        take_words(reading, words, f"{where}.elements", (None, None))
    return reading


FORMAT = JsonFormat("Rev.ai", is_rev, read_rev, ('"end_ts"',), order=24)
