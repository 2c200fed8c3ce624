"""SubRip, which has no specification: a number, two times and lines of text. Any other file is read as it."""

from __future__ import annotations

from klip_assets.signals.speech.captions.caption_format import CaptionFormat
from klip_assets.signals.speech.captions.cues import read_cues

FORMAT = CaptionFormat("SubRip", (".srt",), lambda *_: True, lambda text, _: read_cues(text, is_vtt=False), order=100)
