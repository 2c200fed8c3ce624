"""OpenAI's `json` and others that give a text without any times: named, not read."""

from __future__ import annotations

from typing import Any

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_values import shown

_REMEDY = "a text without times; ask the recognizer for times (OpenAI: response_format verbose_json)"


def is_text_only(document: Any) -> bool:
    """Return whether a JSON document has a text and nothing that could hold times."""
    return (
        isinstance(document, dict)
        and any(isinstance(document.get(name), str) for name in ("text", "transcript"))
        and not any(isinstance(value, list) and value for value in document.values())
    )


def read_text_only(document: Any) -> Reading:
    """Return nothing but the refusal.

    Args:
        document: A JSON document for which `is_text_only` holds.
    """
    text = document.get("text", document.get("transcript"))
    return Reading(refused=[Refused("text", _REMEDY, shown(text))])


FORMAT = JsonFormat("a text only", is_text_only, read_text_only, order=99, is_read=False)
