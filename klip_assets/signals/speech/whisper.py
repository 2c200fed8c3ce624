"""The recognizer for real use: faster-whisper, once KLIP_WHISPER_MODEL names a model.

Whisper writes fluent sentences where nobody speaks ("Thanks for watching!") and falls into loops. So it is given only
stretches in which somebody speaks, what it is unsure of is tried again with repetitions forbidden, and words without
any speech under them are left out.

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

#: Whisper hears 30 s at a time: utterances are filled up to nearly that, and cut in pauses of at least this length.
LONGEST_S, ENOUGH_S, PAUSE_S = 29.0, 25.0, 0.3

#: Utterances that are recognized at once, by device.
BATCH = {"cpu": 4, "cuda": 16}

#: A text that gzip shortens more than this repeats itself; with a mean log probability below this it is a guess, with
#: this probability of "no speech" besides there was nothing to hear.
MAX_COMPRESSION, MIN_LOGPROB, NO_SPEECH = 2.4, -1.0, 0.6

#: How a second try keeps out of loops.
REPETITION_PENALTY, NO_REPEAT_NGRAM = 1.2, 3

#: A word may be placed this far from the speech it belongs to.
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
        compute_type: Type of the weights while computing, as CTranslate2 names it; auto takes the fastest there is.
        language: ISO 639-1 code; None to let the model detect it.
        log: Utterances recognized before, and the place to note new ones.

    Raises:
        EngineUnavailableError: The model can't be had.
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
        # Whisper was trained on subtitles and writes tags such as [Music] as they do.
        pieces = [Piece(w.start_s, w.end_s, f"{w.text} ", w.confidence) for w in log.words(span.name) or ()]
        said.add(pieces, timed_words=True)
    return Transcript(said.words, language, "faster-whisper", Path(model).name, sounds=merged(said.sounds))


def best_device(device: str, compute_type: str) -> tuple[str, str]:
    """Choose where and with which numbers to compute.

    Returns:
        cpu or cuda, and a type that CTranslate2 supports there: half precision on a GPU that has it, 8-bit integers on
        a CPU that has them.
    """
    from ctranslate2 import get_cuda_device_count, get_supported_compute_types

    if device == "auto":
        device = "cuda" if get_cuda_device_count() else "cpu"
    if compute_type == "auto":
        wanted = ("float16", "int8_float16", "int8", "float32") if device == "cuda" else ("int8", "float32")
        supported = get_supported_compute_types(device)
        compute_type = next((kind for kind in wanted if kind in supported), "default")
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
    # Half a sample more, since the library cuts seconds down to samples.
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
        place = int(np.searchsorted(starts, segment.start + 1e-6, side="right")) - 1
        per_utterance[min(max(place, 0), len(batch) - 1)].append(segment)
    words = []
    for utterance, segments, offset_s in zip(batch, per_utterance, starts, strict=False):
        if any(map(is_doubtful, segments)):
            words.append(_words(_again(recognizer, utterance, language), utterance, 0.0))
        else:
            words.append(_words(segments, utterance, offset_s))
    return words


def _again(recognizer: WhisperModel, utterance: Utterance, language: str | None) -> list[Any]:
    # Alone, with repetitions made costly. Not by sampling, as the paper does: CTranslate2 can't be seeded for each
    # utterance, and the same recording must give the same words wherever a run died.
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
    """Say whether what Whisper wrote repeats itself or was only guessed (a `faster_whisper` segment)."""
    return bool(segment.compression_ratio > MAX_COMPRESSION or segment.avg_logprob < MIN_LOGPROB)


def _words(segments: Iterable[Any], utterance: Utterance, offset_s: float) -> list[Word]:
    # Whisper pads to 30 s and now and then puts a word into the padding.
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
    """Leave out words under which nothing like speech was heard."""

    def is_spoken(word: Word) -> bool:
        first = int(max(0.0, word.start_s - SLACK_S) / FRAME_S)
        last = int((word.end_s + SLACK_S) / FRAME_S) + 1
        return bool((heard.probability[first:last] >= LISTEN.perhaps).any())

    return [word for word in words if is_spoken(word)]


def _batches(items: Iterable[Utterance], size: int) -> Iterator[list[Utterance]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
