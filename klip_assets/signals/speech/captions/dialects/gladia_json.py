"""Gladia: `result.transcription.utterances[]` with words, in seconds (https://docs.gladia.io/); or `prediction[]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import take_spans
from klip_assets.signals.speech.captions.json_words import is_list, language_of


def is_gladia(document: Any) -> bool:
    """Return whether a JSON document is a transcription of Gladia."""
    return _utterances(document) is not None


def read_gladia(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of Gladia.

    Args:
        document: A JSON document for which `is_gladia` holds.
    """
    path, utterances = _utterances(document) or ("", [])
    first = utterances[0] if utterances and isinstance(utterances[0], dict) else {}
    reading = Reading(language=language_of(first.get("language")))
    take_spans(reading, utterances, path)
    return reading


def _utterances(document: Any) -> tuple[str, list[Any]] | None:
    if not isinstance(document, dict):
        return None
    if is_list(document, "prediction"):
        return "prediction", document["prediction"]
    result = document.get("result", document)
    transcription = result.get("transcription") if isinstance(result, dict) else None
    if isinstance(transcription, dict) and is_list(transcription, "utterances"):
        return "transcription.utterances", transcription["utterances"]
    return None


FORMAT = JsonFormat("Gladia", is_gladia, read_gladia, order=27)
