"""The recognizer for real use: faster-whisper, once KLIP_WHISPER_MODEL names a model.

Whisper hallucinates fluent sentences where nobody speaks ("Thanks for watching!") and falls into loops. So it is given
only stretches with speech, uncertain results are retried with repetitions penalized, and words without any speech at
their time are dropped.

Source: Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", section 4.5 (thresholds).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from klip_assets.errors import EngineUnavailableError
from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray
from klip_assets.signals.audio.voice import FRAME_S, LISTEN
from klip_assets.signals.speech.captions.sounds import merged
from klip_assets.signals.speech.captions.spoken import Heard, Piece
from klip_assets.signals.speech.chunks import ChunkLog
from klip_assets.signals.speech.utterances import Hearing, Utterance, hear, plan, utterances
from klip_assets.signals.speech.words import Transcript, Word

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

#: Whisper's window is 30 s: utterances are packed to nearly that, and cut in pauses of at least this length.
LONGEST_S, ENOUGH_S, PAUSE_S = 29.0, 25.0, 0.3

#: Utterances recognized per batch, by device.
BATCH = {"cpu": 4, "cuda": 16}

#: A text with a gzip compression ratio above this repeats itself; with a mean log probability below this it is a guess,
#: and if "no speech" has this probability as well, there was nothing to hear.
MAX_COMPRESSION, MIN_LOGPROB, NO_SPEECH = 2.4, -1.0, 0.6

#: How a retry avoids loops.
REPETITION_PENALTY, NO_REPEAT_NGRAM = 1.2, 3

#: Maximum distance of a word from the speech it belongs to.
SLACK_S = 0.5

_LANGUAGE = "language"
_LANGUAGE_SAMPLES = 3


def transcribe(
    sound: Callable[[], Iterable[FloatArray]],
    on_progress: Callable[[float], None] | None = None,
    *,
    model: str,
    device: str = "auto",
    compute_type: str = "auto",
    language: str | None = None,
    log: ChunkLog | None = None,
) -> Transcript:
    """Recognize speech with faster-whisper.

    Args:
        sound: Opens the sound from its start: 16 kHz mono float32 blocks (`media.decode.decode_sound`).
        on_progress: Called with the seconds of sound done.
        model: Name of a model or a folder in CTranslate2's format.
        device: auto, cpu or cuda.
        compute_type: Compute type of CTranslate2; auto takes the fastest one supported.
        language: ISO 639-1 code; None to let the model detect it.
        log: Utterances recognized before; new ones are added.

    Raises:
        EngineUnavailableError: The model is not available.
    """
    log = log if log is not None else ChunkLog(None)
    recognizer, device = _load(model, device, compute_type)
    heard = hear(sound())
    spans = plan(heard, pause_s=PAUSE_S, enough_s=ENOUGH_S, longest_s=LONGEST_S)
    if language is None and spans:
        language = log.value(_LANGUAGE) or _language(recognizer, islice(utterances(sound(), spans), _LANGUAGE_SAMPLES))
        log.note(_LANGUAGE, language)
    todo = [span for span in spans if log.words(span.name) is None]
    if on_progress and todo:
        on_progress(todo[0].start_s)
    for batch in _batches(utterances(sound(), todo), BATCH.get(device, BATCH["cpu"])):
        for utterance, words in zip(batch, _recognize(recognizer, batch, language), strict=True):
            log.add(utterance.span.name, _spoken(words, heard))
        if on_progress:
            on_progress(batch[-1].end_s)
    said = Heard()
    for span in spans:
        # Whisper was trained on subtitles and, like them, writes tags such as [Music].
        pieces = [Piece(w.start_s, w.end_s, f"{w.text} ", w.confidence) for w in log.words(span.name) or ()]
        said.add(pieces, timed_words=True)
    return Transcript(said.words, language, "faster-whisper", Path(model).name, sounds=merged(said.sounds))


def best_device(device: str, compute_type: str) -> tuple[str, str]:
    """Resolve "auto" for device and compute type.

    Returns:
        cpu or cuda, and a type that CTranslate2 supports there: half precision on GPUs and 8-bit integers on CPUs that
        have them.
    """
    from ctranslate2 import get_cuda_device_count, get_supported_compute_types

    if device == "auto":
        device = "cuda" if get_cuda_device_count() else "cpu"
    if compute_type == "auto":
        preferred = ("float16", "int8_float16", "int8", "float32") if device == "cuda" else ("int8", "float32")
        supported = get_supported_compute_types(device)
        compute_type = next((kind for kind in preferred if kind in supported), "default")
    return device, compute_type


def _load(model: str, device: str, compute_type: str) -> tuple[WhisperModel, str]:
    from faster_whisper import WhisperModel

    try:
        device, compute_type = best_device(device, compute_type)
        recognizer = WhisperModel(
            model, device=device, compute_type=compute_type, cpu_threads=os.cpu_count() or 1,
            local_files_only=Path(model).is_dir(),
        )  # fmt: skip
    except (RuntimeError, ValueError, OSError) as error:
        raise EngineUnavailableError(f"faster-whisper can't load the model {model!r}: {error}") from error
    return recognizer, device


def _language(recognizer: WhisperModel, first: Iterable[Utterance]) -> str:
    if not recognizer.model.is_multilingual:
        return "en"
    samples = np.concatenate([utterance.samples for utterance in first])
    language, _, _ = recognizer.detect_language(samples, language_detection_segments=_LANGUAGE_SAMPLES)
    return str(language)


def _recognize(recognizer: WhisperModel, batch: Sequence[Utterance], language: str | None) -> list[list[Word]]:
    """Return the words of each utterance, at their times in the recording."""
    from faster_whisper import BatchedInferencePipeline

    edges = np.cumsum([0, *(len(utterance.samples) for utterance in batch)])
    # Plus half a sample, since the library truncates seconds to samples.
    starts = [(edge + 0.5) / SAMPLE_RATE_HZ for edge in edges]
    clips = [{"start": start, "end": end} for start, end in pairwise(starts)]
    found, _ = BatchedInferencePipeline(recognizer).transcribe(
        np.concatenate([utterance.samples for utterance in batch]),
        language=language,
        clip_timestamps=clips,
        word_timestamps=True,
        batch_size=len(batch),
    )
    per_utterance: list[list[Any]] = [[] for _ in batch]
    for segment in found:
        index = int(np.searchsorted(starts, segment.start + 1e-6, side="right")) - 1
        per_utterance[min(max(index, 0), len(batch) - 1)].append(segment)
    words = []
    for utterance, segments, offset_s in zip(batch, per_utterance, starts, strict=False):
        if any(map(is_doubtful, segments)):
            words.append(_words(_retry(recognizer, utterance, language), utterance, 0.0))
        else:
            words.append(_words(segments, utterance, offset_s))
    return words


def _retry(recognizer: WhisperModel, utterance: Utterance, language: str | None) -> list[Any]:
    # On its own, with repetitions penalized. Not by sampling, as in the paper: CTranslate2 can't be seeded per
    # utterance, and a recording must give the same words wherever a run died.
    segments, _ = recognizer.transcribe(
        utterance.samples,
        language=language,
        word_timestamps=True,
        condition_on_previous_text=False,
        temperature=0.0,
        repetition_penalty=REPETITION_PENALTY,
        no_repeat_ngram_size=NO_REPEAT_NGRAM,
        log_prob_threshold=MIN_LOGPROB,
        no_speech_threshold=NO_SPEECH,
    )
    return [segment for segment in segments if segment.compression_ratio <= MAX_COMPRESSION]


def is_doubtful(segment: Any) -> bool:
    """Return whether a `faster_whisper` segment repeats itself or is a guess."""
    return bool(segment.compression_ratio > MAX_COMPRESSION or segment.avg_logprob < MIN_LOGPROB)


def _words(segments: Iterable[Any], utterance: Utterance, offset_s: float) -> list[Word]:
    # Whisper pads to 30 s and occasionally puts a word into the padding.
    start_s, end_s = utterance.span.start_s, utterance.end_s
    words = []
    for segment in segments:
        for word in segment.words or ():
            text = word.word.strip()
            if text:
                first, last = (min(end_s, max(start_s, start_s + float(t) - offset_s)) for t in (word.start, word.end))
                words.append(Word(first, max(first, last), text, float(np.clip(word.probability, 0, 1))))
    return words


def _spoken(words: Iterable[Word], heard: Hearing) -> list[Word]:
    """Drop words at whose time no speech was detected."""

    def is_spoken(word: Word) -> bool:
        first = int(max(0.0, word.start_s - SLACK_S) / FRAME_S)
        last = int((word.end_s + SLACK_S) / FRAME_S) + 1
        return bool((heard.probability[first:last] >= LISTEN.perhaps).any())

    return [word for word in words if is_spoken(word)]


def _batches(items: Iterable[Utterance], size: int) -> Iterator[list[Utterance]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
