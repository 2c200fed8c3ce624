"""Words from caption files: WebVTT and SubRip.

Cue times are exact, word times inside a cue mostly are not given: they are spread over the cue by the length of the
words. YouTube's automatic captions do give them (`<00:00:01.500><c> word</c>`) and show each line again in the next
cues; there a line counts once.

Put here: what the words of a cue are. Keep out: the file format (`cues`), chat and metadata sidecars.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from klip_assets.errors import UnreadableSidecarError
from klip_assets.refused import Refused
from klip_assets.speech.cues import Cue, read_cues
from klip_assets.speech.words import Transcript, Word
from klip_assets.textfile import MAX_DOCUMENT_CHARS, damage_of, open_text, read_document, shown_name, stored_name

#: Captions roll if at least this share of their cues begins with the line the cue before ends with.
ROLLING_SHARE = 0.2

_INLINE_TIME = re.compile(r"<(?:(\d{1,4}):)?(\d\d):(\d\d\.\d{1,9})>")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<[\d:.]+>|\{\\[^}]*\}")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_SOUND_TAG = re.compile(r"\[[^\]]*\]|\([^)]*\)|[♪♫]+")
_NO_WORDS = frozenset(("-", "–", "—", ">>", ">>>"))


def read_captions(path: Path, language: str | None) -> Transcript:
    """Read a caption file.

    Args:
        path: A `.vtt` or `.srt` file, in UTF-8 (bytes that are none are read as Windows-1252).
        language: Language its name states, if any.

    Raises:
        UnreadableSidecarError: It holds no cue at all, or more than `MAX_DOCUMENT_CHARS` characters.
    """
    name = shown_name(path.name)
    with open_text(path) as file:
        text = read_document(file)
    if text is None:
        raise UnreadableSidecarError(f"{name}: captions of more than {MAX_DOCUMENT_CHARS:,} characters are not read")
    cues, refused = read_cues(text, is_vtt=path.suffix.lower() == ".vtt" or text.startswith("WEBVTT"))
    if not cues:
        raise UnreadableSidecarError(f"{name}: holds no caption cue")
    damage = damage_of(path)
    if damage:
        refused.append(Refused("end of file", damage.reason, damage.detail))
    sound: list[Cue] = []
    for cue in cues:
        if cue.end_s < cue.start_s:
            refused.append(Refused(f"line {cue.line}", "cue ends before it starts", f"{cue.start_s} to {cue.end_s} s"))
        else:
            sound.append(cue)
    words = [
        word
        for cue, lines in zip(sound, _new_lines(sound), strict=True)
        for word in _words_of(lines, cue.start_s, cue.end_s)
    ]
    return Transcript(
        words, (language or "").split("-")[0].lower() or None, "captions", stored_name(path.name), tuple(refused)
    )


def _new_lines(cues: Sequence[Cue]) -> list[list[str]]:
    """Return the lines of each cue that were not on the screen before."""
    shown = [[(line, text) for line in cue.lines if (text := " ".join(_plain(line).split()))] for cue in cues]
    texts = [[text for _, text in lines] for lines in shown]
    carried = [0, *(_carried(before, now) for before, now in pairwise(texts))]
    with_text = sum(1 for lines in texts if lines)
    if sum(1 for count in carried if count) < ROLLING_SHARE * with_text:
        carried = [0] * len(cues)
    return [[line for line, _ in lines[count:]] for lines, count in zip(shown, carried, strict=True)]


def _carried(before: list[str], now: list[str]) -> int:
    # How many of the first lines are the last ones of the cue before.
    sizes = range(min(len(before), len(now)), 0, -1)
    return next((size for size in sizes if before[-size:] == now[:size]), 0)


def _plain(text: str) -> str:
    return _INVISIBLE.sub("", html.unescape(_MARKUP.sub("", text)))


def _words_of(lines: Sequence[str], start_s: float, end_s: float) -> Iterator[Word]:
    """Yield the words of a cue; those before its first inline time begin with it."""
    pieces = _INLINE_TIME.split(" ".join(lines))
    starts, texts = [start_s], [pieces[0]]
    for hours, minutes, seconds, text in zip(*(pieces[i::4] for i in range(1, 5)), strict=True):
        starts.append(int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds))
        texts.append(text)
    for start, until, text in zip(starts, [*starts[1:], end_s], texts, strict=True):
        yield from _spread(text, start, max(start, until))


def _spread(text: str, start_s: float, end_s: float) -> Iterator[Word]:
    tokens = [token for token in _SOUND_TAG.sub(" ", _plain(text)).split() if token not in _NO_WORDS]
    a_letter = (end_s - start_s) / max(1, sum(len(token) + 1 for token in tokens))
    for token in tokens:
        until = min(end_s, start_s + a_letter * (len(token) + 1))
        yield Word(start_s, until, token)
        start_s = until
