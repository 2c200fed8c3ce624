"""Words of recognizers in JSON, whatever structure they are in.

A word has a text and usually times and a confidence; words without times share the gap between their neighbours. The
words of a segment without a word list share its time by their length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.caption_format import Reading
from klip_assets.signals.speech.captions.json_values import (
    ValueRefused,
    confidence_of,
    entries_of,
    seconds_of,
    shown,
    text_of,
    times_of,
)
from klip_assets.signals.speech.captions.spoken import Piece

#: Limit of a segment without word times: for hours of speech, spread times would mean nothing.
MAX_SEGMENT_CHARS = 100_000

#: A list of words with times, as a pattern for `JsonFormat.word_times`.
WORD_TIMES = r'"words"\s{0,200}:\s{0,200}\[\s{0,200}\{[^{}]{0,400}?"start"'

_WORD = ("punctuated_word", "word", "text")
_CONFIDENCE = ("probability", "score", "confidence")
_LANGUAGES = {
    "arabic": "ar", "chinese": "zh", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "finnish": "fi",
    "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id",
    "italian": "it", "japanese": "ja", "korean": "ko", "norwegian": "no", "polish": "pl", "portuguese": "pt",
    "romanian": "ro", "russian": "ru", "spanish": "es", "swedish": "sv", "thai": "th", "turkish": "tr",
    "ukrainian": "uk", "vietnamese": "vi",
    # ISO 639-3.
    "ara": "ar", "ces": "cs", "cmn": "zh", "dan": "da", "deu": "de", "ell": "el", "eng": "en", "fin": "fi", "fra": "fr",
    "heb": "he", "hin": "hi", "hun": "hu", "ind": "id", "ita": "it", "jpn": "ja", "kor": "ko", "nld": "nl", "nor": "no",
    "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru", "spa": "es", "swe": "sv", "tha": "th", "tur": "tr", "ukr": "uk",
    "vie": "vi", "zho": "zh",
}  # fmt: skip


@dataclass
class _Word:
    """A word as in the file; times are None where it gives none."""

    where: str
    text: str
    start_s: float | None
    end_s: float | None
    confidence: float | None


def timed_words(document: Mapping[str, Any], path: str, per_second: float) -> Reading:
    """Read a document whose words are in one list.

    Args:
        document: The JSON document.
        path: Its entry that holds the words.
        per_second: Time units per second.
    """
    stated = document.get("language_code") or document.get("language")
    reading = Reading(language=language_of(stated), per_second=per_second)
    take_words(reading, document[path], path, (None, None), per_second)
    return reading


def take_utterances(reading: Reading, utterances: object, path: str, per_second: float) -> None:
    """Add the words of a list of utterances, or their texts where they have no words.

    Args:
        reading: The reading to add to.
        utterances: The list; anything else counts as empty.
        path: Its path in the document.
        per_second: Time units per second.
    """
    reading.per_second = per_second
    for where, utterance in entries_of(utterances, path, reading.refused):
        words = utterance.get("words")
        if isinstance(words, list) and words:
            take_words(reading, words, f"{where}.words", bounds_of(utterance, per_second), per_second)
        else:
            take_text(reading, utterance, where, per_second)


def take_text(reading: Reading, entry: Mapping[str, Any], where: str, per_second: float) -> None:
    """Add the text of a segment without a word list: its words share its time.

    Args:
        reading: The reading to add to.
        entry: The segment.
        where: Its path in the document.
        per_second: Time units per second.
    """
    try:
        text = text_of(entry, "text", "transcript")
        if len(text) > MAX_SEGMENT_CHARS:
            raise ValueRefused("too long for a segment without word times", f"{len(text):,} characters")
        if text.strip():
            start_s, end_s = times_of(entry, per_second=per_second)
            reading.heard.add([Piece(start_s, end_s, text, confidence_of(entry, "confidence"))])
    except ValueRefused as problem:
        reading.refused.append(Refused(where, problem.reason, problem.detail))


def take_words(
    reading: Reading,
    words: Sequence[Any],
    path: str,
    bounds: tuple[float | None, float | None],
    per_second: float = 1.0,
) -> None:
    """Add the words of a segment; those without times are placed between their neighbours.

    Args:
        reading: The reading to add to.
        words: The list of words.
        path: Its path in the document.
        bounds: Start and end of the segment in seconds, None where it gives none.
        per_second: Time units per second.
    """
    found: list[_Word] = []
    for where, entry in entries_of(words, path, reading.refused):
        try:
            word = _word(entry, where, per_second)
        except ValueRefused as problem:
            reading.refused.append(Refused(where, problem.reason, problem.detail))
            continue
        if word.text.strip():
            found.append(word)
    timed = _filled(found, bounds)
    if timed is None:
        reading.refused += [Refused(word.where, "no time", shown(word.text)) for word in found]
        return
    # Ordered by start, because tags span consecutive words.
    timed.sort(key=lambda piece: (piece.start_s, piece.end_s))
    reading.heard.add(timed, timed_words=True)


def bounds_of(entry: Mapping[str, Any], per_second: float = 1.0) -> tuple[float | None, float | None]:
    """Return start and end of an entry in seconds, None and None if they can't be used."""
    try:
        return times_of(entry, per_second=per_second)
    except ValueRefused:
        return None, None


def is_list(entry: Mapping[str, Any], key: str) -> bool:
    """Return whether an entry of an object is a list."""
    return isinstance(entry.get(key), list)


def language_of(value: object) -> str | None:
    """Return the code of the language a file states, such as "en" for "en_US" or "English"; None if not a language."""
    # Some files give the English name; names not listed here are ignored.
    code = value.strip().replace("_", "-").split("-")[0].lower() if isinstance(value, str) else ""
    code = _LANGUAGES.get(code, code)
    return code if 2 <= len(code) <= 3 and code.isascii() and code.isalpha() else None


def _word(entry: Mapping[str, Any], where: str, per_second: float) -> _Word:
    # A leading space, and inner spaces only where the file has them: words stay separate when joined.
    text = " " + " ".join(text_of(entry, *_WORD).split())
    confidence = confidence_of(entry, *_CONFIDENCE)
    has_start, has_end = entry.get("start") is not None, entry.get("end") is not None
    if has_start and has_end:
        return _Word(where, text, *times_of(entry, per_second=per_second), confidence)
    start_s = seconds_of(entry["start"], per_second=per_second) if has_start else None
    end_s = seconds_of(entry["end"], per_second=per_second) if has_end else None
    return _Word(where, text, start_s, end_s, confidence)


def _filled(words: Sequence[_Word], bounds: tuple[float | None, float | None]) -> list[Piece] | None:
    """Return words with times; runs without times share the gap between their neighbours or the segment's bounds."""
    known = [t for word in words for t in (word.start_s, word.end_s) if t is not None]
    if words and not known and bounds[0] is None:
        return None
    pieces: list[Piece] = []
    at = bounds[0] if bounds[0] is not None else min(known, default=0.0)
    index = 0
    while index < len(words):
        word = words[index]
        if word.start_s is not None and word.end_s is not None:
            pieces.append(Piece(word.start_s, word.end_s, word.text, word.confidence))
            at = word.end_s
            index += 1
            continue
        # A run up to the next word that has its own start.
        run = [word]
        while index + len(run) < len(words) and words[index + len(run)].start_s is None and run[-1].end_s is None:
            run.append(words[index + len(run)])
        after = words[index + len(run)].start_s if index + len(run) < len(words) else bounds[1]
        start_s = at if word.start_s is None else word.start_s
        end_s = next((end for end in (run[-1].end_s, after) if end is not None), start_s)
        end_s = max(start_s, end_s)
        per_letter = (end_s - start_s) / sum(len(entry.text) for entry in run)
        for entry in run:
            until = min(end_s, start_s + per_letter * len(entry.text))
            pieces.append(Piece(start_s, until, entry.text, entry.confidence))
            start_s = until
        at = end_s
        index += len(run)
    return pieces
