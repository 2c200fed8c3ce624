"""Whisper's TSV: a header, then start and end in milliseconds and a text in each line (openai/whisper, `WriteTSV`).

Label tracks of Audacity are the same without the header, in seconds with a fraction.
"""

from __future__ import annotations

import re

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import CaptionFormat, Reading
from klip_assets.signals.speech.captions.json_spans import in_seconds
from klip_assets.signals.speech.captions.json_values import ValueRefused, any_time, times_of
from klip_assets.signals.speech.captions.json_words import MAX_SEGMENT_CHARS
from klip_assets.signals.speech.captions.spoken import Piece

_MILLISECONDS = 1000.0
_HEADER = re.compile(r"\s{0,9}start(?:_ms|_s|_time)?\tend(?:_ms|_s|_time)?\t\w", re.IGNORECASE)
_ROW = re.compile(r"\s{0,9}-?[\d.:,]{1,20}\t-?[\d.:,]{1,20}\t")
_LINE_END = re.compile("\r\n|\n|\r")


def is_tsv(text: str, suffix: str) -> bool:
    """Return whether a file has two times and a text in each line, separated by tabs."""
    return _HEADER.match(text) is not None or _ROW.match(text) is not None or suffix == ".tsv"


def read_tsv(text: str, name: str) -> Reading:
    """Read a file of tab-separated times and texts.

    Args:
        text: The whole file.
        name: Its name, for messages.
    """
    rows = list(enumerate(_LINE_END.split(text), start=1))
    cells = [(number, row.split("\t", 2)) for number, row in rows if row.strip() and not _HEADER.match(row)]
    # Whole numbers are milliseconds.
    is_whole = all(part[0].strip().isdecimal() for _, part in cells[:100])
    reading = Reading(per_second=_MILLISECONDS if is_whole else 1.0)
    for number, part in cells:
        try:
            if len(part) < 3:
                raise ValueRefused("no two times and a text", "\t".join(part))
            if len(part[2]) > MAX_SEGMENT_CHARS:
                raise ValueRefused("too long for a caption", f"{len(part[2]):,} characters")
            entry = {"start": in_seconds(part[0], reading.per_second), "end": in_seconds(part[1], reading.per_second)}
            with any_time():
                start_s, end_s = times_of(entry)
            reading.heard.add([Piece(start_s, end_s, part[2].replace("\\t", " "))])
        except ValueRefused as problem:
            reading.refused.append(Refused(f"line {number}", problem.reason, problem.detail))
    return reading


FORMAT = CaptionFormat("Whisper's TSV", (".tsv",), is_tsv, read_tsv, order=60)
