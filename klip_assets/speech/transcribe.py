"""Where the words come from: captions beside the recording, else a recognizer.

Put here: the choice of the source. Keep out: the sources themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from klip_assets.media.decode import decode_sound
from klip_assets.speech import sphinx, whisper
from klip_assets.speech.captions import read_captions
from klip_assets.speech.words import Transcript

Captions = Sequence[tuple[str, Path]]


def best_captions(captions: Captions, language: str | None) -> tuple[str, Path] | None:
    """Choose among caption files: the language asked for, else English, else no language, else the first.

    Of several variants of a language (pt, pt-BR) the one that is named as asked for is preferred.
    """
    asked = (language or "en").lower().replace("_", "-")
    for want in (asked, asked.split("-")[0], "en", ""):
        same = [choice for choice in captions if choice[0].lower() == want]
        variants = [choice for choice in captions if choice[0].lower().split("-")[0] == want]
        if same or variants:
            return (same or variants)[0]
    return captions[0] if captions else None


def engine_for(*, captions: Captions, whisper_model: str | None, language: str | None = None) -> str:
    """Name the source of words that will be used, as it enters the version of a transcript."""
    chosen = best_captions(captions, language)
    if chosen:
        return "captions"
    return f"faster-whisper:{whisper_model}" if whisper_model else sphinx.MODEL


def transcribe(
    recording: Path,
    *,
    captions: Captions,
    whisper_model: str | None,
    whisper_device: str,
    language: str | None,
    on_progress: Callable[[float], None] | None = None,
) -> Transcript:
    """Get the words of a recording from the best source at hand.

    Raises:
        UnreadableSidecarError: The chosen caption file can't be read.
        EngineUnavailableError: faster-whisper was asked for and can't be had.
        UnreadableMediaError: The recording can't be opened.
    """
    chosen = best_captions(captions, language)
    if chosen:
        return read_captions(chosen[1], chosen[0])
    blocks = decode_sound(recording)
    if whisper_model:
        return whisper.transcribe(
            blocks, model=whisper_model, device=whisper_device, language=language, on_progress=on_progress
        )
    return sphinx.transcribe(blocks, on_progress)
