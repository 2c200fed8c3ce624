"""ElevenLabs' speech to text: `words[]` in seconds, of which each is a word, a space or the name of a sound.

See https://elevenlabs.io/docs/api-reference/speech-to-text/convert. Of several channels, `transcripts[]` has one each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import spans
from klip_assets.signals.speech.captions.json_words import WORD_TIMES, is_list, language_of, take_words

_TYPES = ("word", "spacing", "audio_event")


def is_elevenlabs(document: Any) -> bool:
    """Return whether a JSON document has words of ElevenLabs' three types."""
    return any(_is_of_type(word) for part in _parts(document) for word in part["words"][:10])


def read_elevenlabs(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of ElevenLabs; its audio events become tags.

    Args:
        document: A JSON document for which `is_elevenlabs` holds.
    """
    reading = Reading()
    for part in _parts(document):
        reading.language = reading.language or language_of(part.get("language_code"))
        words = [
            word if _kind(raw) == "word" else _other(word, _kind(raw))
            for raw, word in zip(part["words"], spans(part["words"]), strict=True)
        ]
        take_words(reading, words, "words", (None, None))
    return reading


def _parts(document: Any) -> list[Mapping[str, Any]]:
    if not isinstance(document, dict):
        return []
    listed = document["transcripts"] if is_list(document, "transcripts") else [document]
    return [part for part in listed if isinstance(part, dict) and is_list(part, "words")]


def _is_of_type(word: object) -> bool:
    return isinstance(word, dict) and word.get("type") in _TYPES and "text" in word


def _kind(word: object) -> str:
    return str(word.get("type", "word")) if isinstance(word, dict) else "word"


def _other(word: Any, kind: str) -> Any:
    if not isinstance(word, dict):
        return word
    text = str(word.get("text", "")).strip().strip("()[]")
    return word | {"text": f"[{text}]" if kind == "audio_event" and text else ""}


FORMAT = JsonFormat("ElevenLabs", is_elevenlabs, read_elevenlabs, (WORD_TIMES,), order=40)
