"""Advanced SubStation (.ass) and SubStation (.ssa): `Dialogue:` lines below `[Events]`, their columns in `Format:`.

See http://www.tcax.org/docs/ass-specs.htm. Comments and drawings are not spoken; karaoke tags are not used as times.
"""

from __future__ import annotations

import re

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import MAX_CUE_CHARS, CaptionFormat, Cue, Cues
from klip_assets.signals.speech.captions.cue_times import seconds_of_clock

_USUAL: tuple[str, ...] = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_BEGINS = re.compile(r"\s{0,99}(?:;[^\n]{0,999}\n\s{0,99}){0,99}\[Script Info\]|\s{0,99}Dialogue:", re.IGNORECASE)
_LINE_END = re.compile("\r\n|\n|\r")
_OVERRIDE = re.compile(r"\{[^{}]*\}")
_DRAWING = re.compile(r"\{[^{}]*\\p[1-9][^{}]*\}")
_BREAK = re.compile(r"\\[Nn]")
_MAX_DETAIL = 200


def is_ass(text: str, suffix: str) -> bool:
    """Return whether a file is (Advanced) SubStation."""
    return _BEGINS.match(text) is not None or (suffix in (".ass", ".ssa") and "\nDialogue:" in text)


def read_ass(text: str, _: str) -> Cues:
    """Read the dialogue of a file.

    Args:
        text: The whole file.

    Returns:
        The cues in file order, and the lines whose times can't be read.
    """
    cues: list[Cue] = []
    refused: list[Refused] = []
    columns = _USUAL
    is_dialogue_next = False
    for number, line in enumerate(_LINE_END.split(text), start=1):
        head, _colon, rest = line.partition(":")
        kind = head.strip().lower()
        if line.lstrip().startswith("["):
            is_dialogue_next = line.strip().lower() == "[events]"
        elif kind == "format" and is_dialogue_next:
            columns = tuple(part.strip().lower() for part in rest.split(","))
        elif kind == "dialogue":
            cells = dict(zip(columns, rest.split(",", len(columns) - 1), strict=False))
            start_s, end_s = seconds_of_clock(cells.get("start", "")), seconds_of_clock(cells.get("end", ""))
            spoken = cells.get("text", "")
            if start_s is None or end_s is None:
                refused.append(Refused(f"line {number}", "unreadable times", rest.strip()[:_MAX_DETAIL]))
            elif len(spoken) > MAX_CUE_CHARS:
                refused.append(Refused(f"line {number}", "too long for a caption", f"{len(spoken):,} characters"))
            elif not _DRAWING.search(spoken):
                lines = _BREAK.split(_OVERRIDE.sub("", spoken).replace("\\h", " "))
                cues.append(Cue(max(0.0, start_s), end_s, number, lines, len(spoken)))
    return cues, refused


FORMAT = CaptionFormat("Advanced SubStation", (".ass", ".ssa"), is_ass, read_ass, order=40)
