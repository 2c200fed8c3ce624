"""TextGrid files of Praat: recognized, not read."""

from __future__ import annotations

from klip_assets.signals.speech.captions.caption_format import CaptionFormat, refusing


def is_textgrid(text: str, suffix: str) -> bool:
    """Return whether a file is Praat TextGrid."""
    return "ooTextFile" in text[:100] or suffix == ".textgrid"


FORMAT = CaptionFormat(
    "Praat TextGrid",
    (".textgrid",),
    is_textgrid,
    refusing("a TextGrid of Praat", "export its tier of words as JSON or SubRip"),
    order=15,
    is_read=False,
)
