"""Words from caption files: WebVTT and SubRip.

Cue times are exact, word times inside a cue mostly are not given: they are spread over the cue by the length of the
words. YouTube's automatic captions do give them (`<00:00:01.500><c> word</c>`) and repeat each line in the next
cue; there only the timed lines count.

Put here: caption files to words. Keep out: chat and metadata sidecars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pysubs2

from klip_assets.errors import UnreadableSidecarError
from klip_assets.refused import Refused
from klip_assets.speech.words import Transcript, Word

_INLINE_TIME = re.compile(r"<(\d+):(\d\d):(\d\d\.\d+)>")
_MARKUP = re.compile(r"<[^>]*>|\{\\[^}]*\}")
_SOUND_TAG = re.compile(r"^[\[(][^\])]*[\])]$|^[♪♫]+$")
_ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&nbsp;": " ", "&lrm;": "", "&rlm;": ""}


def read_captions(path: Path, language: str | None) -> Transcript:
    """Read a caption file.

    Args:
        path: A `.vtt` or `.srt` file, in UTF-8 (other bytes are read as Windows-1252).
        language: Language its name states, if any.

    Raises:
        UnreadableSidecarError: It holds no cue at all.
    """
    text = _decoded(path.read_bytes())
    form = "vtt" if path.suffix.lower() == ".vtt" or text.lstrip("\ufeff").startswith("WEBVTT") else "srt"
    try:
        cues = pysubs2.SSAFile.from_string(
            _without_bom(text), format_=form, keep_html_tags=True, keep_unknown_html_tags=True
        )
    except (ValueError, KeyError, IndexError, AttributeError, pysubs2.exceptions.Pysubs2Error) as error:
        raise UnreadableSidecarError(f"{path.name}: not readable as {form} captions: {error}") from error
    timed = bool(_INLINE_TIME.search(text))
    words: list[Word] = []
    refused: list[Refused] = []
    for number, cue in enumerate(cues, start=1):
        if cue.end < cue.start or cue.start < 0:
            refused.append(Refused(f"cue {number}", "cue ends before it starts", f"{cue.start} to {cue.end} ms"))
            continue
        start_s, end_s = cue.start / 1000, cue.end / 1000
        lines = cue.text.replace("\\N", "\n").split("\n")
        if timed:
            for line in lines:
                if _INLINE_TIME.search(line):
                    words += _timed_words(line, start_s, end_s)
        else:
            words += _spread_words(" ".join(lines), start_s, end_s)
    if not words and not len(cues):
        raise UnreadableSidecarError(f"{path.name}: holds no caption cue")
    return Transcript(words, (language or "").split("-")[0].lower() or None, "captions", path.name, tuple(refused))


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _without_bom(text: str) -> str:
    return text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _plain(text: str) -> str:
    text = _MARKUP.sub("", text)
    for entity, character in _ENTITIES.items():
        text = text.replace(entity, character)
    return text


def _spoken(text: str) -> Iterator[str]:
    for tag_or_text in re.split(r"(\[[^\]]*\]|\([^)]*\)|[♪♫]+)", _plain(text)):
        if not _SOUND_TAG.match(tag_or_text.strip()):
            yield from (token for token in tag_or_text.split() if token not in ("-", "–", ">>", ">>>"))


def _spread_words(text: str, start_s: float, end_s: float) -> list[Word]:
    tokens = list(_spoken(text))
    weights = [len(token) + 1 for token in tokens]
    total, at = sum(weights), start_s
    words = []
    for token, weight in zip(tokens, weights, strict=True):
        until = at + (end_s - start_s) * weight / total
        words.append(Word(at, until, token))
        at = until
    return words


def _timed_words(line: str, start_s: float, end_s: float) -> list[Word]:
    pieces = _INLINE_TIME.split(line)
    starts = [start_s]
    texts = [pieces[0]]
    for i in range(1, len(pieces), 4):
        hours, minutes, seconds, text = pieces[i : i + 4]
        starts.append(int(hours) * 3600 + int(minutes) * 60 + float(seconds))
        texts.append(text)
    words = []
    for i, text in enumerate(texts):
        until = starts[i + 1] if i + 1 < len(starts) else max(end_s, starts[i])
        words += _spread_words(text, starts[i], max(starts[i], until))
    return words
