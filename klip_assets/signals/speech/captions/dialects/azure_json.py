"""Azure's batch transcription: `recognizedPhrases[]`, in ticks of 100 nanoseconds, with words if asked for.

See https://learn.microsoft.com/azure/ai-services/speech-service/batch-transcription-get. Fast transcription has
`phrases[]` in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import take_spans
from klip_assets.signals.speech.captions.json_words import is_list, language_of

_TICKS = 1e7


def is_azure(document: Any) -> bool:
    """Return whether a JSON document has phrases as Azure recognizes them."""
    return isinstance(document, dict) and (
        is_list(document, "recognizedPhrases")
        or (
            is_list(document, "phrases")
            and any(isinstance(phrase, dict) and "offsetMilliseconds" in phrase for phrase in document["phrases"][:10])
        )
    )


def read_azure(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of Azure's.

    Args:
        document: A JSON document for which `is_azure` holds.
    """
    path = "recognizedPhrases" if is_list(document, "recognizedPhrases") else "phrases"
    phrases = document[path]
    first = phrases[0] if phrases and isinstance(phrases[0], dict) else {}
    reading = Reading(language=language_of(first.get("locale")))
    take_spans(reading, [_phrase(phrase) for phrase in phrases], path, _TICKS)
    return reading


def _phrase(phrase: Any) -> Any:
    best = phrase.get("nBest") if isinstance(phrase, dict) else None
    if not isinstance(best, list) or not best or not isinstance(best[0], dict):
        return phrase
    words = best[0].get("displayWords") or [
        word | {"word": word.get("word", word.get("displayText"))} if isinstance(word, dict) else word
        for word in (best[0]["words"] if is_list(best[0], "words") else [])
    ]
    listed = [
        word | {"word": word.get("displayText", word.get("word"))} if isinstance(word, dict) else word
        for word in (words if isinstance(words, list) else [])
    ]
    return phrase | {"text": best[0].get("display", best[0].get("lexical")), "words": listed}


FORMAT = JsonFormat("Azure", is_azure, read_azure, ('"displayWords"',), order=23)
