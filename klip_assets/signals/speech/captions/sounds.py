"""Sounds mentioned in captions: `[laughter]`, `(applause)`, ♪. They are events, not words.

What counts as a tag:

- **Square brackets** hold a tag, unless they hold a mask or more than `MAX_TAG_WORDS` words: no tag is that long.
- **A mask** such as `[ __ ]` (YouTube's, for profanity) stands for a spoken word. It is a word, `[__]`, not a sound.
- **Parentheses** may also hold speech, so they are a tag only if they name a sound of the vocabulary in a few words,
  none of which is typical of sentences (I, you, is ...), or if they are alone on their line, all upper or all lower
  case, with two to four such words. Everything else in parentheses is kept as words.
- **A speaker's name** (`[John]`, `[Young Ann]`, `[man]`, `[HOST:]`) is neither: its last word is capitalized, or it is
  a common word for a person. Nor are `>>` and dashes, which mark a change of speaker.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from klip_assets.signals.speech.captions.sound_words import NOISES, PEOPLE, SENTENCE_WORDS, UNSPACED, VOCABULARY

if TYPE_CHECKING:
    import pyarrow as pa

#: Maximum number of words in a tag; more in brackets count as speech.
MAX_TAG_WORDS = 8
#: Maximum number of words for parentheses to count as a tag.
MAX_PARENTHESIS_WORDS = 5
#: A label that is the tag's own text is truncated to this length.
MAX_LABEL_CHARS = 40
#: Events with the same label touch if they are no further apart than this: YouTube leaves 10 ms between captions.
TOUCHING_S = 0.05
#: Events kept per recording; a day of streaming has a few thousand.
MAX_EVENTS = 10_000

MASKED_WORD = "[__]"


def _words_of(entry: str) -> str:
    return "|".join(entry.replace("_", r"[\s_-]?").split())


_KNOWN = re.compile(
    "|".join(rf"(?P<{label}>(?<!\w)(?:{_words_of(entry)})(?!\w))" for label, entry in VOCABULARY.items())
)
_UNSPACED = {label: re.compile(words) for label, words in UNSPACED.items()}
_MASK_SIGNS = frozenset("_*#•.- \t\n\u00a0")
_SENTENCE_WORDS = frozenset(SENTENCE_WORDS.split())
_PEOPLE = frozenset(PEOPLE.split())
_NOISES = frozenset(NOISES.split())


@dataclass(frozen=True)
class SoundEvent:
    """A sound mentioned in captions: times in seconds from the start of the video, and what it is.

    Attributes:
        start_s: Start of the caption that names it.
        end_s: End of that caption.
        label: One of the vocabulary (laughter, music, applause ...), else the tag's own text in lower case.
    """

    start_s: float
    end_s: float
    label: str


def is_mask(inside: str) -> bool:
    """Return whether brackets hold a mask that stands for a spoken word, such as `[ __ ]`."""
    return set(inside) <= _MASK_SIGNS and any(signs in inside for signs in ("__", "**", "##"))


def labels_of(inside: str, *, followed: bool = False) -> tuple[str, ...] | None:
    """Return the sounds named by a tag in square brackets.

    Args:
        inside: The text between the brackets.
        followed: Whether speech follows on the same line, as after a speaker's name.

    Returns:
        Labels, several if it names several sounds; empty for the name of a speaker; None if it is speech, not a tag.
    """
    words = inside.split()
    if len(words) > MAX_TAG_WORDS:
        return None
    known = _known(inside)
    if known:
        return known
    if _is_speaker(inside, followed=followed):
        return ()
    own = _own_label(inside)
    return (own,) if own else ()


def labels_of_parenthesis(inside: str, *, alone: bool) -> tuple[str, ...] | None:
    """Return the sounds named by a parenthesis if it is a tag, None if it is (or may be) speech.

    Args:
        inside: The text between the parentheses.
        alone: Whether nothing else is on its line.
    """
    words = inside.casefold().split()
    if not words:
        return ()
    bare = {word.strip(".,!?;:'\"") for word in words}
    if len(words) > MAX_PARENTHESIS_WORDS or bare & _SENTENCE_WORDS:
        return None
    known = _known(inside)
    if known and len(words) <= 2:
        return known
    if re.search(r"[.!?…]\s*$|[,;]", inside):
        return None
    if known:
        return known
    if alone and 2 <= len(words) <= 4 and (inside.isupper() or inside.islower()):
        own = _own_label(inside)
        return (own,) if own else ()
    return None


def merged(events: Iterable[SoundEvent]) -> list[SoundEvent]:
    """Return events ordered by start, with those of one label that overlap or touch merged."""
    last: dict[str, SoundEvent] = {}
    done: list[SoundEvent] = []
    for event in sorted(events, key=lambda event: (event.start_s, event.end_s, event.label)):
        before = last.get(event.label)
        if before is not None and event.start_s <= before.end_s + TOUCHING_S:
            last[event.label] = SoundEvent(before.start_s, max(before.end_s, event.end_s), event.label)
            continue
        if before is not None:
            done.append(before)
        last[event.label] = event
    return sorted([*done, *last.values()], key=lambda event: (event.start_s, event.end_s, event.label))


def to_notes(events: Sequence[SoundEvent]) -> list[list[Any]]:
    """Return events as plain lists: start, end, label."""
    return [[round(event.start_s, 3), round(event.end_s, 3), event.label] for event in events[:MAX_EVENTS]]


def digest_of(notes: Sequence[Any]) -> str:
    """Return a hash of events as returned by `to_notes`; it changes if any of them does."""
    return hashlib.sha256(json.dumps(notes).encode()).hexdigest()[:32]


def sound_table(notes: Sequence[Any], video_id: str, source: str) -> pa.Table:
    """Return events from `to_notes` as in the contract `sound_events`.

    Args:
        notes: The events.
        video_id: The video.
        source: Engine of the transcript they come from.
    """
    from klip_assets.contracts import SOUND_EVENTS  # Slow; the inbox imports the formats, which import this.

    return SOUND_EVENTS.from_rows(
        {
            "video_id": video_id,
            "event_index": index,
            "start_s": float(start_s),
            "end_s": float(end_s),
            "label": label,
            "source": source,
        }
        for index, (start_s, end_s, label) in enumerate(notes)
    )


def transcript_sounds_table(notes: Sequence[Any], video_id: str) -> pa.Table:
    """Return events from `to_notes` as in the contract `transcript_sounds`."""
    from klip_assets.contracts import TRANSCRIPT_SOUNDS  # Slow, as above.

    start_s, end_s, labels = zip(*notes, strict=True) if notes else ((), (), ())
    return TRANSCRIPT_SOUNDS.from_columns(
        {
            "video_id": [video_id] * len(notes),
            "event_index": range(len(notes)),
            "start_s": start_s,
            "end_s": end_s,
            "label": labels,
        }
    )


@lru_cache(maxsize=4096)
def _known(inside: str) -> tuple[str, ...]:
    text = _plain(inside)
    found = [match.lastgroup or "" for match in _KNOWN.finditer(text)]
    found = found or [label for label, words in _UNSPACED.items() if words.search(text)]
    return tuple(dict.fromkeys(found))


def _plain(text: str) -> str:
    # Lower case without accents; other scripts stay as they are (NFC: Korean would be decomposed).
    folded = unicodedata.normalize("NFD", text.casefold())
    kept = "".join(sign for sign in folded if not "\u0300" <= sign <= "\u036f")
    return unicodedata.normalize("NFC", kept)


def _is_speaker(inside: str, *, followed: bool) -> bool:
    words = [word.strip(".,:;'\"#&-") for word in inside.split()]
    named = [word for word in words if word[:1].isalpha()]
    if not named:
        return False
    if inside.rstrip().endswith(":") or (_plain(named[0]) in _PEOPLE and len(named) <= 2):
        return True
    if any(_plain(word) in _NOISES for word in named):
        return False
    if not any(sign.isupper() or sign.islower() for sign in inside):
        return followed  # A script without capitals.
    if inside.isupper():  # Some captions are all upper case: one word before speech is a name, more are a sound.
        return len(named) == 1 and followed
    return named[-1][0].isupper() and len(named) <= 4


def _own_label(inside: str) -> str:
    text = " ".join(re.sub(r"[^\w\s'’-]|_", " ", inside.lower()).split())
    return text[:MAX_LABEL_CHARS].strip(" -'’") if any(sign.isalnum() for sign in text) else ""
