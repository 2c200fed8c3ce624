"""Caption files that are one JSON document: detecting such files, and the format of the document."""

from __future__ import annotations

import re
from collections.abc import Sequence

from klip_assets.errors import UnreadableSidecarError
from klip_assets.signals.speech.captions.caption_format import CaptionFormat, JsonFormat, Reading
from klip_assets.signals.speech.captions.cues import begins_as_webvtt
from klip_assets.signals.speech.captions.json_values import NO_POSITION, any_time, read_json, shown

_JSON = re.compile(r'\s{0,99}(?:\[\s{0,99})?\{\s{0,99}"')
#: If more than this share of a file lies beyond any recording, its unit may be another.
BEYOND_SHARE = 0.02

_SUFFIXES = (".json", ".json3")
#: Other suffixes that JSON was found under: there it is detected by content.
_SUFFIXES_OF_CUES = (".vtt", ".srt", ".sbv")


def json_format(kinds: Sequence[JsonFormat], known: str) -> CaptionFormat:
    """Return the format of files that hold a JSON document of one of these formats.

    Args:
        kinds: Document formats, in the order they are tried.
        known: Hint for users if a document is in none of them.
    """

    def read(text: str, name: str) -> Reading:
        return _read(text, name, kinds, known)

    word_times = tuple(dict.fromkeys(pattern for kind in kinds for pattern in kind.word_times))
    return CaptionFormat("JSON", _SUFFIXES, _is_json, read, word_times)


def _is_json(text: str, suffix: str) -> bool:
    if suffix in _SUFFIXES:
        return not begins_as_webvtt(text)
    return suffix in _SUFFIXES_OF_CUES and _JSON.match(text) is not None and "-->" not in text


def _read(text: str, name: str, kinds: Sequence[JsonFormat], known: str) -> Reading:
    document, damage = read_json(text, name)
    kind = next((kind for kind in kinds if kind.sniff(document)), None)
    if kind is None:
        if isinstance(document, dict) and document.get("status") == "error":
            raise UnreadableSidecarError(f"{name}: the recognizer failed: {shown(document.get('error'))}")
        found = f"with {', '.join(shown(key) for key in list(document)[:6])}" if isinstance(document, dict) else ""
        raise UnreadableSidecarError(
            f"{name}: JSON {found or 'that is not an object'} is not a transcript in a supported format", hint=known
        )
    reading = kind.read(document)
    beyond = sum(1 for entry in reading.refused if entry.reason == NO_POSITION)
    reading.refused += damage
    if beyond > BEYOND_SHARE * (len(reading.heard.words) + len(reading.refused)) and beyond > 1:
        with any_time():
            reading.unlimited = kind.read(document)
        reading.unlimited.refused += damage
        if not reading.heard.words and reading.unlimited.heard.words:
            return reading.unlimited
    if reading.refused and not reading.heard.words and not reading.heard.sounds:
        first = reading.refused[0]
        raise UnreadableSidecarError(
            f"{name}: none of its words can be used; the first ({first.position}): "
            f"{first.reason} {first.detail}".rstrip()
        )
    return reading
