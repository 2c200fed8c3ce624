"""Every kind of caption and transcript file: a new one is a module beside this, and a line here.

The room's `__init__` can't hold these: `signals.speech.words` imports a module of the room, and the readers import it.
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

#: What a JSON document may be, in the order in which the kinds are tried.
JSON_FORMATS: tuple[JsonFormat, ...] = (
    youtube_json.FORMAT,
    deepgram_json.FORMAT,
    whisper_json.FORMAT,
    assemblyai_json.FORMAT,
)

#: What users are told of a document that is none of them; it names each.
KNOWN_JSON = "known are Whisper, WhisperX, Deepgram, AssemblyAI and YouTube's json3"

#: What a file may be, in the order in which the kinds are tried: by content before names; the last one takes any file.
FORMATS: tuple[CaptionFormat, ...] = (
    json_format(JSON_FORMATS, KNOWN_JSON),
    timed_text.FORMAT,
    cues.SBV,
    cues.WEBVTT,
    cues.SUBRIP,
)
