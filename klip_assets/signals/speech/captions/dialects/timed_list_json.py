"""Lists of timed lines, as many programs write them: `[{"text", "start", "duration"}]` and its spellings.

Such are youtube-transcript-api (`start`, `duration`), Bilibili (`body[]` of `from`, `to`, `content`), transcripts of
podcasts (`segments[]` of `startTime`, `endTime`, `body`), aeneas (`fragments[]` of `begin`, `end`, `lines`), and lists
of `start` and `stop`, which are in hundredths of a second where these are whole numbers.
"""

from __future__ import annotations

from typing import Any

from klip_assets.signals.speech.captions.caption_format import JsonFormat, Reading
from klip_assets.signals.speech.captions.json_spans import has_span, lists_in, take_spans
from klip_assets.signals.speech.captions.json_words import language_of

_HUNDREDTHS = 100.0


def is_timed_list(document: Any) -> bool:
    """Return whether a JSON document is a list of timed lines, or an object that holds one."""
    return _found(document) is not None


def read_timed_list(document: Any) -> Reading:
    """Read the first list of timed lines.

    Args:
        document: A JSON document for which `is_timed_list` holds.
    """
    path, entries = _found(document) or ("", [])
    reading = Reading()
    if isinstance(document, dict):
        reading.language = language_of(document.get("language", document.get("lang", document.get("language_code"))))
    take_spans(reading, entries, path, _unit(entries))
    return reading


def _found(document: Any) -> tuple[str, list[Any]] | None:
    return next(
        ((path, entries) for path, entries in lists_in(document) if any(has_span(entry) for entry in entries[:10])),
        None,
    )


def _unit(entries: list[Any]) -> float:
    stops = [entry["stop"] for entry in entries[:100] if isinstance(entry, dict) and "stop" in entry]
    return _HUNDREDTHS if stops and all(isinstance(stop, int) for stop in stops) else 1.0


FORMAT = JsonFormat("lists of timed lines", is_timed_list, read_timed_list, order=90)
