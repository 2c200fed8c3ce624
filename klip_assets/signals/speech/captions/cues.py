"""Cues of WebVTT, SubRip and SBV files: times and lines of text, read leniently.

All formats are read the same way, by what real files have in common: a line with two times begins a cue, an empty line
ends it. Headers, notes, styles and cue identifiers are not speech.
"""

from __future__ import annotations

import re

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import MAX_CUE_CHARS, CaptionFormat, Cue, Cues

# Blanks are counted: a pattern that allows any number of them tries each number, wherever it begins.
_BLANKS = r"\s{0,99}"
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"{_TIME}{_BLANKS}-->{_BLANKS}{_TIME}(?=\s|$)")
_MEANT_AS_TIMES = re.compile(r"\d\s*-->|-->\s*\d")
_SBV_TIME = r"(\d{1,4}):(\d{1,2}):(\d{1,2})\.(\d{1,3})"
_SBV_TIMES = re.compile(rf"{_SBV_TIME}{_BLANKS},{_BLANKS}{_SBV_TIME}$")
_MEANT_AS_SBV_TIMES = re.compile(r"^\d{1,4}:\d\S{0,20}\s*,\s*\d{1,4}:\S{1,20}$")
_SBV = re.compile(rf"{_SBV_TIME}{_BLANKS},{_BLANKS}\d{{1,4}}:\d{{1,2}}:\d{{1,2}}\.\d")
_ARROW_TIMES = re.compile(r"\d\s{0,9}-->\s{0,9}\d")
_SBV_LINE_BREAK = re.compile(r"\[br\]", re.IGNORECASE)
_NO_SPEECH = ("WEBVTT", "NOTE", "STYLE", "REGION")
_MAX_DETAIL = 200


def begins_as_webvtt(text: str) -> bool:
    """Return whether the first line of a file says it is WebVTT, whatever its name."""
    return text.startswith("WEBVTT")


def read_cues(text: str, *, is_vtt: bool) -> Cues:
    """Read the cues of a WebVTT or SubRip file.

    Args:
        text: The whole file.
        is_vtt: Whether it is WebVTT; in SubRip, an empty line right after the times does not end a cue.

    Returns:
        The cues in file order, and the text without times or with unreadable times.
    """
    return _read(text, _TIMES, _MEANT_AS_TIMES, empty_line_ends=is_vtt, numbered=True)


def read_sbv_cues(text: str) -> Cues:
    """Read the cues of a SubViewer file, as exported by YouTube: `0:00:01.000,0:00:03.000` and the lines below.

    Args:
        text: The whole file.

    Returns:
        As `read_cues`.
    """
    cues, refused = _read(text, _SBV_TIMES, _MEANT_AS_SBV_TIMES, empty_line_ends=True, numbered=False)
    for cue in cues:
        cue.lines = [part for line in cue.lines for part in _SBV_LINE_BREAK.split(line)]
    return cues, refused


def _read(
    text: str, timing: re.Pattern[str], meant_as_timing: re.Pattern[str], *, empty_line_ends: bool, numbered: bool
) -> Cues:
    cues: list[Cue] = []
    refused: list[Refused] = []
    cue: Cue | None = None
    stray = _Stray(refused)
    for number, line in enumerate(text.splitlines(), start=1):
        trimmed = line.strip()
        times = timing.match(trimmed)
        if times:
            if numbered and cue is not None and cue.lines and cue.lines[-1].strip().isdigit():
                cue.lines.pop()  # The number of the next cue, with no empty line above it.
            stray.end(before_times=numbered)
            cue = Cue(_seconds(*times.groups()[:4]), _seconds(*times.groups()[4:]), number)
            cues.append(cue)
        elif meant_as_timing.search(trimmed):
            stray.end(before_times=numbered)
            refused.append(Refused(f"line {number}", "unreadable times", trimmed[:_MAX_DETAIL]))
            cue = None
            stray.skip()
        elif not line:
            stray.end()
            if cue is not None and (empty_line_ends or cue.lines):
                cue = None
        elif cue is not None:
            cue.chars += len(line)
            if cue.chars <= MAX_CUE_CHARS:
                cue.lines.append(line)
        else:
            stray.add(number, line)
    stray.end()
    refused += [
        Refused(f"line {cue.line}", "too long for a caption", f"{cue.chars:,} characters, at most {MAX_CUE_CHARS:,}")
        for cue in cues
        if cue.chars > MAX_CUE_CHARS
    ]
    return [cue for cue in cues if cue.chars <= MAX_CUE_CHARS], refused


class _Stray:
    """Lines outside any cue: headers, notes, identifiers, or text whose times are missing."""

    def __init__(self, refused: list[Refused]) -> None:
        self._refused = refused
        self._lines: list[tuple[int, str]] = []
        self._skipped = False

    def add(self, number: int, line: str) -> None:
        """Add a line."""
        if not self._skipped and line.strip():
            self._lines.append((number, line.strip()))

    def skip(self) -> None:
        """Skip the lines up to the next empty one: their problem has already been reported."""
        self._skipped = True

    def end(self, *, before_times: bool = False) -> None:
        """End the block of lines; if a line of times follows, the last line is the identifier of that cue."""
        lines = self._lines[:-1] if before_times else self._lines
        if lines and not lines[0][1].startswith(_NO_SPEECH) and not all(text.isdigit() for _, text in lines):
            detail = " ".join(text for _, text in lines)[:_MAX_DETAIL]
            self._refused.append(Refused(f"line {lines[0][0]}", "text without times", detail))
        self._lines, self._skipped = [], False


def _seconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _is_sbv(text: str, suffix: str) -> bool:
    return _SBV.match(text.lstrip()) is not None or (suffix == ".sbv" and not _ARROW_TIMES.search(text))


def _is_webvtt(text: str, suffix: str) -> bool:
    return suffix == ".vtt" or begins_as_webvtt(text)


SBV = CaptionFormat("SBV", (".sbv",), _is_sbv, lambda text, _: read_sbv_cues(text))
WEBVTT = CaptionFormat(
    "WebVTT",
    (".vtt",),
    _is_webvtt,
    lambda text, _: read_cues(text, is_vtt=True),
    word_times=(r"<(?:\d{1,4}:)?\d\d:\d\d\.\d{1,9}>",),
)
#: Fallback for files of no other format.
SUBRIP = CaptionFormat("SubRip", (".srt",), lambda *_: True, lambda text, _: read_cues(text, is_vtt=False))
