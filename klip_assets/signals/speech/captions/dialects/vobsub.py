"""VobSub, pictures of captions with their times in an .idx file: recognized, not read."""

from __future__ import annotations

from klip_assets.signals.speech.captions.caption_format import CaptionFormat, refusing


def is_vobsub(text: str, suffix: str) -> bool:
    """Return whether a file is VobSub."""
    return text.startswith("# VobSub") or (suffix == ".sub" and text.startswith("\x00\x00\x01"))


FORMAT = CaptionFormat(
    "VobSub",
    (".idx",),
    is_vobsub,
    refusing("a VobSub file, whose captions are pictures", "read them with an OCR program and save them as SubRip"),
    order=15,
    is_read=False,
)
