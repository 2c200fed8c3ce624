"""Decoding the audio of a recording to 16 kHz mono float32, in blocks, in constant memory.

Time is counted in samples, not taken from timestamps: streams that start late or jump would otherwise break the
one-second grid that all features share. Packets that the decoder refuses count as silence of the duration they state,
so that what follows keeps its time.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from klip_assets.errors import UnreadableMediaError
from klip_assets.formats.text import shown_name
from klip_assets.media.probe import audio_stream, open_media, reason

SAMPLE_RATE_HZ = 16_000
BLOCK_S = 10

#: Reading stops after this many consecutive read errors of the container; what was decoded before is kept. (Packets
#: that the decoder refuses need no limit: their number is bounded by the file.)
MAX_ERRORS_IN_A_ROW = 200

#: Audio after this is ignored, which `Decoding` reports.
LONGEST_S = 100 * 3600.0

#: No codec puts more into one packet; an undecodable one that claims more counts as this much silence.
LONGEST_PACKET_S = 10.0

#: Decoding stops if the decoder returns no audio for this long (wall clock).
STALL_S = 60.0

#: Accepted sample rates in Hz. Real ones are between 4 and 768 kHz; at 1 Hz, a few kB would be days of audio.
RATES_HZ = (1_000, 1_536_000)

#: Maximum samples resampled at once (at most one second): fewer calls, same result.
_FIFO_SAMPLES = 192_000

FloatArray = NDArray[np.float32]


@dataclass
class Decoding:
    """Statistics of a decoding; complete once the blocks are consumed.

    Attributes:
        samples: Number of decoded samples, 16 kHz mono.
        lost_s: Seconds that the decoder refused in between, replaced by silence.
        errors: Number of refused packets and read errors.
        first_error: FFmpeg's message for the first of them.
    """

    samples: int = 0
    lost_s: float = 0.0
    errors: int = 0
    first_error: str | None = None

    @property
    def seconds(self) -> float:
        """Length of the decoded audio, without what was lost."""
        return self.samples / SAMPLE_RATE_HZ

    def note_error(self, error: BaseException) -> None:
        """Count an error and keep the message of the first one."""
        self.errors += 1
        self.first_error = self.first_error or reason(error)


def decode_sound(
    path: Path, decoding: Decoding | None = None, *, track: int | None = None, longest_s: float = LONGEST_S
) -> Iterator[FloatArray]:
    """Yield the audio of a recording in blocks of 10 s.

    Several channels are mixed to their weighted mean (FFmpeg's weights), so that no sample leaves the range of the
    source and the level does not depend on the codec's sample format.

    Args:
        path: The recording.
        decoding: Updated with counts and errors.
        track: Audio track (`media.tracks`); None for FFmpeg's choice.
        longest_s: Seconds after which reading stops.

    Yields:
        Arrays of shape (160000,), float32; the last one may be shorter. Nothing if there is no audio.

    Raises:
        UnreadableMediaError: The file can't be opened, or its audio can't be resampled to 16 kHz mono.
    """
    log = decoding if decoding is not None else Decoding()
    with open_media(path) as container:
        try:
            pieces = _up_to(longest_s, _resampled(container, track, log), log)
            yield from in_blocks(pieces, BLOCK_S * SAMPLE_RATE_HZ)
        except _UnusableSoundError as error:
            raise UnreadableMediaError(f"{shown_name(path.name)}: {error}") from error
        except av.FFmpegError as error:
            raise UnreadableMediaError(
                f"{shown_name(path.name)}: the audio can't be decoded: {reason(error)}"
            ) from error


def sound_length(path: Path, *, longest_s: float = LONGEST_S) -> float:
    """Return the seconds of audio in a recording, counted in samples; refused packets in between count too.

    Args:
        path: The recording.
        longest_s: Seconds after which counting stops.

    Raises:
        UnreadableMediaError: The file can't be opened, or its audio has an unusable sample rate.
    """
    seconds = lost_s = 0.0
    with open_media(path) as container:
        stream = audio_stream(container)
        for found in _frames(container, stream, Decoding()) if stream is not None else ():
            if isinstance(found, float):
                lost_s += found
                continue
            if not RATES_HZ[0] <= found.sample_rate <= RATES_HZ[1]:
                raise UnreadableMediaError(f"{shown_name(path.name)}: {_UnusableSoundError(found.sample_rate)}")
            seconds, lost_s = seconds + lost_s + found.samples / found.sample_rate, 0.0
            if seconds >= longest_s:
                break
    return seconds


def in_blocks(pieces: Iterable[FloatArray], size: int) -> Iterator[FloatArray]:
    """Regroup consecutive pieces of any length into blocks of one size.

    Yields:
        Arrays of shape (size,); the last one may be shorter, none is empty.
    """
    kept: list[FloatArray] = []
    length = 0
    for piece in pieces:
        kept.append(piece)
        length += len(piece)
        if length >= size:
            whole = np.concatenate(kept) if len(kept) > 1 else piece
            for start in range(0, length - size + 1, size):
                yield whole[start : start + size]
            length %= size
            kept = [whole[len(whole) - length :]] if length else []
    if length:
        yield np.concatenate(kept)


def has_any_sound(path: Path, decoding: Decoding, *, track: int | None = None) -> bool:
    """Return whether any sample differs from zero; reads only up to the first one."""
    try:
        return any(bool(block.any()) for block in decode_sound(path, decoding, track=track))
    except UnreadableMediaError as error:
        decoding.note_error(error)
        return False


class _UnusableSoundError(Exception):
    """Audio with a sample rate that no real recording has."""

    def __init__(self, rate_hz: int) -> None:
        super().__init__(
            f"the audio has a sample rate of {rate_hz:,} Hz; {RATES_HZ[0]:,} to {RATES_HZ[1]:,} Hz is supported"
        )


def _up_to(longest_s: float, pieces: Iterator[FloatArray], log: Decoding) -> Iterator[FloatArray]:
    left = round(longest_s * SAMPLE_RATE_HZ)
    for piece in pieces:
        if len(piece) > left:
            log.errors += 1
            log.first_error = log.first_error or f"reading stopped after {longest_s / 3600:g} h"
            if left:
                yield piece[:left]
            return
        left -= len(piece)
        yield piece


def _resampled(container: Any, track: int | None, log: Decoding) -> Iterator[FloatArray]:
    stream = audio_stream(container, track)
    if stream is None:
        return
    resampler: _Resampler | None = None
    lost_s = 0.0
    for found in _frames(container, stream, log):
        if isinstance(found, float):
            lost_s += found
            continue
        # Some streams change rate or channels midway; each part gets its own resampler.
        if resampler is not None and (lost_s or not resampler.takes(found)):
            yield from _counted(resampler.rest(), log)
            resampler = None
        if lost_s:
            yield from _silence(lost_s)
            log.lost_s += lost_s
            lost_s = 0.0
        resampler = resampler or _Resampler(found)
        yield from _counted(resampler.push(found), log)
    if resampler is not None:
        yield from _counted(resampler.rest(), log)


def _silence(seconds: float) -> Iterator[FloatArray]:
    # In pieces: packets may claim hours, and the caller limits how much is read.
    for _ in range(int(seconds // BLOCK_S)):
        yield np.zeros(BLOCK_S * SAMPLE_RATE_HZ, np.float32)
    yield np.zeros(round(seconds % BLOCK_S * SAMPLE_RATE_HZ), np.float32)


def _counted(pieces: Iterator[FloatArray], log: Decoding) -> Iterator[FloatArray]:
    for piece in pieces:
        log.samples += len(piece)
        yield piece


def _frames(container: Any, stream: Any, log: Decoding) -> Iterator[Any]:
    """Yield decoded frames, and for each refused packet its seconds (float)."""
    in_a_row = 0
    packets = container.demux(stream)
    heard_at = time.monotonic()
    while in_a_row < MAX_ERRORS_IN_A_ROW:
        if time.monotonic() - heard_at > STALL_S:
            log.errors += 1
            log.first_error = log.first_error or f"no audio was decoded for {STALL_S:g} s; reading was stopped"
            return
        try:
            packet = next(packets, None)
        except av.ExitError as error:
            log.note_error(error)  # Every further try would take as long.
            return
        except (av.FFmpegError, ValueError) as error:
            log.note_error(error)
            in_a_row += 1
            packets = container.demux(stream)  # An iterator that has raised is exhausted; the file may not be.
            continue
        if packet is None:
            return
        in_a_row = 0
        try:
            frames = packet.decode()
        except (av.FFmpegError, ValueError) as error:
            log.note_error(error)
            if packet.duration and packet.duration > 0 and packet.time_base:
                yield min(LONGEST_PACKET_S, float(packet.duration * packet.time_base))
            continue
        for frame in frames:
            if frame.samples:
                yield frame
                heard_at = time.monotonic()


class _Resampler:
    """Resamples frames of one format, layout and rate to 16 kHz mono float32."""

    def __init__(self, frame: Any) -> None:
        if not RATES_HZ[0] <= frame.sample_rate <= RATES_HZ[1]:
            raise _UnusableSoundError(frame.sample_rate)
        self._shape = self._shape_of(frame)
        self._fifo = av.AudioFifo()
        self._graph = av.filter.Graph()
        nodes = [
            self._graph.add_abuffer(sample_rate=frame.sample_rate, format=frame.format, layout=frame.layout),
            # Without the bound, swresample adds up the channels of float sources (+3 dB for stereo, +6 dB and more
            # for 5.1) and takes the mean of those of integer sources.
            self._graph.add("aresample", f"{SAMPLE_RATE_HZ}:ochl=mono:osf=flt:rematrix_maxval=1"),
            self._graph.add("abuffersink"),
        ]
        self._graph.link_nodes(*nodes).configure()

    def takes(self, frame: Any) -> bool:
        """Return whether a frame has the shape this resampler was made for."""
        return self._shape_of(frame) == self._shape

    def push(self, frame: Any) -> Iterator[FloatArray]:
        """Add a frame and yield what is ready."""
        frame.pts = None
        self._fifo.write(frame)
        while (ready := self._fifo.read(min(frame.sample_rate, _FIFO_SAMPLES))) is not None:
            self._graph.push(ready)
            yield from self._pulled()

    def rest(self) -> Iterator[FloatArray]:
        """Flush and yield what is left; nothing can be pushed afterwards."""
        left = self._fifo.read(0, partial=True)
        if left is not None:
            self._graph.push(left)
        self._graph.push(None)
        yield from self._pulled()

    def _pulled(self) -> Iterator[FloatArray]:
        while True:
            try:
                samples = self._graph.pull().to_ndarray().reshape(-1)
            except (BlockingIOError, EOFError):
                return
            # A damaged float stream can contain NaN or infinity, which would spread through every filter downstream.
            yield np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0).astype(np.float32, copy=False)

    @staticmethod
    def _shape_of(frame: Any) -> tuple[str, str, int]:
        return frame.format.name, frame.layout.name, frame.sample_rate
