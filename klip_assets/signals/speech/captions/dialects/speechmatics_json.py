"""Speechmatics' json-v2: `results[]` of words and punctuation, in seconds, each with `alternatives[].content`.

See https://docs.speechmatics.com/speech-to-text/batch/output.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.dialects.aws_json import is_punctuation, with_best
from klip_assets.signals.speech.captions.json_spans import spans, with_marks
from klip_assets.signals.speech.captions.json_words import is_list, language_of, take_words


def is_speechmatics(document: Any) -> bool:
    """Return whether a JSON document has results with a content."""
    return (
        isinstance(document, dict)
        and is_list(document, "results")
        and any(
            isinstance(best := with_best(result), dict) and "content" in best and "start_time" in best
            for result in document["results"][:10]
        )
    )


def read_speechmatics(document: Mapping[str, Any]) -> Reading:
    """Read a transcript of Speechmatics.

    Args:
        document: A JSON document for which `is_speechmatics` holds.
    """
    metadata = document.get("metadata")
    config = metadata.get("transcription_config") if isinstance(metadata, dict) else None
    reading = Reading(language=language_of(config.get("language") if isinstance(config, dict) else None))
    results = document["results"]
    words = with_marks(spans([with_best(item) for item in results]), lambda index: is_punctuation(results[index]))
    take_words(reading, words, "results", (None, None))
    return reading


FORMAT = JsonFormat("Speechmatics", is_speechmatics, read_speechmatics, ('"start_time"',), order=22)
