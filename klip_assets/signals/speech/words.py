"""A transcript: timed words, the sounds between them, and their source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from klip_assets.formats.refused import Refused
from klip_assets.signals.speech.captions.sounds import SoundEvent

if TYPE_CHECKING:
    import pyarrow as pa

#: A pause this long ends a sentence where the source has no punctuation.
SENTENCE_PAUSE_S = 0.7

#: A source counts as punctuated if it ends a sentence at least once in this many words.
LONGEST_SENTENCE = 60

_SENTENCE_END = re.compile(r"""[.!?…。！？]["'”’)\]]*$""")


@dataclass(frozen=True)
class Word:
    """One spoken word: times in seconds from the start of the video, confidence 0..1 or None."""

    start_s: float
    end_s: float
    text: str
    confidence: float | None = None


@dataclass(frozen=True)
class Transcript:
    """The words of a recording.

    Attributes:
        words: In the order of their starts.
        language: ISO 639-1 code, None if unknown.
        engine: captions, faster-whisper, pocketsphinx, or none where there is no sound.
        engine_model: Model of the engine, or the caption file.
        refused: Cues or lines that could not be read.
        sounds: Sounds that captions mention, ordered by start; they are not words.
    """

    words: Sequence[Word]
    language: str | None
    engine: str
    engine_model: str
    refused: Sequence[Refused] = field(default_factory=tuple)
    sounds: Sequence[SoundEvent] = ()

    def table(self, video_id: str) -> pa.Table:
        """Return the words as in the contract `transcript_words`."""
        from klip_assets.contracts import TRANSCRIPT_WORDS  # Slow; the inbox imports the formats, which import this.

        words = sorted(self.words, key=lambda word: (word.start_s, word.end_s))
        sentences = sentence_indexes(words)
        return TRANSCRIPT_WORDS.from_rows(
            {
                "video_id": video_id,
                "word_index": index,
                "start_s": round(word.start_s, 3),
                "end_s": round(max(word.start_s, word.end_s), 3),
                "word": word.text,
                "confidence": word.confidence,
                "sentence_index": sentences[index],
                "language": self.language,
                "engine": self.engine,
                "engine_model": self.engine_model,
            }
            for index, word in enumerate(words)
        )


def sentence_indexes(words: Sequence[Word]) -> list[int]:
    """Number the sentences, by punctuation if the words have any, else by pauses.

    Returns:
        The sentence of each word, from 0, never decreasing.
    """
    ends = sum(1 for word in words if _SENTENCE_END.search(word.text))
    punctuated = ends * LONGEST_SENTENCE >= len(words) and ends > 0
    indexes, current = [], 0
    for i, word in enumerate(words):
        indexes.append(current)
        if i + 1 == len(words):
            break
        if punctuated:
            current += bool(_SENTENCE_END.search(word.text))
        else:
            current += words[i + 1].start_s - word.end_s >= SENTENCE_PAUSE_S
    return indexes
