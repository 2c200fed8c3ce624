"""SubViewer 2: `00:00:02.00,00:00:04.00` and the text below, `[br]` for a line break; headers are in brackets."""

from __future__ import annotations

import re

from klip_assets.signals.speech.captions.caption_format import CaptionFormat, Cues
from klip_assets.signals.speech.captions.cues import read_sbv_cues

_HEADER = re.compile(r"\s{0,9}\[(?:INFORMATION|SUBTITLE|TITLE)\]", re.IGNORECASE)
_TAGS = re.compile(r"^\[[A-Z ]{1,30}\][^\n]{0,200}$", re.MULTILINE)


def is_subviewer(text: str, _: str) -> bool:
    """Return whether a file is SubViewer with its header."""
    return _HEADER.match(text) is not None


def read_subviewer(text: str, _: str) -> Cues:
    """Read the captions of a file.

    Args:
        text: The whole file.

    Returns:
        The cues in file order, and text without times.
    """
    return read_sbv_cues(_TAGS.sub("", text))


FORMAT = CaptionFormat("SubViewer", (), is_subviewer, read_subviewer, order=43)
