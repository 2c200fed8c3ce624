"""Lines of two times, however a program or a hand spelled them: `00:00:02,000 --> 00:00:04,000` and its variants."""

from __future__ import annotations

import re

# The usual spelling. Blanks are counted: a pattern that allows any number of them tries each, wherever it begins.
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_USUAL = re.compile(rf"{_TIME}\s{{0,99}}-->\s{{0,99}}{_TIME}(?=\s|$)")
_ARROW = r"(?:[-\u2010-\u2015\u2212]{1,3}\s?(?:>|&gt;?|\uff1e)|[-=]>|[\u2192\u27f6\u21d2\u279c])"
_SIGNS = r"[\d:.,;'\uff1a\uff0c\uff0e\s]"
_SPELLED = re.compile(
    rf"([-\u2212]?\s?\d{_SIGNS}{{0,40}}){_ARROW}\s{{0,99}}([-\u2212]?\d{_SIGNS}{{0,40}})[\])]?(?=\s|$)"
)
#: Two clock times with nothing but a dash between them, and nothing else in the line.
_DASHED = re.compile(
    r"(\d{1,4}:\d{1,2}:\d{1,2}[.,]\d{1,9})\s{0,9}(?:[-\u2010-\u2015\u2212]{1,3}|[|,]|to|\s)\s{0,9}(\d{1,4}:\d{1,2}:\d{1,2}[.,]\d{1,9})\s*$"
)
_HINT = re.compile(r"[->\u2010-\u2015\u2192\u27f6\u21d2\u279c\uff1e|]|\d\s\d|\d\sto\s\d|,\d{1,4}:")
_MEANT = re.compile(
    r"\d\s{0,9}-->|-->\s{0,9}\d|^\d{1,9}\s?[:\uff1a]\s?\d[^A-Za-z]{0,40}(?:[-\u2010-\u2015\u2212]\s?>|\u2192)\s{0,9}\d"
)
_SETTING = re.compile(r"(?:align|position|line|size|vertical|region|[XY][12])\s?[:=]", re.IGNORECASE)
# What may stand before the times: the number of the cue, or a bracket (whisper.cpp prints `[00:01.000 --> 00:02.000]`).
_BEFORE = re.compile(r"[\[(\u200e\u200f\u202a-\u202e]{0,3}(?:#?\d{1,6}[.):]?\s{1,9}(?=\d{1,4}:\d))?")
_UNSEEN = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
_PARTS = re.compile(r"\d+|[:.,;'\uff1a\uff0c\uff0e]")
_ONLY = re.compile(rf"[-\u2212]?{_SIGNS}{{1,60}}")
_FRACTION_SIGNS = ".,;'\uff0c\uff0e"
_FRAMES_PER_SECOND = 30

#: Start and end in seconds, and the text on the same line.
Times = tuple[float, float, str]


def times_in(line: str) -> Times | None:
    """Return the times a line of a cue file consists of, None if it is not such a line.

    Args:
        line: The line, without blanks around it.
    """
    if usual := _USUAL.match(line):
        groups = usual.groups()
        return _usual(*groups[:4]), _usual(*groups[4:]), _text_after(line[usual.end() :])
    line = _BEFORE.sub("", line, count=1).rstrip(_UNSEEN)
    if line[:1] not in "-\u2212" and not line[:1].isdecimal():
        return None
    if not _HINT.search(line, 1):
        return None
    if (spelled := _SPELLED.match(line)) or (spelled := _DASHED.match(line)):
        start_s, end_s = seconds_of_clock(spelled[1]), seconds_of_clock(spelled[2])
        after = line[spelled.end() :]
        if start_s is not None and end_s is not None and (_is_clock(spelled[1]) and _is_clock(spelled[2])):
            is_usual = "-->" in line[: spelled.end()]
            text = _text_after(after)
            return (start_s, end_s, text) if is_usual or not text else None
    return None


def is_meant_as_times(line: str) -> bool:
    """Return whether a line looks like times, though `times_in` can't read them."""
    return _MEANT.search(line) is not None


def seconds_of_clock(text: str) -> float | None:
    """Return a clock time in seconds, None if it is not one.

    Hours may be missing, and the fraction: it has any number of digits, and may follow a colon (of one or two digits
    they are frames, of which a second is taken to have 30). Digits of any script, blanks and a sign are allowed.
    """
    trimmed = text.strip()
    sign = -1.0 if trimmed[:1] in ("-", "\u2212") else 1.0
    found = _PARTS.findall(trimmed)
    numbers, signs = found[::2], found[1::2]
    if not _ONLY.fullmatch(trimmed) or len(signs) != len(numbers) - 1 or len(numbers) > 4:
        return None
    if not all(part.isdecimal() for part in numbers):
        return None
    if any(part.isdecimal() for part in signs):
        return None
    fraction = 0.0
    if signs and (signs[-1] in _FRACTION_SIGNS or len(numbers) == 4 or len(numbers[-1]) == 3):
        last = numbers.pop()
        if len(last) > 9:
            return None
        is_frames = signs[-1] not in _FRACTION_SIGNS and len(last) < 3
        fraction = min(int(last) / _FRAMES_PER_SECOND, 0.999) if is_frames else int(last) / 10 ** len(last)
    if len(numbers) > 3 or len(numbers[0]) > 4 or any(len(part) > 2 for part in numbers[1:]):
        return None
    seconds = 0.0
    for part in numbers:
        seconds = seconds * 60 + int(part)
    return sign * (seconds + fraction)


def _is_clock(text: str) -> bool:
    # "2 --> 4" may be anything; "2.5 --> 4.0" are seconds.
    return any(sign in text for sign in ":.,;\uff1a\uff0c\uff0e")


def _usual(hours: str | None, minutes: str, seconds: str, fraction: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000


def _text_after(rest: str) -> str:
    # Settings of WebVTT or coordinates of SubRip are not spoken.
    return "" if not rest or _SETTING.search(rest) else rest.strip()
