"""CTM of NIST, as Kaldi and NeMo write it: recording, channel, start, length, word and perhaps a confidence in a line.

See https://www.nist.gov/itl/iad/mig/tools (sctk). Comments begin with `;;`.
"""

from __future__ import annotations

import re

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import CaptionFormat, Reading
from klip_assets.signals.speech.captions.json_values import ValueRefused, any_time, seconds_of
from klip_assets.signals.speech.captions.spoken import Piece

_ROW = re.compile(r"\S{1,500}\s{1,9}\w{1,9}\s{1,9}\d{1,9}(?:\.\d{1,9})?\s{1,9}\d{1,9}(?:\.\d{1,9})?\s{1,9}\S")
_LINE_END = re.compile("\r\n|\n|\r")


def is_ctm(text: str, suffix: str) -> bool:
    """Return whether a file is CTM: by its suffix only, since its lines look like those of other files."""
    return suffix == ".ctm"


def read_ctm(text: str, _: str) -> Reading:
    """Read the words of a file.

    Args:
        text: The whole file.
    """
    reading = Reading()
    for number, line in enumerate(_LINE_END.split(text), start=1):
        trimmed = line.strip()
        if not trimmed or trimmed.startswith(";;"):
            continue
        try:
            if not _ROW.match(trimmed):
                raise ValueRefused("no start, length and word", trimmed)
            cells = trimmed.split()
            with any_time():
                start_s, lasts_s = seconds_of(cells[2]), seconds_of(cells[3])
            confidence = float(cells[5]) if len(cells) > 5 and re.fullmatch(r"[01](?:\.\d{1,9})?", cells[5]) else None
            reading.heard.add([Piece(start_s, start_s + lasts_s, cells[4], confidence)], timed_words=True)
        except ValueRefused as problem:
            reading.refused.append(Refused(f"line {number}", problem.reason, problem.detail))
    return reading


FORMAT = CaptionFormat("CTM", (".ctm",), is_ctm, read_ctm, order=44)
