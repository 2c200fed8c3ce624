"""YouTube's own XML: srv1 (`<text start= dur=>`, seconds), srv2 (`<text t= d=>`) and srv3 (`<p t= d=>`, milliseconds).

In srv3, automatic captions have a word in each `<s t=>`, whose time counts from the paragraph's. Written from their
known structure (yt-dlp `--sub-format srv3`). A caption ends where the next begins if both would be shown at once.
"""

from __future__ import annotations

import re
from html import unescape
from itertools import zip_longest

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import MAX_CUE_CHARS, CaptionFormat, Reading
from klip_assets.signals.speech.captions.json_spans import in_seconds
from klip_assets.signals.speech.captions.json_values import ValueRefused, seconds_of
from klip_assets.signals.speech.captions.spoken import Piece, between

_MILLISECONDS = 1000.0
_BEGINS = re.compile(
    r"\s{0,99}(?:<\?xml[^<>]{0,200}\?>\s{0,99})?<(?:transcript|timedtext)[\s>]",
    re.IGNORECASE,
)
_CUE = re.compile(r"<(text|p)(\s[^<>]{1,500})>")
_WORD = re.compile(r"<s(\s[^<>]{0,200})?>([^<>]{0,1000})</s>")
_ATTRIBUTE = re.compile(r'(\w{1,20})\s?=\s?["\']([^"\']{0,40})["\']')
_BREAK = re.compile(r"<br\s{0,9}/?>")
_TAG = re.compile(r"<[^<>]{0,500}>")


def is_youtube_xml(text: str, _: str) -> bool:
    """Return whether a file is YouTube's XML."""
    return _BEGINS.match(text) is not None


def read_youtube_xml(text: str, _: str) -> Reading:
    """Read captions in srv1, srv2 or srv3.

    Args:
        text: The whole file.
    """
    is_srv1 = re.search(r"<text\s[^<>]{0,200}\bstart=", text[:20_000]) is not None
    unit = 1.0 if is_srv1 else _MILLISECONDS
    reading = Reading(per_second=unit)
    cues: list[tuple[float, float | None, list[Piece]]] = []
    begun = list(_CUE.finditer(text))
    for number, (found, after) in enumerate(zip_longest(begun, begun[1:]), start=1):
        stated = dict(_ATTRIBUTE.findall(found[2]))
        body = text[found.end() : after.start() if after else len(text)].partition(f"</{found[1]}")[0]
        body = _BREAK.sub("\n", body)
        if len(body) > MAX_CUE_CHARS:
            reading.refused.append(Refused(f"caption {number}", "too long for a caption", f"{len(body):,} characters"))
            continue
        if not _TAG.sub("", body).strip():
            continue
        try:
            start_s = seconds_of(in_seconds(stated.get("start", stated.get("t")), unit))
            lasts = stated.get("dur", stated.get("d"))
            end_s = None if lasts is None else start_s + seconds_of(in_seconds(lasts, unit))
        except ValueRefused as problem:
            reading.refused.append(Refused(f"caption {number}", problem.reason, problem.detail))
            continue
        words = [(dict(_ATTRIBUTE.findall(word[1] or "")).get("t", "0"), word[2]) for word in _WORD.finditer(body)]
        pieces = [
            Piece(at, at, unescape(unescape(part)))
            for offset, part in words or [("0", _TAG.sub("", body))]
            for at in (start_s + (int(offset) / _MILLISECONDS if offset.isdecimal() else 0.0),)
        ]
        cues.append((start_s, end_s, pieces))
    cues.sort(key=lambda cue: cue[0])
    for index, (start_s, end_s, pieces) in enumerate(cues):
        following = cues[index + 1][0] if index + 1 < len(cues) else None
        ends = [end for end in (end_s, following) if end is not None and end > start_s]
        reading.heard.add(between(pieces, start_s, min(ends, default=start_s)))
    return reading


FORMAT = CaptionFormat(
    "YouTube's XML",
    (".srv1", ".srv2", ".srv3"),
    is_youtube_xml,
    read_youtube_xml,
    word_times=(r'<s\s[^<>]{0,99}\bt="',),
    order=20,
)
