"""The sound of a recording as 16 kHz mono float32, in blocks, at constant memory.

Time is counted in samples, not taken from time stamps: streams that start late or jump would otherwise tear the
grid of seconds that all features share.

Put here: decoding. Keep out: anything that looks at the samples (`audio`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from klip_assets.errors import UnreadableMediaError
from klip_assets.media.probe import audio_stream, open_media, reason

SAMPLE_RATE_HZ = 16_000
BLOCK_S = 10

#: A stream that yields this many errors in a row is given up; what was decoded before stays.
MAX_ERRORS_IN_A_ROW = 200

#: Samples at the source's rate that are resampled at once: fewer calls, same result.
_FIFO_S = 1

FloatArray = NDArray[np.float32]


@dataclass
class Decoding:
    """What happened while decoding; complete once the blocks are consumed.

    Attributes:
        samples: Samples of 16 kHz mono that came out.
        errors: Packets or frames the decoder refused.
        first_error: What it said the first time.
    """

    samples: int = 0
    errors: int = 0
    first_error: str | None = None
    _in_a_row: int = field(default=0, repr=False)

    @property
    def seconds(self) -> float:
        """Length of the decoded sound."""
        return self.samples / SAMPLE_RATE_HZ

    def note_error(self, error: BaseException) -> None:
        """Count a refused packet.

        Raises:
            StopIteration: There were too many in a row.
        """
        self.errors += 1
        self._in_a_row += 1
        self.first_error = self.first_error or reason(error)


def decode_sound(path: Path, decoding: Decoding | None = None) -> Iterator[FloatArray]:
    """Yield the sound of a recording in blocks of 10 s.

    Args:
        path: The recording.
        decoding: Filled with counts and errors on the way.

    Yields:
        Arrays of shape (160000,), float32 in [-1, 1]; the last one may be shorter. Nothing if there is no audio.

    Raises:
        UnreadableMediaError: The file can't be opened.
    """
    log = decoding if decoding is not None else Decoding()
    size = BLOCK_S * SAMPLE_RATE_HZ
    kept: list[FloatArray] = []
    length = 0
    with open_media(path) as container:
        for piece in _resampled(container, log):
            kept.append(piece)
            length += len(piece)
            if length >= size:
                whole = np.concatenate(kept)
                for start in range(0, length - size + 1, size):
                    log.samples += size
                    yield whole[start : start + size]
                kept = [whole[length - length % size :]]
                length %= size
    if length:
        log.samples += length
        yield np.concatenate(kept)


def has_any_sound(path: Path, decoding: Decoding) -> bool:
    """Say whether any sample differs from zero; reads only as far as the first that does."""
    try:
        return any(bool(block.any()) for block in decode_sound(path, decoding))
    except UnreadableMediaError as error:
        decoding.note_error(error)
        return False


def _resampled(container: Any, log: Decoding) -> Iterator[FloatArray]:
    stream = audio_stream(container)
    if stream is None:
        return
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    fifo = av.AudioFifo()
    shape = None
    for frame in _frames(container, stream, log):
        frame.pts = None
        found = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape is not None and found != shape:
            # Some streams change rate or channels midway; each part is resampled by its own.
            yield from _drain(fifo, resampler)
            resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
            fifo = av.AudioFifo()
        shape = found
        fifo.write(frame)
        while (ready := fifo.read(_FIFO_S * frame.sample_rate)) is not None:
            yield from _arrays(resampler.resample(ready))
    if shape is not None:
        yield from _drain(fifo, resampler)


def _drain(fifo: Any, resampler: Any) -> Iterator[FloatArray]:
    rest = fifo.read(0, partial=True)
    if rest is not None:
        yield from _arrays(resampler.resample(rest))
    yield from _arrays(resampler.resample(None))


def _arrays(frames: list[Any]) -> Iterator[FloatArray]:
    for frame in frames:
        samples = frame.to_ndarray().reshape(-1)
        # A damaged float stream can hold NaN or infinities; they would spread through every filter behind.
        yield np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).astype(np.float32, copy=False)


def _frames(container: Any, stream: Any, log: Decoding) -> Iterator[Any]:
    packets = container.demux(stream)
    while log._in_a_row < MAX_ERRORS_IN_A_ROW:
        try:
            packet = next(packets, None)
            if packet is None:
                return
            frames = packet.decode()
        except (av.FFmpegError, ValueError) as error:
            log.note_error(error)
            continue
        for frame in frames:
            if frame.samples:
                log._in_a_row = 0
                yield frame
