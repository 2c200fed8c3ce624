"""Vosk (and Kaldi servers): `result[]` with `word`, `start`, `end`, `conf` in seconds; an object or a list of them."""

from __future__ import annotations

from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import has_span, spans
from klip_assets.signals.speech.captions.json_values import entries_of
from klip_assets.signals.speech.captions.json_words import take_words


def is_vosk(document: Any) -> bool:
    """Return whether a JSON document has results of words."""
    return any(_words(part) for part in _parts(document)[:100])


def read_vosk(document: Any) -> Reading:
    """Read a transcript of Vosk.

    Args:
        document: A JSON document for which `is_vosk` holds.
    """
    reading = Reading()
    for where, part in entries_of(_parts(document), "", reading.refused):
        take_words(reading, spans(_words(part)), f"{where if isinstance(document, list) else ''}result", (None, None))
    return reading


def _parts(document: Any) -> list[Any]:
    return document if isinstance(document, list) else [document]


def _words(part: object) -> list[Any]:
    words = part.get("result") if isinstance(part, dict) else None
    return words if isinstance(words, list) and any(has_span(word) for word in words[:10]) else []


FORMAT = JsonFormat("Vosk", is_vosk, read_vosk, (r'"result"\s{0,200}:\s{0,200}\[\s{0,200}\{',), order=25)
