"""Captions of which each cue shows again what the one before showed: which lines and words of a cue are new.

Lines roll, as in automatic captions and CEA-608. A line may also grow, as live captions do: each cue shows the text of
the one before and some words more.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import accumulate

from klip_assets.signals.speech.captions.caption_format import Cue

#: Captions roll if at least this share of their cues begins with the last line of the previous cue and adds to it.
ROLLING_SHARE = 0.1

#: A line rolls only if the previous cue is still shown, or was until so many seconds before.
ON_SCREEN_S = 0.25

#: Cues that grow by words in a row, so that it is no chance; in files of short lines, this share of all.
GROWING_CUES, GROWING_SHARE = 3, 0.5

#: Lines on screen at most, where lines grow.
_LINES = 8

_BREAK = re.compile(r"<br\s{0,9}/?>", re.IGNORECASE)
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|<[\d:.]+>|\{\\[^{}]*\}|\{/?[biuscfypBIUSCFYP](?::[^{}]*)?\}")


def new_lines(cues: Sequence[Cue]) -> list[list[str]]:
    """Return the lines of each cue that were not already on screen, without words that were."""
    shown = [[(line, text) for line in cue.lines if (text := " ".join(plain_text(line).split()))] for cue in cues]
    texts = [[text for _, text in lines] for lines in shown]
    touch = [index > 0 and _is_shown(cues[index - 1], cue) for index, cue in enumerate(cues)]
    if grown := _grown(texts, touch):
        went_on = [*(is_cut for _, is_cut in grown[1:]), False]
        return [
            _words_between(lines, count, is_cut=is_cut)
            for lines, (count, _), is_cut in zip(shown, grown, went_on, strict=True)
        ]
    carried = [_carried(texts[index - 1], now) if touch[index] else 0 for index, now in enumerate(texts)]
    with_text = sum(1 for lines in texts if lines)
    # Where whole cues are repeated and nothing is added, somebody says the same again.
    added = sum(1 for count, lines in zip(carried, texts, strict=True) if 0 < count < len(lines))
    if not added or added < ROLLING_SHARE * with_text:
        carried = [0] * len(cues)
    return [[line for line, _ in lines[count:]] for lines, count in zip(shown, carried, strict=True)]


def _grown(texts: Sequence[list[str]], touch: Sequence[bool]) -> list[tuple[int, bool]]:
    """Return how many words of each cue were on screen before, and whether it ends the last word of the one before.

    Returns:
        Nothing if lines do not grow in this file.
    """
    words = [[line.split() for line in lines] for lines in texts]
    found = [_repeated(words[index - 1], now) if touch[index] else (0, False, False) for index, now in enumerate(words)]
    longest = row = grows = 0
    for _, _, is_growing in found:
        row = row + 1 if is_growing else 0
        grows += is_growing
        longest = max(longest, row)
    with_text = sum(1 for lines in texts if lines)
    if longest >= GROWING_CUES or (grows > GROWING_CUES and grows >= GROWING_SHARE * with_text):
        return [(count, is_cut) for count, is_cut, _ in found]
    return []


def _repeated(before: Sequence[list[str]], now: Sequence[list[str]]) -> tuple[int, bool, bool]:
    """Return how many first words of a cue repeat the last lines of the one before.

    Returns:
        The number, whether the last word before went on in this cue, and whether a line did.
    """
    flat = [word for line in now for word in line]
    starts = set(accumulate((len(line) for line in now), initial=0))
    for first in range(max(0, len(before) - _LINES), len(before)):
        lines = [word for line in before[first:] for word in line]
        size = len(lines)
        if not lines or size > len(flat):
            continue
        if flat[:size] == lines:
            return size, False, size < len(flat) and size not in starts
        if flat[: size - 1] == lines[:-1] and flat[size - 1].startswith(lines[-1]):
            return size - 1, True, True
    return 0, False, False


def _words_between(lines: Sequence[tuple[str, str]], count: int, *, is_cut: bool) -> list[str]:
    """Return lines without their first words, and without the last one if it is cut; such lines lose their markup."""
    left, until = [], sum(len(text.split()) for _, text in lines) - is_cut
    for line, text in lines:
        words = text.split()
        kept = words[max(0, count) : max(0, until)]
        if len(kept) == len(words):
            left.append(line)
        elif kept:
            left.append(html.escape(" ".join(kept), quote=False))
        count -= len(words)
        until -= len(words)
    return left


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
