"""Caption and transcript file formats: a new one is a module next to this, and a line here.

The package's `__init__` can't hold these: `signals.speech.words` imports from the package, and the readers import it.
"""

from __future__ import annotations

from klip_assets.signals.speech.captions import (
    assemblyai_json,
    cues,
    deepgram_json,
    timed_text,
    whisper_json,
    youtube_json,
)
from klip_assets.signals.speech.captions.caption_format import CaptionFormat, JsonFormat
from klip_assets.signals.speech.captions.json_documents import json_format

#: JSON document formats, in the order they are tried.
JSON_FORMATS: tuple[JsonFormat, ...] = (
    youtube_json.FORMAT,
    deepgram_json.FORMAT,
    whisper_json.FORMAT,
    assemblyai_json.FORMAT,
)

#: Hint for users about a document in an unknown format; it names every known one.
KNOWN_JSON = "supported: Whisper, WhisperX, Deepgram, AssemblyAI and YouTube's json3"

#: File formats, in the order they are tried: by content before names; the last one accepts any file.
FORMATS: tuple[CaptionFormat, ...] = (
    json_format(JSON_FORMATS, KNOWN_JSON),
    timed_text.FORMAT,
    cues.SBV,
    cues.WEBVTT,
    cues.SUBRIP,
)
