"""NVIDIA's NeMo: `timestamp.word[]` or `timestamp.segment[]`, in seconds (`start_offset` beside them counts frames)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import spans, take_spans
from klip_assets.signals.speech.captions.json_words import take_words


def is_nemo(document: Any) -> bool:
    """Return whether a JSON document, or the only one in a list, has timestamps of words or segments."""
    return bool(_entries(document)[1])


def read_nemo(document: Any) -> Reading:
    """Read a transcript of NeMo.

    Args:
        document: A JSON document for which `is_nemo` holds.
    """
    reading = Reading()
    path, entries = _entries(document)
    if path.endswith("word"):
        take_words(reading, spans(entries), path, (None, None))
    else:
        take_spans(reading, [_with_text(entry) for entry in entries], path)
    return reading


def _entries(document: Any) -> tuple[str, list[Any]]:
    whole = document[0] if isinstance(document, list) and len(document) == 1 else document
    stamps = whole.get("timestamp", whole.get("timestep")) if isinstance(whole, dict) else None
    for name in ("word", "segment"):
        found = stamps.get(name) if isinstance(stamps, Mapping) else None
        if isinstance(found, list) and found:
            return f"timestamp.{name}", found
    return "", []


def _with_text(entry: Any) -> Any:
    return entry | {"text": entry["segment"]} if isinstance(entry, dict) and "segment" in entry else entry


FORMAT = JsonFormat("NeMo", is_nemo, read_nemo, (r'"word"\s{0,200}:\s{0,200}\[\s{0,200}\{',), order=26)
