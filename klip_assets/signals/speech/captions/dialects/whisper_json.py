"""Transcripts of Whisper and its kin: faster-whisper, WhisperX, whisper-timestamped, OpenAI's verbose_json.

`segments` with `start`, `end`, `text`, in seconds, and usually `words` with `word` or `text` and `probability`, `score`
or `confidence`; or a bare list of segments. WhisperX leaves numerals without times, and repeats all words in
`word_segments`, which are read only where there is nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_values import entries_of
from klip_assets.signals.speech.captions.json_words import (
    WORD_TIMES,
    bounds_of,
    is_list,
    language_of,
    take_text,
    take_words,
    timed_words,
)


def is_whisper(document: Any) -> bool:
    """Return whether a JSON document has segments as written by Whisper and its kin."""
    if isinstance(document, list):
        return any(_is_segment(entry) for entry in document[:10])
    return isinstance(document, dict) and (_holds_segments(document) or is_list(document, "word_segments"))


def read_whisper(document: Any) -> Reading:
    """Read a transcript of Whisper.

    Args:
        document: A JSON document for which `is_whisper` holds.
    """
    if isinstance(document, list):
        return _read({"segments": document}, "")
    if _holds_segments(document):
        return _read(document, "segments")
    return timed_words(document, "word_segments", 1.0)


def _read(document: Mapping[str, Any], path: str) -> Reading:
    reading = Reading(language=language_of(document.get("language")))
    segments = document["segments"]
    # OpenAI's verbose_json has segments without words, and all words in a separate list.
    inside = any(isinstance(s, dict) and s.get("words") for s in segments)
    if not inside and isinstance(document.get("words"), list) and document["words"]:
        return timed_words(document, "words", 1.0)
    for where, segment in entries_of(segments, path, reading.refused):
        words = segment.get("words")
        if isinstance(words, list) and any(isinstance(word, dict) for word in words):
            take_words(reading, words, f"{where}.words", bounds_of(segment))
        else:
            take_text(reading, segment, where, 1.0)
    return reading


def _is_segment(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and "start" in entry
        and ("end" in entry or "words" in entry)
        and ("text" in entry or "words" in entry)
    )


def _holds_segments(document: Mapping[str, Any]) -> bool:
    segments = document.get("segments")
    if not isinstance(segments, list):
        return False
    # A recording in which nobody speaks has none.
    return any(_is_segment(entry) for entry in segments[:10]) or (not segments and "language" in document)


FORMAT = JsonFormat(
    "Whisper",
    is_whisper,
    read_whisper,
    word_times=(WORD_TIMES, r'"word_segments"\s{0,200}:\s{0,200}\[\s{0,200}\{'),
    order=60,
)
