"""EBU STL, binary captions of broadcasters: recognized, not read."""

from __future__ import annotations

import re

from klip_assets.signals.speech.captions.caption_format import CaptionFormat, refusing


def is_ebu_stl(text: str, suffix: str) -> bool:
    """Return whether a file is EBU STL."""
    return re.match(r"\d{3}STL\d\d", text) is not None or suffix == ".stl"


FORMAT = CaptionFormat(
    "EBU STL",
    (".stl",),
    is_ebu_stl,
    refusing("an EBU STL file, which is binary", "convert it to SubRip or WebVTT"),
    order=15,
    is_read=False,
)
