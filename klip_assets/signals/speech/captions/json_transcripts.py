"""Words from the JSON that recognizers write: Whisper and its kin, Deepgram, AssemblyAI.

What a file is shows in its content:

- **Whisper** (also faster-whisper, WhisperX, whisper-timestamped, OpenAI's verbose_json): `segments` with `start`,
  `end`, `text`, in seconds, and mostly `words` with `word` or `text` and `probability`, `score` or `confidence`.
  WhisperX gives numbers without times: they share the gap between their neighbours. The words of a segment that gives
  none share its time by their length.
- **Deepgram**: `results.channels[].alternatives[0].words` in seconds, of all channels; else `results.utterances`.
- **AssemblyAI**: `words` in milliseconds; without them `utterances`.

Words and utterances say the same twice: only one of them is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.json_values import (
    ValueRefused,
    confidence_of,
    entries_of,
    seconds_of,
    shown,
    text_of,
    times_of,
)
from klip_assets.signals.speech.captions.spoken import Heard, Piece

#: Hours of speech whose words have no times would say nothing about when they are spoken.
MAX_SEGMENT_CHARS = 100_000

_MILLISECONDS = 1000.0
_WORD = ("punctuated_word", "word", "text")
_CONFIDENCE = ("probability", "score", "confidence")
_LANGUAGES = {
    "arabic": "ar", "chinese": "zh", "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "finnish": "fi",
    "french": "fr", "german": "de", "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id",
    "italian": "it", "japanese": "ja", "korean": "ko", "norwegian": "no", "polish": "pl", "portuguese": "pt",
    "romanian": "ro", "russian": "ru", "spanish": "es", "swedish": "sv", "thai": "th", "turkish": "tr",
    "ukrainian": "uk", "vietnamese": "vi",
}  # fmt: skip


@dataclass
class Reading:
    """What a JSON file says.

    Attributes:
        heard: Its words and sounds.
        language: As the file states it, None if it does not.
        refused: What could not be used, with its path.
    """

    heard: Heard = field(default_factory=Heard)
    language: str | None = None
    refused: list[Refused] = field(default_factory=list)


@dataclass
class _Word:
    """A word as a file gives it; times are None where it gives none."""

    where: str
    text: str
    start_s: float | None
    end_s: float | None
    confidence: float | None


def read_transcript(document: Any, name: str) -> Reading:
    """Read the transcript of a recognizer.

    Args:
        document: The JSON document.
        name: Name of the file, for messages.

    Raises:
        UnreadableSidecarError: It is no transcript of a known kind, or says that recognizing failed.
    """
    if isinstance(document, list) and any(_is_segment(entry) for entry in document[:10]):
        return _whisper({"segments": document}, "")
    if isinstance(document, dict):
        results = document.get("results")
        if isinstance(results, dict) and (_is_list(results, "channels") or _is_list(results, "utterances")):
            return _deepgram(document, results)
        if _is_list(document, "segments") and _holds_segments(document):
            return _whisper(document, "segments")
        if _is_list(document, "word_segments"):
            return _timed_words(document, "word_segments", 1.0)
        if _is_list(document, "words") or _is_list(document, "utterances"):
            return _assemblyai(document)
        if document.get("status") == "error":
            raise UnreadableSidecarError(f"{name}: the recognizer failed: {shown(document.get('error'))}")
    found = f"with {', '.join(shown(key) for key in list(document)[:6])}" if isinstance(document, dict) else ""
    raise UnreadableSidecarError(
        f"{name}: JSON {found or 'that is no object'}, which is no transcript of a known kind",
        hint="known are Whisper, WhisperX, Deepgram, AssemblyAI and YouTube's json3",
    )


def _whisper(document: Mapping[str, Any], path: str) -> Reading:
    reading = Reading(language=_language(document.get("language")))
    segments = document["segments"]
    # OpenAI's verbose_json gives segments without words, and all words beside them.
    inside = any(isinstance(s, dict) and s.get("words") for s in segments)
    if not inside and isinstance(document.get("words"), list) and document["words"]:
        return _timed_words(document, "words", 1.0)
    for where, segment in entries_of(segments, path, reading.refused):
        words = segment.get("words")
        if isinstance(words, list) and words:
            _take_words(reading, words, f"{where}.words", _bounds(segment))
        else:
            _take_text(reading, segment, where, 1.0)
    return reading


def _deepgram(document: Mapping[str, Any], results: Mapping[str, Any]) -> Reading:
    reading = Reading()
    for where, channel in entries_of(results.get("channels"), "results.channels", reading.refused):
        reading.language = reading.language or _language(channel.get("detected_language"))
        alternatives = channel.get("alternatives")
        best = alternatives[0] if isinstance(alternatives, list) and alternatives else None
        if isinstance(best, dict) and isinstance(best.get("words"), list):
            _take_words(reading, best["words"], f"{where}.alternatives[0].words", (None, None))
    if not reading.heard.words and not reading.heard.sounds:
        _take_utterances(reading, results.get("utterances"), "results.utterances", 1.0)
    if not reading.heard.words and not reading.heard.sounds and not reading.refused:
        text = [shown(c["alternatives"][0].get("transcript")) for c in _with_transcript(results)]
        if any(text):
            reading.refused.append(Refused("results.channels", "text without times", " ".join(text)[:200]))
    return reading


def _assemblyai(document: Mapping[str, Any]) -> Reading:
    words = document.get("words")
    # `word` is what OpenAI calls it, in seconds; AssemblyAI says `text`, and counts milliseconds.
    first = next((word for word in words or () if isinstance(word, dict)), {})
    if words:
        return _timed_words(document, "words", 1.0 if "word" in first else _MILLISECONDS)
    reading = Reading(language=_language(document.get("language_code")))
    _take_utterances(reading, document.get("utterances"), "utterances", _MILLISECONDS)
    return reading


def _timed_words(document: Mapping[str, Any], path: str, a_second: float) -> Reading:
    reading = Reading(language=_language(document.get("language_code") or document.get("language")))
    _take_words(reading, document[path], path, (None, None), a_second)
    return reading


def _take_utterances(reading: Reading, utterances: object, path: str, a_second: float) -> None:
    for where, utterance in entries_of(utterances, path, reading.refused):
        words = utterance.get("words")
        if isinstance(words, list) and words:
            _take_words(reading, words, f"{where}.words", _bounds(utterance, a_second), a_second)
        else:
            _take_text(reading, utterance, where, a_second)


def _take_text(reading: Reading, entry: Mapping[str, Any], where: str, a_second: float) -> None:
    """Take a segment without words: they share its time."""
    try:
        text = text_of(entry, "text", "transcript")
        if len(text) > MAX_SEGMENT_CHARS:
            raise ValueRefused("too long for a segment without word times", f"{len(text):,} characters")
        if text.strip():
            start_s, end_s = times_of(entry, a_second=a_second)
            reading.heard.add([Piece(start_s, end_s, text, confidence_of(entry, "confidence"))])
    except ValueRefused as problem:
        reading.refused.append(Refused(where, problem.reason, problem.detail))


def _take_words(
    reading: Reading, words: Sequence[Any], path: str, bounds: tuple[float | None, float | None], a_second: float = 1.0
) -> None:
    """Take the words of a segment, those without times between their neighbours."""
    found: list[_Word] = []
    for where, entry in entries_of(words, path, reading.refused):
        try:
            word = _word(entry, where, a_second)
        except ValueRefused as problem:
            reading.refused.append(Refused(where, problem.reason, problem.detail))
            continue
        if word.text.strip():
            found.append(word)
    timed = _filled(found, bounds)
    if timed is None:
        reading.refused += [Refused(word.where, "no time", shown(word.text)) for word in found]
        return
    # In the order of their starts, for tags run over words that follow each other.
    timed.sort(key=lambda piece: (piece.start_s, piece.end_s))
    reading.heard.add(timed, timed_words=True)


def _word(entry: Mapping[str, Any], where: str, a_second: float) -> _Word:
    # A leading space, and none inside but where the file has one: words stay apart when they are put in a row.
    text = " " + " ".join(text_of(entry, *_WORD).split())
    confidence = confidence_of(entry, *_CONFIDENCE)
    has_start, has_end = entry.get("start") is not None, entry.get("end") is not None
    if has_start and has_end:
        return _Word(where, text, *times_of(entry, a_second=a_second), confidence)
    start_s = seconds_of(entry["start"], a_second=a_second) if has_start else None
    end_s = seconds_of(entry["end"], a_second=a_second) if has_end else None
    return _Word(where, text, start_s, end_s, confidence)


def _filled(words: Sequence[_Word], bounds: tuple[float | None, float | None]) -> list[Piece] | None:
    """Return words with times; runs without share the gap between their neighbours, or up to the segment's bounds."""
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
        # A run up to the next word that has a start of its own.
        run = [word]
        while index + len(run) < len(words) and words[index + len(run)].start_s is None and run[-1].end_s is None:
            run.append(words[index + len(run)])
        after = words[index + len(run)].start_s if index + len(run) < len(words) else bounds[1]
        start_s = at if word.start_s is None else word.start_s
        end_s = next((end for end in (run[-1].end_s, after) if end is not None), start_s)
        end_s = max(start_s, end_s)
        a_letter = (end_s - start_s) / sum(len(entry.text) for entry in run)
        for entry in run:
            until = min(end_s, start_s + a_letter * len(entry.text))
            pieces.append(Piece(start_s, until, entry.text, entry.confidence))
            start_s = until
        at = end_s
        index += len(run)
    return pieces


def _bounds(entry: Mapping[str, Any], a_second: float = 1.0) -> tuple[float | None, float | None]:
    try:
        return times_of(entry, a_second=a_second)
    except ValueRefused:
        return None, None


def _with_transcript(results: Mapping[str, Any]) -> list[Any]:
    channels = results.get("channels")
    return [
        channel
        for channel in (channels if isinstance(channels, list) else [])
        if isinstance(channel, dict)
        and isinstance(channel.get("alternatives"), list)
        and channel["alternatives"]
        and isinstance(channel["alternatives"][0], dict)
        and channel["alternatives"][0].get("transcript")
    ]


def _is_segment(entry: object) -> bool:
    return isinstance(entry, dict) and "start" in entry and ("text" in entry or "words" in entry)


def _holds_segments(document: Mapping[str, Any]) -> bool:
    segments = document["segments"]
    # Of a recording in which nobody speaks, there are none.
    return any(_is_segment(entry) for entry in segments[:10]) or (not segments and "language" in document)


def _is_list(entry: Mapping[str, Any], key: str) -> bool:
    return isinstance(entry.get(key), list)


def _language(value: object) -> str | None:
    # Some say it in English; a name that is not known here is not known.
    code = value.strip().replace("_", "-").split("-")[0].lower() if isinstance(value, str) else ""
    code = _LANGUAGES.get(code, code)
    return code if 2 <= len(code) <= 3 and code.isascii() and code.isalpha() else None
