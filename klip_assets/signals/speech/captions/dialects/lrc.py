"""LRC, lyrics: `[00:12.00]text`, each until the next; enhanced files also have the time of each word, `<00:12.50>`.

See https://en.wikipedia.org/wiki/LRC_(file_format). A line with several times is said at each of them.
"""

from __future__ import annotations

import re

from klip_assets.signals.speech.captions.caption_format import MAX_CUE_CHARS, CaptionFormat, Cue, Cues

#: A line without a next one lasts so long.
_LAST_S = 4.0
_TIME = re.compile(r"\s{0,9}\[(\d{1,4}:\d{1,2}(?:[.:]\d{1,3})?)\]")
_WORD_TIME = re.compile(r"<(\d{1,4}):(\d{1,2}(?:\.\d{1,3})?)>")
_OFFSET = re.compile(r"\s{0,9}\[offset:\s?([+-]?\d{1,9})\]", re.IGNORECASE)
_TAG = re.compile(r"\s{0,9}\[[a-z#]{1,12}:[^\]\n]{0,999}\]\s{0,9}$", re.IGNORECASE | re.MULTILINE)
_LINE_END = re.compile("\r\n|\n|\r")


def is_lrc(text: str, suffix: str) -> bool:
    """Return whether a file is LRC."""
    if suffix != ".lrc" and not text.lstrip().startswith("["):
        return False
    return suffix == ".lrc" or (_TIME.match(_TAG.sub("", text[:5_000]).lstrip()) is not None)


def read_lrc(text: str, _: str) -> Cues:
    """Read the lines of a file.

    Args:
        text: The whole file.

    Returns:
        The cues in the order of their times; nothing is refused: lines without times are titles.
    """
    found: list[tuple[float, int, str]] = []
    offset_s = 0.0
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if offset := _OFFSET.match(line):
            offset_s = int(offset[1]) / 1000  # Positive: shown sooner.
        starts, place = [], 0
        while time := _TIME.match(line, place):
            starts.append(_seconds(time[1]))
            place = time.end()
        spoken = line[place:][:MAX_CUE_CHARS]
        found += [(start_s, number, spoken) for start_s in starts if start_s is not None]
    found.sort(key=lambda entry: entry[:2])
    cues = []
    for index, (start_s, number, spoken) in enumerate(found):
        end_s = found[index + 1][0] if index + 1 < len(found) else start_s + _LAST_S
        if spoken.strip():
            words = _WORD_TIME.sub(_inline, spoken)
            start, end = max(0.0, start_s - offset_s), max(0.0, end_s - offset_s)
            cues.append(Cue(start, end, number, [words], len(words), f"line {number} at {start:g} s"))
    return cues, []


def _seconds(text: str) -> float | None:
    minutes, _, rest = text.partition(":")
    seconds, _, fraction = rest.replace(":", ".").partition(".")
    return int(minutes) * 60 + int(seconds) + (int(fraction) / 10 ** len(fraction) if fraction else 0.0)


def _inline(found: re.Match[str]) -> str:
    minutes, seconds = int(found[1]), float(found[2])
    return f"<{minutes // 60:02}:{minutes % 60:02}:{seconds:06.3f}>"


FORMAT = CaptionFormat("LRC", (".lrc",), is_lrc, read_lrc, word_times=(r"<\d{1,3}:\d\d\.\d{1,3}>",), order=65)
