"""TTML and DFXP: XML of paragraphs with times (https://www.w3.org/TR/ttml2/)."""

from __future__ import annotations

from klip_assets.signals.speech.captions.caption_format import CaptionFormat
from klip_assets.signals.speech.captions.timed_text import SUFFIXES, is_timed_text, read_timed_text

FORMAT = CaptionFormat(
    "TTML",
    SUFFIXES,
    is_timed_text,
    read_timed_text,
    word_times=(r"<(?:\w{1,20}:)?span\s[^<>]{0,200}?\bbegin=",),
    order=30,
)
