"""Captions of which each cue shows the lines before again: which lines of a cue are new."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from klip_assets.signals.speech.captions.caption_format import Cue

#: Captions roll if at least this share of their cues begins with the last line of the previous cue and adds to it.
ROLLING_SHARE = 0.1

#: A line rolls only if the previous cue is still shown, or was until so many seconds before.
ON_SCREEN_S = 0.25

_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<[\d:.]+>|\{\\[^{}]*\}|\{/?[biuscfypBIUSCFYP](?::[^{}]*)?\}")


def new_lines(cues: Sequence[Cue]) -> list[list[str]]:
    """Return the lines of each cue that were not already on screen."""
    shown = [[(line, text) for line in cue.lines if (text := " ".join(plain_text(line).split()))] for cue in cues]
    texts = [[text for _, text in lines] for lines in shown]
    carried = [
        _carried(texts[index - 1], now) if index and _is_shown(cues[index - 1], cue) else 0
        for index, (cue, now) in enumerate(zip(cues, texts, strict=True))
    ]
    with_text = sum(1 for lines in texts if lines)
    # Where whole cues are repeated and nothing is added, somebody says the same again.
    added = sum(1 for count, lines in zip(carried, texts, strict=True) if 0 < count < len(lines))
    if not added or added < ROLLING_SHARE * with_text:
        carried = [0] * len(cues)
    return [[line for line, _ in lines[count:]] for lines, count in zip(shown, carried, strict=True)]


def _is_shown(before: Cue, now: Cue) -> bool:
    # Whether a cue is still on screen when another begins; one that lies after it in time is not.
    return before.start_s <= now.start_s <= before.end_s + ON_SCREEN_S


def _carried(before: list[str], now: list[str]) -> int:
    # Number of first lines that repeat the last ones of the previous cue.
    sizes = range(min(len(before), len(now)), 0, -1)
    return next((size for size in sizes if before[-size:] == now[:size]), 0)


def plain_text(text: str) -> str:
    """Return a line as it is shown, without markup."""
    return html.unescape(_MARKUP.sub("", _BREAK.sub(" ", text)))
