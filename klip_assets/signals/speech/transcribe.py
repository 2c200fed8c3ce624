"""Source of the words: captions next to the recording, else a recognizer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from klip_assets.media.decode import LONGEST_S, FloatArray, decode_sound
from klip_assets.media.sidecar_clock import ANYWHERE, Place
from klip_assets.media.timeline import Timeline
from klip_assets.signals.speech import sphinx, whisper
from klip_assets.signals.speech.captions.reader import gives_word_times, read_captions
from klip_assets.signals.speech.chunks import ChunkLog
from klip_assets.signals.speech.words import Transcript

Captions = Sequence[tuple[str, Path]]


def best_captions(captions: Captions, language: str | None) -> tuple[str, Path] | None:
    """Choose a caption file: the requested language, else English, else no language, else the first.

    Among variants of a language (pt, pt-BR), an exact match is preferred. Among files of one language, one with word
    times is preferred (usually a recognizer's JSON or YouTube's automatic captions): segments, highlights and searches
    all start at words. Otherwise captions come before JSON, then by name. Forced captions (only signs, and what is said
    in another language) are taken if there are no others.
    """
    captions = [choice for choice in captions if not _are_forced(choice[1])] or captions
    requested = (language or "en").lower().replace("_", "-")
    for wanted in (requested, requested.split("-")[0], "en", ""):
        same = [choice for choice in captions if choice[0].lower() == wanted]
        variants = [choice for choice in captions if choice[0].lower().split("-")[0] == wanted]
        if same or variants:
            return _with_word_times(same or variants)
    # Captions are sorted by language: take those of the first.
    return _with_word_times([choice for choice in captions if choice[0] == captions[0][0]]) if captions else None


def _are_forced(path: Path) -> bool:
    return not {"forced", "foreign"}.isdisjoint(path.name.lower().split("."))


def _with_word_times(choices: Captions) -> tuple[str, Path]:
    if len(choices) == 1:
        return choices[0]
    timed = [choice for choice in choices if gives_word_times(choice[1])]
    return min(timed or choices, key=lambda choice: choice[1].suffix.lower() == ".json" and not timed)


def engine_for(*, has_captions: bool, whisper_model: str | None) -> str:
    """Return the source of words that will be used, as it enters the version of a transcript."""
    if has_captions:
        return "captions"
    return f"faster-whisper:{whisper_model}" if whisper_model else sphinx.MODEL


def transcribe(
    recording: Path,
    *,
    captions: Captions,
    place: Place = ANYWHERE,
    track: int | None = None,
    timeline: Timeline | None = None,
    whisper_model: str | None = None,
    whisper_device: str = "auto",
    whisper_compute_type: str = "auto",
    language: str | None = None,
    longest_s: float = LONGEST_S,
    on_progress: Callable[[float], None] | None = None,
    log: ChunkLog | None = None,
) -> Transcript:
    """Get the words of a recording from the best available source.

    Raises:
        UnreadableSidecarError: The chosen caption file can't be read.
        EngineUnavailableError: faster-whisper was requested but is not available.
        UnreadableMediaError: The recording can't be opened.
    """
    chosen = best_captions(captions, language)
    if chosen:
        return read_captions(chosen[1], chosen[0], place)

    def sound() -> Iterator[FloatArray]:
        return decode_sound(recording, track=track, timeline=timeline, longest_s=longest_s)

    if whisper_model:
        return whisper.transcribe(
            sound,
            on_progress,
            model=whisper_model,
            device=whisper_device,
            compute_type=whisper_compute_type,
            language=language,
            log=log,
        )
    return sphinx.transcribe(sound, on_progress, log=log)
