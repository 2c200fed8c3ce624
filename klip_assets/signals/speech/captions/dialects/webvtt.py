"""WebVTT (https://www.w3.org/TR/webvtt1/), and pieces of HLS (RFC 8216, 3.5) joined into one file."""

from __future__ import annotations

from klip_assets.signals.speech.captions.caption_format import CaptionFormat
from klip_assets.signals.speech.captions.cues import begins_as_webvtt, read_cues

FORMAT = CaptionFormat(
    "WebVTT",
    (".vtt",),
    lambda text, suffix: suffix == ".vtt" or begins_as_webvtt(text),
    lambda text, _: read_cues(text, is_vtt=True),
    word_times=(r"<(?:\d{1,4}:)?\d\d:\d\d\.\d{1,9}>",),
    order=80,
)
