"""The recognizer for real use: faster-whisper, once KLIP_WHISPER_MODEL names a model.

Put here: faster-whisper. Keep out: the choice of the engine (`transcribe`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from klip_assets.errors import EngineUnavailableError
from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray
from klip_assets.speech.words import Transcript, Word

#: Sound is handed over in pieces of this length, so that memory does not grow with the recording.
PIECE_S = 30 * 60

SEED = 0


def installed() -> bool:
    """Say whether the extra `asr` is installed."""
    return find_spec("faster_whisper") is not None


def transcribe(
    blocks: Iterable[FloatArray],
    *,
    model: str,
    device: str = "auto",
    language: str | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Transcript:
    """Recognize speech with faster-whisper, its voice activity filter on.

    Args:
        blocks: 16 kHz mono float32 blocks (`media.decode.decode_sound`).
        model: Name of a model or a folder in CTranslate2's format.
        device: auto, cpu or cuda.
        language: ISO 639-1 code; None to let the model detect it.
        on_progress: Called with the seconds of sound done.

    Raises:
        EngineUnavailableError: The library or the model can't be had.
    """
    if not installed():
        raise EngineUnavailableError(
            f"KLIP_WHISPER_MODEL is {model!r}, but faster-whisper is not installed", hint="pip install -e '.[asr]'"
        )
    from ctranslate2 import set_random_seed
    from faster_whisper import WhisperModel

    # Passages the model is unsure of are tried again by sampling: the same recording must give the same words.
    set_random_seed(SEED)
    try:
        recognizer = WhisperModel(
            model, device=device, compute_type="default", cpu_threads=os.cpu_count() or 1,
            local_files_only=Path(model).is_dir(),
        )  # fmt: skip
    except (RuntimeError, ValueError, OSError) as error:
        raise EngineUnavailableError(f"faster-whisper can't load the model {model!r}: {error}") from error
    words: list[Word] = []
    offset_s = 0.0
    for piece in _pieces(blocks):
        # Whisper pads to 30 s and now and then puts a word into the padding.
        end_s = offset_s + len(piece) / SAMPLE_RATE_HZ
        segments, info = recognizer.transcribe(
            piece, language=language, word_timestamps=True, vad_filter=True, condition_on_previous_text=False
        )
        language = language or info.language
        for segment in segments:
            for word in segment.words or ():
                text = word.word.strip()
                if text:
                    first, last = (min(end_s, offset_s + float(t)) for t in (word.start, word.end))
                    words.append(Word(first, last, text, float(np.clip(word.probability, 0, 1))))
            if on_progress:
                on_progress(min(end_s, offset_s + float(segment.end)))
        offset_s = end_s
    return Transcript(words, language, "faster-whisper", Path(model).name)


def _pieces(blocks: Iterable[FloatArray]) -> Iterable[FloatArray]:
    held: list[FloatArray] = []
    length = 0
    for block in blocks:
        held.append(block)
        length += len(block)
        if length >= PIECE_S * SAMPLE_RATE_HZ:
            yield np.concatenate(held)
            held, length = [], 0
    if held:
        yield np.concatenate(held)
