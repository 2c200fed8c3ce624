"""Words and sounds from caption and transcript files of every format in `formats`.

The format is detected from the content first, then from the name: a WebVTT file named .srt is read as WebVTT.

Cue times are exact, but word times inside a cue are usually missing: words are spread over the cue by their length.
YouTube's automatic captions have word times (`<00:00:01.500><c> word</c>`) and repeat each line in the next cues; there
a line counts once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.refused import Refused, listed
from klip_assets.formats.text import MAX_DOCUMENT_CHARS, damage_of, open_text, read_document, shown_name, stored_name
from klip_assets.media.sidecar_clock import ANYWHERE, Place
from klip_assets.signals.speech.captions.caption_format import Cue, Cues, Reading
from klip_assets.signals.speech.captions.formats import FORMATS
from klip_assets.signals.speech.captions.half_characters import without_halves
from klip_assets.signals.speech.captions.placing import placed_cues, placed_words
from klip_assets.signals.speech.captions.rolling import new_lines, plain_text
from klip_assets.signals.speech.captions.sounds import merged
from klip_assets.signals.speech.captions.spoken import MAX_WORDS, Piece, between, in_order
from klip_assets.signals.speech.captions.units import cues_in_seconds, reading_in_seconds
from klip_assets.signals.speech.words import Transcript

#: Characters of a file searched for word times.
_SEARCHED_CHARS = 200_000

_INLINE_TIME = re.compile(r"<(?:(\d{1,4}):)?(\d\d):(\d\d\.\d{1,9})>")
_WORD_TIMES = re.compile("|".join(pattern for kind in FORMATS for pattern in kind.word_times))


def read_captions(path: Path, language: str | None, place: Place = ANYWHERE) -> Transcript:
    """Read a caption or transcript file.

    What lies after the end of the recording is refused, and a cue that reaches over it is cut there.

    Args:
        path: The file, in UTF-8 (invalid bytes are read as Windows-1252).
        language: Language from its name, if any; it takes precedence over the one stated in the file.
        place: Where the recording begins and ends on the file's clock.

    Raises:
        ImplausibleTimesError: Its times can't be those of speech, whatever unit they are in.
        OtherClockError: Most of it lies outside the recording.
        UnreadableSidecarError: It holds nothing that can be read as captions, is not a transcript in a supported
            format, or has more than `MAX_DOCUMENT_CHARS` characters.
    """
    name = shown_name(path.name)
    with open_text(path) as file:
        text = read_document(file)
    if text is None:
        raise UnreadableSidecarError(f"{name}: longer than {MAX_DOCUMENT_CHARS:,} characters, too long for captions")
    text = without_halves(text, path)
    suffix = path.suffix.lower()
    found = next(kind for kind in FORMATS if kind.sniff(text, suffix)).read(text, name)
    if isinstance(found, Reading):
        reading = placed_words(reading_in_seconds(found, place, name), place, name)
    else:
        reading = _words_of(placed_cues(cues_in_seconds(found, place, name), place, name), name)
    if reading.heard.is_full:
        reading.refused.append(Refused("rest", "too many words", f"the first {MAX_WORDS:,} words and tags were read"))
    damage = damage_of(path)
    if damage:
        reading.refused.append(Refused("end of file", damage.reason, damage.detail))
    return Transcript(
        in_order(reading.heard.words),
        (language or reading.language or "").split("-")[0].lower() or None,
        "captions",
        stored_name(path.name),
        _listed(reading.refused),
        merged(reading.heard.sounds),
    )


def gives_word_times(path: Path) -> bool:
    """Return whether the beginning of a caption file contains word times.

    A file that can't be opened counts as having none; reading it raises the error.
    """
    try:
        with open_text(path) as file:
            return _WORD_TIMES.search(file.read(_SEARCHED_CHARS)) is not None
    except OSError:
        return False


def _words_of(found: Cues, name: str) -> Reading:
    cues, refused = found
    if not cues:
        raise UnreadableSidecarError(f"{name}: contains no caption cues")
    reading = Reading(refused=refused)
    good: list[Cue] = []
    for cue in cues:
        if cue.end_s < cue.start_s:
            refused.append(Refused(cue.place, "cue ends before it starts", f"{cue.start_s} to {cue.end_s} s"))
        else:
            good.append(cue)
    for cue, lines in zip(good, new_lines(good), strict=True):
        reading.heard.add(_pieces_of(lines, cue.start_s, cue.end_s))
    return reading


def _pieces_of(lines: Sequence[str], start_s: float, end_s: float) -> list[Piece]:
    """Return the text of a cue, cut at its inline times; the part before the first starts with the cue."""
    parts = _INLINE_TIME.split("\n".join(lines))
    pieces = [Piece(start_s, start_s, plain_text(parts[0]))]
    for hours, minutes, seconds, text in zip(*(parts[i::4] for i in range(1, 5)), strict=True):
        at = int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
        pieces.append(Piece(at, at, plain_text(text)))
    return between(pieces, start_s, end_s)


def _listed(refused: Sequence[Refused]) -> tuple[Refused, ...]:
    # A position distinct from that of surplus words.
    return tuple(listed(refused, len(refused), position="rest of the list"))
