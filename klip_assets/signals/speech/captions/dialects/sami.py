"""SAMI (.smi): HTML of `<SYNC Start=milliseconds>`, each until the next; of several languages, the first is read.

See https://learn.microsoft.com/previous-versions/windows/desktop/dnacc/understanding-sami-1.0.
"""

from __future__ import annotations

import re

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import MAX_CUE_CHARS, CaptionFormat, Cue, Cues

_MILLISECONDS = 1000.0
_LAST_S = 4.0
_SYNC = re.compile(r"<sync\s[^<>]{0,200}?\bstart\s?=\s?[\"']?(\d{1,12})[^<>]{0,200}>", re.IGNORECASE)
_CLASS = re.compile(r"<p\s[^<>]{0,200}?\bclass\s?=\s?[\"']?([\w-]{1,40})[^<>]{0,200}>", re.IGNORECASE)
_HIDDEN = re.compile(r"<!--[^<>]{0,9000}-->|</?(?:body|sami)\b[^<>]{0,200}>", re.IGNORECASE)
_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)


def is_sami(text: str, _: str) -> bool:
    """Return whether a file is SAMI."""
    return text[:1_000].lstrip()[:5].upper() == "<SAMI" or _SYNC.search(text[:5_000]) is not None


def read_sami(text: str, _: str) -> Cues:
    """Read the captions of a file.

    Args:
        text: The whole file.

    Returns:
        The cues in file order, and those that are too long.
    """
    cues: list[Cue] = []
    refused: list[Refused] = []
    language: str | None = None
    parts = _SYNC.split(_HIDDEN.sub("", text))
    line = 1 + parts[0].count("\n")
    for index in range(1, len(parts), 2):
        start_s = int(parts[index]) / _MILLISECONDS
        if cues and cues[-1].end_s < 0 and start_s >= cues[-1].start_s:
            cues[-1].end_s = start_s
        spoken = parts[index + 1]
        pieces = _CLASS.split(spoken)
        if len(pieces) > 1:
            language = language or pieces[1]
            spoken = " ".join([pieces[0], *(pieces[i + 1] for i in range(1, len(pieces), 2) if pieces[i] == language)])
        lines = _BREAK.split(" ".join(spoken.split()))
        if len(spoken) > MAX_CUE_CHARS:
            refused.append(Refused(f"line {line}", "too long for a caption", f"{len(spoken):,} characters"))
        elif any(part.replace("&nbsp;", "").strip() for part in lines):
            cues.append(Cue(start_s, -1.0, line, lines, len(spoken), f"line {line}, caption {index // 2 + 1}"))
        line += parts[index + 1].count("\n")
    for cue in cues:
        if cue.end_s < 0:
            cue.end_s = cue.start_s + _LAST_S
    return cues, refused


FORMAT = CaptionFormat("SAMI", (".smi", ".sami"), is_sami, read_sami, order=41)
