"""Scenarist closed captions (.scc): recognized, not read."""

from __future__ import annotations

from klip_assets.signals.speech.captions.caption_format import CaptionFormat, refusing


def is_scenarist(text: str, suffix: str) -> bool:
    """Return whether a file is Scenarist."""
    return text.startswith("Scenarist_SCC") or suffix == ".scc"


FORMAT = CaptionFormat(
    "Scenarist",
    (".scc",),
    is_scenarist,
    refusing("a Scenarist file, whose captions are bytes of the line 21 system", "convert it to SubRip or WebVTT"),
    order=15,
    is_read=False,
)
