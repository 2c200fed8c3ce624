"""Cues of WebVTT, SubRip and SBV files: times and lines of text, read leniently.

All formats are read the same way, by what real files have in common: a line with two times begins a cue, an empty line
ends it. Headers, notes, styles and cue identifiers are not speech.

Only CR LF, LF and CR end a line: other separators (U+2028, U+0085, form feeds) are blanks, unless times stand beside
them. An empty line between the times and the text does not end the cue. Pieces of HLS in one file, each with its
`X-TIMESTAMP-MAP` (RFC 8216, 3.5), are placed on the clock of the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import MAX_CUE_CHARS, Cue, Cues
from klip_assets.signals.speech.captions.cue_times import Times, is_meant_as_times, times_in
from klip_assets.signals.speech.captions.hls import HlsClock

# Blanks are counted: a pattern that allows any number of them tries each number, wherever it begins.
_BLANKS = r"\s{0,99}"
_SBV_TIME = r"(\d{1,4}):(\d{1,2}):(\d{1,2})\.(\d{1,3})"
_SBV_TIMES = re.compile(rf"{_SBV_TIME}{_BLANKS},{_BLANKS}{_SBV_TIME}$")
_MEANT_AS_SBV_TIMES = re.compile(r"^\d{1,4}:\d\S{0,20}\s*,\s*\d{1,4}:\S{1,20}$")
_SBV = re.compile(rf"{_SBV_TIME}{_BLANKS},{_BLANKS}\d{{1,4}}:\d{{1,2}}:\d{{1,2}}\.\d")
_ARROW_TIMES = re.compile(r"\d\s{0,9}-->\s{0,9}\d")
_SBV_LINE_BREAK = re.compile(r"\[br\]", re.IGNORECASE)
_NO_SPEECH = re.compile(r"WEBVTT|(?:NOTE|STYLE|REGION)(?:\s|:|$)")
_HEADER = re.compile(r"WEBVTT(?:[ \t]|$)")
_LINE_END = re.compile("\r\n|\n|\r")
_ODD_SEPARATORS = re.compile("[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
#: Line breaks and blanks as Advanced SubStation writes them, which also get into other formats.
_WRITTEN_BREAK = re.compile(r"\\[Nn]")
#: The number of a cue, as `1`, `1.` or `#1`.
_NUMBER = re.compile(r"#?(\d{1,9})[.)]?")
_MAX_DETAIL = 200


def begins_as_webvtt(text: str) -> bool:
    """Return whether the first line of a file says it is WebVTT, whatever its name."""
    return text.startswith("WEBVTT")


def read_cues(text: str, *, is_vtt: bool) -> Cues:
    """Read the cues of a WebVTT or SubRip file.

    Args:
        text: The whole file.
        is_vtt: Whether it is WebVTT; in SubRip, any empty lines right after the times do not end a cue.

    Returns:
        The cues in file order, and the text without times or with unreadable times.
    """
    return _Reader(times_in, is_meant_as_times, is_vtt=is_vtt, has_identifiers=True).read(text)


def read_sbv_cues(text: str) -> Cues:
    """Read the cues of a SubViewer file, as exported by YouTube: `0:00:01.000,0:00:03.000` and the lines below.

    Args:
        text: The whole file.

    Returns:
        As `read_cues`.
    """
    meant = _MEANT_AS_SBV_TIMES.search
    cues, refused = _Reader(_sbv_times, lambda line: meant(line) is not None, is_vtt=True, has_identifiers=False).read(
        text
    )
    for cue in cues:
        cue.lines = [part for line in cue.lines for part in _SBV_LINE_BREAK.split(line)]
    return cues, refused


def is_sbv(text: str, suffix: str) -> bool:
    """Return whether a file is SBV, given its whole text and its suffix in lower case."""
    return _SBV.match(text.lstrip()) is not None or (suffix == ".sbv" and not _ARROW_TIMES.search(text))


class _Reader:
    """Reads the lines of one file."""

    def __init__(
        self,
        times_of: Callable[[str], Times | None],
        is_meant: Callable[[str], bool],
        *,
        is_vtt: bool,
        has_identifiers: bool,
    ) -> None:
        self._times_of, self._is_meant = times_of, is_meant
        self._is_vtt, self._has_identifiers = is_vtt, has_identifiers
        self._cues: list[Cue] = []
        self._refused: list[Refused] = []
        self._cue: Cue | None = None
        self._stray = _Stray(self._refused)
        self._clock = HlsClock()
        #: Whether the file numbers its cues, None before the first; the number of the last cue.
        self._is_numbered: bool | None = None
        self._number: int | None = None

    def read(self, text: str) -> Cues:
        """Return the cues and what was refused."""
        for number, line in _lines(text.replace("\ufeff", "")):
            self._take(number, line)
        self._stray.end()
        cues = self._clock.without_repeats(self._cues)
        self._refused += [
            Refused(
                f"line {cue.line}", "too long for a caption", f"{cue.chars:,} characters, at most {MAX_CUE_CHARS:,}"
            )
            for cue in cues
            if cue.chars > MAX_CUE_CHARS
        ]
        return [cue for cue in cues if cue.chars <= MAX_CUE_CHARS], self._refused

    def _take(self, number: int, line: str) -> None:
        trimmed = line.strip()
        if times := self._times_of(trimmed):
            self._begin(number, *times)
        elif self._is_meant(trimmed):
            self._stray.end(before_times=self._has_identifiers)
            self._refused.append(Refused(f"line {number}", "unreadable times", trimmed[:_MAX_DETAIL]))
            self._cue = None
            self._stray.skip()
        elif self._has_identifiers and self._is_header(trimmed):
            self._cue = None
            self._clock.take(trimmed)
            self._stray.add(number, "WEBVTT")
        elif not line:
            self._stray.end()
            if self._cue is not None and self._cue.lines:
                self._cue = None
            elif self._cue is not None:
                self._cue.is_apart = True
        elif self._cue is not None and self._cue.is_apart and not self._cue.lines and _NO_SPEECH.match(trimmed):
            self._cue = None
            self._stray.add(number, line)
        elif self._cue is not None:
            self._add(self._cue, line)
        else:
            self._stray.add(number, line)

    def _is_header(self, line: str) -> bool:
        # In a cue, a title may not follow: somebody may speak of WebVTT.
        begins = line == "WEBVTT" if self._cue is not None else _HEADER.match(line) is not None
        return begins or line.startswith("X-TIMESTAMP-MAP")

    def _begin(self, number: int, start_s: float, end_s: float, text: str) -> None:
        self._take_number()
        self._stray.end(before_times=self._has_identifiers)
        shift = self._clock.shift_s
        cue = Cue(start_s + shift, end_s + shift, number)
        if start_s < 0 or cue.start_s < 0:
            if cue.end_s <= 0:
                self._refused.append(Refused(f"line {number}", "before the start of the recording", f"{start_s} s"))
                self._cue = None
                self._stray.skip()
                return
            cue.start_s = 0.0
        self._cues.append(cue)
        self._cue = cue
        if text:
            self._add(cue, text)

    def _take_number(self) -> None:
        """Take the line above the times from the cue before, if it is the number or the name of the next one."""
        if not self._has_identifiers:
            return
        cue, above = self._cue, _number_in(self._stray.last)
        inside = _number_in(cue.lines[-1]) if cue is not None and cue.lines else None
        if self._is_numbered is None:
            self._is_numbered = above is not None
            self._number = above
        elif above is not None:
            self._number = above
        elif cue is not None and cue.is_apart and len(cue.lines) == 1 and self._is_vtt:
            cue.lines.pop()  # An empty cue, and the identifier of the next.
        elif cue is not None and self._is_numbered and inside is not None:
            is_next = self._number is None or inside == self._number + 1
            if is_next or len(cue.lines) > 1:
                cue.lines.pop()  # The number of the next cue, with no empty line above it.
                self._number = inside

    def _add(self, cue: Cue, line: str) -> None:
        cue.chars += len(line)
        if cue.chars > MAX_CUE_CHARS:
            return
        if "\\" in line:
            cue.lines += _WRITTEN_BREAK.split(line.replace("\\h", " "))
        else:
            cue.lines.append(line)


class _Stray:
    """Lines outside any cue: headers, notes, identifiers, or text whose times are missing."""

    def __init__(self, refused: list[Refused]) -> None:
        self._refused = refused
        self._lines: list[tuple[int, str]] = []
        self._skipped = False

    @property
    def last(self) -> str:
        """The last line of the block, '' if there is none."""
        return self._lines[-1][1] if self._lines else ""

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
        if lines and not _NO_SPEECH.match(lines[0][1]) and not all(_number_in(text) is not None for _, text in lines):
            detail = " ".join(text for _, text in lines)[:_MAX_DETAIL]
            self._refused.append(Refused(f"line {lines[0][0]}", "text without times", detail))
        self._lines, self._skipped = [], False


def _number_in(line: str) -> int | None:
    """Return the number a line consists of, None if it does not."""
    found = _NUMBER.fullmatch(line.strip())
    return int(found[1]) if found else None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file with their numbers; a line of several separated oddly only where times are in it."""
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if line.isascii() and line.isprintable():
            yield number, line
            continue
        parts = _ODD_SEPARATORS.split(line)
        if len(parts) > 1 and any(_has_times(part) for part in parts):
            yield from ((number, part) for part in parts)
        else:
            yield number, line


def _has_times(part: str) -> bool:
    trimmed = part.strip()
    return times_in(trimmed) is not None or _SBV_TIMES.match(trimmed) is not None or trimmed == "WEBVTT"


def _sbv_times(line: str) -> Times | None:
    found = _SBV_TIMES.match(line)
    if not found:
        return None
    parts = [int(part) for part in found.groups()]
    digits = [len(found[4]), len(found[8])]
    start_s, end_s = (
        parts[i] * 3600 + parts[i + 1] * 60 + parts[i + 2] + parts[i + 3] / 10 ** digits[i // 4] for i in (0, 4)
    )
    return start_s, end_s, ""
