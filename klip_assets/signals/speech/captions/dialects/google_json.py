"""Google's Speech-to-Text: `results[].alternatives[0].words[]` with `startTime: "1.2s"` (v1) or `startOffset` (v2).

See https://cloud.google.com/speech-to-text/docs/reference/rest/v1/SpeechRecognitionResult. An operation wraps it in
`response`. Channels are put together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import spans
from klip_assets.signals.speech.captions.json_values import entries_of, shown
from klip_assets.signals.speech.captions.json_words import is_list, language_of, take_words


def is_google(document: Any) -> bool:
    """Return whether a JSON document has results with alternatives that are texts."""
    return any(_best(result) is not None for result in _results(document)[:10])


def read_google(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of Google's.

    Args:
        document: A JSON document for which `is_google` holds.
    """
    reading = Reading()
    for where, result in entries_of(_results(document), "results", reading.refused):
        best = _best(result)
        if best is None:
            continue
        reading.language = reading.language or language_of(result.get("languageCode", result.get("language_code")))
        if isinstance(best.get("words"), list) and best["words"]:
            take_words(reading, spans(best["words"]), f"{where}.alternatives[0].words", (None, None))
        elif best.get("transcript"):
            reading.refused.append(Refused(where, "text without times", shown(best["transcript"])))
    return reading


def _results(document: Any) -> list[Any]:
    whole = document.get("response", document) if isinstance(document, dict) else None
    return whole["results"] if isinstance(whole, dict) and is_list(whole, "results") else []


def _best(result: object) -> Mapping[str, Any] | None:
    alternatives = result.get("alternatives") if isinstance(result, dict) else None
    best = alternatives[0] if isinstance(alternatives, list) and alternatives else None
    return best if isinstance(best, dict) and ("transcript" in best or "words" in best) else None


FORMAT = JsonFormat(
    "Google", is_google, read_google, (r'"words"\s{0,200}:\s{0,200}\[\s{0,200}\{[^{}]{0,400}?"start_?[TO]',), order=21
)
