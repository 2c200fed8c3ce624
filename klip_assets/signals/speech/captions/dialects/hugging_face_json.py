"""The speech recognition pipeline of Hugging Face's transformers: `chunks[].timestamp`, [start, end] in seconds.

A chunk is a segment or, with `return_timestamps="word"`, a word. The last one often has no end.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import take_spans
from klip_assets.signals.speech.captions.json_words import is_list


def is_hugging_face(document: Any) -> bool:
    """Return whether a JSON document has chunks with timestamps, or is the list of them."""
    chunks = document.get("chunks") if isinstance(document, dict) else document
    return isinstance(chunks, list) and any(_times(chunk) is not None for chunk in chunks[:10])


def read_hugging_face(document: Any) -> Reading:
    """Read chunks.

    Args:
        document: A JSON document for which `is_hugging_face` holds.
    """
    is_inside = isinstance(document, Mapping) and is_list(document, "chunks")
    chunks = document["chunks"] if is_inside else document
    entries = [chunk | (_times(chunk) or {}) if isinstance(chunk, dict) else chunk for chunk in chunks]
    reading = Reading()
    take_spans(reading, entries, "chunks" if is_inside else "")
    return reading


def _times(chunk: object) -> dict[str, Any] | None:
    times = chunk.get("timestamp", chunk.get("timestamps")) if isinstance(chunk, dict) else None
    return {"start": times[0], "end": times[1]} if isinstance(times, list) and len(times) == 2 else None


FORMAT = JsonFormat("Hugging Face pipelines", is_hugging_face, read_hugging_face, ('"timestamp"',), order=31)
