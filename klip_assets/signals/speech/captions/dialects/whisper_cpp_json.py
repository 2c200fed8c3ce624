"""whisper.cpp's `-oj` and `-ojf`: `transcription[].offsets` in milliseconds (examples/cli of ggml-org/whisper.cpp)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import take_spans
from klip_assets.signals.speech.captions.json_words import is_list, language_of

_MILLISECONDS = 1000.0


def is_whisper_cpp(document: Any) -> bool:
    """Return whether a JSON document is one of whisper.cpp."""
    return (
        isinstance(document, dict)
        and is_list(document, "transcription")
        and (
            any(_times(entry) is not None for entry in document["transcription"][:10])
            or (not document["transcription"] and "result" in document)
        )
    )


def read_whisper_cpp(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of whisper.cpp: its segments, in milliseconds or, without them, in clock times.

    Args:
        document: A JSON document for which `is_whisper_cpp` holds.
    """
    result = document.get("result")
    reading = Reading(language=language_of(result.get("language") if isinstance(result, dict) else None))
    entries = [
        entry | (_times(entry) or {}) if isinstance(entry, dict) else entry for entry in document["transcription"]
    ]
    take_spans(reading, entries, "transcription", _MILLISECONDS)
    return reading


def _times(entry: object) -> dict[str, Any] | None:
    for name in ("offsets", "timestamps"):
        times = entry.get(name) if isinstance(entry, dict) else None
        if isinstance(times, dict) and "from" in times:
            return {"start": times["from"], "end": times.get("to")}
    return None


FORMAT = JsonFormat("whisper.cpp", is_whisper_cpp, read_whisper_cpp, order=30)
