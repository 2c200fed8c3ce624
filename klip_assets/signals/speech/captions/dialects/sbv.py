"""SBV, the SubViewer files that YouTube exports: `0:00:01.000,0:00:03.000` and the lines below."""

from __future__ import annotations

from klip_assets.signals.speech.captions.caption_format import CaptionFormat
from klip_assets.signals.speech.captions.cues import is_sbv, read_sbv_cues

FORMAT = CaptionFormat("SBV", (".sbv",), is_sbv, lambda text, _: read_sbv_cues(text), order=70)
