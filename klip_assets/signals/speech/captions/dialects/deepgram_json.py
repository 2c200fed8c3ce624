"""Transcripts of Deepgram: `results.channels[].alternatives[0].words` in seconds, of all channels.

Words and utterances duplicate each other: `results.utterances` are read only where there are no words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_values import entries_of, shown
from klip_assets.signals.speech.captions.json_words import (
    WORD_TIMES,
    is_list,
    language_of,
    take_utterances,
    take_words,
)


def is_deepgram(document: Any) -> bool:
    """Return whether a JSON document has results as Deepgram returns them."""
    results = document.get("results") if isinstance(document, dict) else None
    return isinstance(results, dict) and (is_list(results, "channels") or is_list(results, "utterances"))


def read_deepgram(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of Deepgram.

    Args:
        document: A JSON document for which `is_deepgram` holds.
    """
    results = document["results"]
    reading = Reading()
    for where, channel in entries_of(results.get("channels"), "results.channels", reading.refused):
        reading.language = reading.language or language_of(channel.get("detected_language"))
        alternatives = channel.get("alternatives")
        best = alternatives[0] if isinstance(alternatives, list) and alternatives else None
        if isinstance(best, dict) and isinstance(best.get("words"), list):
            take_words(reading, best["words"], f"{where}.alternatives[0].words", (None, None))
    if not reading.heard.words and not reading.heard.sounds:
        take_utterances(reading, results.get("utterances"), "results.utterances", 1.0)
    if not reading.heard.words and not reading.heard.sounds and not reading.refused:
        text = [shown(c["alternatives"][0].get("transcript")) for c in _with_transcript(results)]
        if any(text):
            reading.refused.append(Refused("results.channels", "text without times", " ".join(text)[:200]))
    return reading


def _with_transcript(results: Mapping[str, Any]) -> list[Any]:
    channels = results.get("channels")
    return [
        channel
        for channel in (channels if isinstance(channels, list) else [])
        if isinstance(channel, dict)
        and isinstance(channel.get("alternatives"), list)
        and channel["alternatives"]
        and isinstance(channel["alternatives"][0], dict)
        and channel["alternatives"][0].get("transcript")
    ]


FORMAT = JsonFormat("Deepgram", is_deepgram, read_deepgram, word_times=(WORD_TIMES,), order=20)
