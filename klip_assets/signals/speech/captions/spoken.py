"""Separates spoken words from sound tags in timed text.

Every reader cuts its text into timed pieces: a cue up to its next inline time, a word of a recognizer. Tags are
searched for in the text of a whole cue or segment, since they may span several pieces. A sound gets the time of all
pieces it spans; its exact time within them is unknown.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from klip_assets.signals.speech.captions.sounds import (
    MASKED_WORD,
    SoundEvent,
    is_mask,
    labels_of,
    labels_of_parenthesis,
)
from klip_assets.signals.speech.words import Word

#: No recording is longer; a larger number is not a position in a video.
LONGEST_S = 1_000_000.0

#: Words and tags kept per file; a week of speech has fewer.
MAX_WORDS = 1_000_000

_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
#: Tokens of Whisper's that are no words: `<|startoftranscript|>`, `<|en|>`, `<|4.00|>`, as WhisperKit leaves them.
_TOKEN = re.compile(r"<\|[^<>|\s]{0,40}\|>")
# A bracket is closed by the next one of any kind, so that matching takes linear time.
_TAG = re.compile(r"\[([^\[\]【】]*)\]|【([^【】\[\]]*)】|［([^［］]*)］|\(([^()]*)\)|（([^（）]*)）|[♪♫]+")
#: Characters around a tag in which to check whether it is alone on its line.
_NEAR = 200
_CHANGE_OF_SPEAKER = re.compile(r"[\s>–—-]+")
_NO_WORDS = frozenset(("-", "–", "—", ">>", ">>>"))
#: What stands for bytes and halves of characters that could not be decoded.
_UNDECODED = "\ufffd"


@dataclass(frozen=True)
class Piece:
    """Some text and its time.

    Attributes:
        start_s: Its start, in seconds from the start of the video.
        end_s: Its end.
        text: Plain text, any number of words.
        confidence: Confidence of the recognizer, 0..1; None if not given.
    """

    start_s: float
    end_s: float
    text: str
    confidence: float | None = None


@dataclass
class Heard:
    """Words and sounds, in text order."""

    words: list[Word] = field(default_factory=list)
    sounds: list[SoundEvent] = field(default_factory=list)
    count: int = 0

    @property
    def is_full(self) -> bool:
        """Whether there were more words and tags than are kept."""
        return self.count > MAX_WORDS

    def add(self, pieces: Sequence[Piece], *, timed_words: bool = False) -> None:
        """Add the pieces of one cue or segment.

        Args:
            pieces: In text order.
            timed_words: Whether each piece is one word: punctuation separated by a space stays with it.
        """
        if self.is_full:
            return
        shown = [_TOKEN.sub(" ", _INVISIBLE.sub("", piece.text)) for piece in pieces]
        spoken = self._without_tags(pieces, shown)
        for piece, text in zip(pieces, spoken, strict=True):
            tokens = [token for token in text.split() if token not in _NO_WORDS and token.strip(_UNDECODED)]
            self.count += len(tokens)
            self.words += _spread(_with_punctuation(tokens) if timed_words else tokens, piece)

    def _without_tags(self, pieces: Sequence[Piece], shown: Sequence[str]) -> list[str]:
        whole = "".join(shown)
        if not any(sign in whole for sign in "[(♪♫【［（"):
            return list(shown)
        starts, place = [], 0
        for text in shown:
            starts.append(place)
            place += len(text)
        kept, place, music = [], 0, False
        for tag in _TAG.finditer(whole):
            self.count += 1
            labels, word = _meaning(tag, whole)
            if labels is None:
                continue  # Speech: kept as it is.
            kept.append(whole[place : tag.start()])
            # Padded to the length of the tag, so that later indices stay valid.
            kept.append(f"{word:<{len(tag[0])}}")
            place = tag.end()
            first, last = _index(starts, tag.start()), _index(starts, tag.end() - 1)
            if tag[0][0] in "♪♫":
                music = True
                continue
            start_s, end_s = pieces[first].start_s, max(pieces[first].start_s, pieces[last].end_s)
            self.sounds += [SoundEvent(start_s, end_s, label) for label in labels]
        if music:  # Notes mark both ends of what is sung, so they apply to the whole cue.
            self.sounds.append(SoundEvent(pieces[0].start_s, max(piece.end_s for piece in pieces), "music"))
        text = "".join([*kept, whole[place:]])
        return [text[start : start + len(part)] for start, part in zip(starts, shown, strict=True)]


def between(pieces: Sequence[Piece], start_s: float, end_s: float) -> list[Piece]:
    """Return the pieces of one cue with times that never decrease and lie inside it.

    A time more than a second outside the cue is clamped to the nearer edge.
    """
    done, before = [], start_s
    for piece in pieces:
        inside = start_s - 1 <= piece.start_s <= end_s + 1
        start = piece.start_s if inside else min(max(piece.start_s, start_s), end_s)
        before = max(before, start)
        done.append(Piece(before, before, piece.text, piece.confidence))
    ends = [piece.start_s for piece in done[1:]] + [max(before, end_s)]
    return [Piece(piece.start_s, end, piece.text, piece.confidence) for piece, end in zip(done, ends, strict=True)]


def in_order(words: Iterable[Word]) -> list[Word]:
    """Return words ordered by start, then by end."""
    return sorted(words, key=lambda word: (word.start_s, word.end_s))


def _meaning(tag: re.Match[str], whole: str) -> tuple[tuple[str, ...] | None, str]:
    """Return the labels of a tag (None if it is speech), and the word it stands for, if any."""
    text = tag[0]
    if text[0] in "♪♫":
        return ("music",), ""
    inside = text[1:-1].strip()
    if is_mask(inside):
        return (), MASKED_WORD
    before = whole[max(0, tag.start() - _NEAR) : tag.start()].rpartition("\n")[2]
    after = whole[tag.end() : tag.end() + _NEAR].partition("\n")[0]
    if text[0] in "(（":
        alone = not _CHANGE_OF_SPEAKER.sub("", before) and not after.strip()
        return labels_of_parenthesis(inside, alone=alone), ""
    return labels_of(inside, followed=bool(after.strip())), ""


def _index(starts: Sequence[int], place: int) -> int:
    return bisect_right(starts, place) - 1


def _with_punctuation(tokens: Sequence[str]) -> list[str]:
    # French puts a space before "!"; it is not a word.
    done: list[str] = []
    for token in tokens:
        if done and not any(sign.isalnum() or sign == "_" for sign in token):
            done[-1] += f" {token}"
        else:
            done.append(token)
    return done


def _spread(tokens: Sequence[str], piece: Piece) -> Iterator[Word]:
    """Yield words that share the time of their piece by their length."""
    start_s = piece.start_s
    per_letter = (piece.end_s - start_s) / max(1, sum(len(token) + 1 for token in tokens))
    for left, token in zip(range(len(tokens), 0, -1), tokens, strict=True):
        until = min(piece.end_s, start_s + per_letter * (len(token) + 1)) if left > 1 else piece.end_s
        yield Word(start_s, until, token, piece.confidence)
        start_s = until
