"""The embedded recognizer: pocketsphinx with the US English model in its wheel. Works offline, anywhere.

On real speech most of its words are wrong (docs/figures.md shows some); it is the engine of last resort.

Put here: pocketsphinx. Keep out: the choice of the engine (`transcribe`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from klip_assets.audio.voice import FRAME, FRAME_S, VoiceMeter, to_pcm16
from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray
from klip_assets.speech.words import Transcript, Word

MODEL = "pocketsphinx en-us"

#: Speech is decoded with this much sound on both sides.
PADDING_S = 0.3
#: Pauses up to this length stay inside an utterance.
PAUSE_S = 0.6
#: An utterance is cut at its quietest frame once it is this long.
LONGEST_S = 20.0

_DECODER_FRAME_S = 0.01


@dataclass(frozen=True)
class Utterance:
    """A stretch of speech: its start in seconds and its samples (16 kHz mono)."""

    start_s: float
    samples: FloatArray


def transcribe(blocks: Iterable[FloatArray], on_progress: Callable[[float], None] | None = None) -> Transcript:
    """Recognize English speech.

    Args:
        blocks: 16 kHz mono float32 blocks (`media.decode.decode_sound`).
        on_progress: Called with the seconds of sound done.
    """
    from pocketsphinx import Decoder

    # The second pass (fwdflat) costs time for words that are hardly better.
    decoder = Decoder(samprate=SAMPLE_RATE_HZ, fwdflat=False, loglevel="FATAL")
    words: list[Word] = []
    for utterance in utterances(blocks):
        words += _decode(decoder, utterance)
        if on_progress:
            on_progress(utterance.start_s + len(utterance.samples) / SAMPLE_RATE_HZ)
    return Transcript(words, "en", "pocketsphinx", MODEL)


def utterances(blocks: Iterable[FloatArray]) -> Iterator[Utterance]:
    """Cut sound at pauses and leave out what is not speech, holding at most one utterance in memory."""
    voice = VoiceMeter()
    padding, pause = round(PADDING_S / FRAME_S), round(PAUSE_S / FRAME_S)
    held: list[FloatArray] = []
    speech: list[bool] = []
    first = 0
    index = 0
    for frame, spoken in _frames(blocks, voice):
        held.append(frame)
        speech.append(spoken)
        index += 1
        if not any(speech):
            if len(held) > padding:
                del held[0], speech[0]
                first += 1
            continue
        quiet = next((i for i, flag in enumerate(reversed(speech)) if flag), 0)
        if quiet >= max(pause, padding):
            yield _utterance(first, held[: len(held) - quiet + padding])
            keep = min(padding, quiet - padding) if quiet > padding else 0
            held, speech = held[len(held) - keep :] if keep else [], [False] * keep
            first = index - keep
        elif len(held) * FRAME_S >= LONGEST_S:
            cut = _quietest(held)
            yield _utterance(first, held[:cut])
            held, speech = held[cut:], speech[cut:]
            first += cut
    if any(speech):
        yield _utterance(first, held)


def _frames(blocks: Iterable[FloatArray], voice: VoiceMeter) -> Iterator[tuple[FloatArray, bool]]:
    for block in blocks:
        flags = voice.push(block)
        for i, flag in enumerate(flags):
            yield block[i * FRAME : (i + 1) * FRAME], bool(flag)


def _utterance(first: int, frames: list[FloatArray]) -> Utterance:
    return Utterance(first * FRAME_S, np.concatenate(frames))


def _quietest(frames: list[FloatArray]) -> int:
    # Look for the cut in the second half, so that pieces do not get short.
    half = len(frames) // 2
    powers = [float(np.mean(np.square(frame))) for frame in frames[half:]]
    smooth = np.convolve(powers, np.ones(5) / 5, mode="same")
    return half + int(np.argmin(smooth)) + 1


def _decode(decoder: object, utterance: Utterance) -> list[Word]:
    from pocketsphinx import Decoder

    assert isinstance(decoder, Decoder)
    decoder.start_utt()
    decoder.process_raw(to_pcm16(utterance.samples), full_utt=True)
    decoder.end_utt()
    words = []
    for segment in decoder.seg() or ():
        text = segment.word.split("(")[0]
        if not text or text.startswith(("<", "[", "+")):
            continue
        words.append(
            Word(
                utterance.start_s + segment.start_frame * _DECODER_FRAME_S,
                utterance.start_s + (segment.end_frame + 1) * _DECODER_FRAME_S,
                text,
                min(1.0, max(0.0, float(segment.prob))),
            )
        )
    return words
