"""MicroDVD (.sub): `{25}{75}text`, whose times are frames; read where the first line states the rate: `{1}{1}25.000`.

MPL2, `[20][40]text`, is the same in tenths of a second. See https://en.wikipedia.org/wiki/MicroDVD.
"""

from __future__ import annotations

import re

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import MAX_CUE_CHARS, CaptionFormat, Cue, Cues

_LINE = re.compile(r"\s{0,9}(?:\{(\d{1,9})\}\{(\d{0,9})\}|\[(\d{1,9})\]\[(\d{0,9})\])(.*)", re.DOTALL)
_RATE = re.compile(r"\s{0,9}\{[01]\}\{[01]\}\s{0,9}(\d{1,3}(?:[.,]\d{1,3})?)\s{0,9}$")
_LINE_END = re.compile("\r\n|\n|\r")
_TENTHS = 10.0
_LAST_S = 4.0


def is_frames(text: str, suffix: str) -> bool:
    """Return whether a file is MicroDVD or MPL2."""
    return _LINE.match(text) is not None


def read_frames(text: str, name: str) -> Cues:
    """Read the captions of a file.

    Args:
        text: The whole file.
        name: Its name, for messages.

    Returns:
        The cues in file order, and lines of another form.

    Raises:
        UnreadableSidecarError: Its times are frames, and it does not state how many a second has.
    """
    lines = _LINE_END.split(text)
    rate = next((found for line in lines[:5] if (found := _RATE.match(line))), None)
    per_second = float(rate[1].replace(",", ".")) if rate else None
    cues: list[Cue] = []
    refused: list[Refused] = []
    for number, line in enumerate(lines, start=1):
        found = _LINE.match(line)
        if found is None:
            if line.strip():
                refused.append(Refused(f"line {number}", "text without times", line.strip()[:200]))
            continue
        if _RATE.match(line):
            continue
        is_microdvd = found[1] is not None
        if is_microdvd and not per_second:
            raise UnreadableSidecarError(
                f"{name}: this is a MicroDVD file, whose times are frames, and does not state how many a second has; "
                "begin it with {1}{1} and the rate, such as {1}{1}25, or convert it to SubRip"
            )
        unit = per_second if is_microdvd and per_second else _TENTHS
        start, end = (found[1], found[2]) if is_microdvd else (found[3], found[4])
        spoken = found[5][: MAX_CUE_CHARS + 1]
        if len(spoken) > MAX_CUE_CHARS:
            refused.append(Refused(f"line {number}", "too long for a caption", f"at most {MAX_CUE_CHARS:,} characters"))
            continue
        start_s = int(start) / unit
        end_s = int(end) / unit if end else start_s + _LAST_S
        shown = [part.removeprefix("/") for part in spoken.split("|")]
        cues.append(Cue(start_s, end_s, number, shown, len(spoken)))
    return cues, refused


FORMAT = CaptionFormat("MicroDVD", (".sub",), is_frames, read_frames, order=42)
