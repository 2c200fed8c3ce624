"""Transcripts of AssemblyAI: `words` in milliseconds, or else `utterances`, which hold the same text.

OpenAI's API also returns `words`, in seconds, where segments are not requested.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_words import (
    WORD_TIMES,
    is_list,
    language_of,
    take_utterances,
    timed_words,
)

_MILLISECONDS = 1000.0


def is_assemblyai(document: Any) -> bool:
    """Return whether a JSON document has words or utterances at the top level."""
    return isinstance(document, dict) and (is_list(document, "words") or is_list(document, "utterances"))


def read_assemblyai(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of AssemblyAI.

    Args:
        document: A JSON document for which `is_assemblyai` holds.
    """
    words = document["words"] if is_list(document, "words") else []
    # OpenAI uses `word`, with times in seconds; AssemblyAI uses `text`, with times in milliseconds.
    first = next((word for word in words if isinstance(word, dict)), {})
    if words:
        return timed_words(document, "words", 1.0 if "word" in first else _MILLISECONDS)
    reading = Reading(language=language_of(document.get("language_code")))
    take_utterances(reading, document.get("utterances"), "utterances", _MILLISECONDS)
    return reading


FORMAT = JsonFormat("AssemblyAI", is_assemblyai, read_assemblyai, word_times=(WORD_TIMES,), order=70)
