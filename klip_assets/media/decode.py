"""Decoding the audio of a recording to 16 kHz mono float32, in blocks, in constant memory.

Sound is placed by its timestamps on the presentation timeline (`media.timeline`), so that a late start, a hole or a
packet that the decoder refuses moves nothing that follows. Where there is no sound, zeros are written and noted as
missing. Samples far beyond full scale are damage, not sound: they count as missing too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from klip_assets.errors import UnreadableMediaError
from klip_assets.formats.text import shown_name
from klip_assets.media.placing import SAMPLE_RATE_HZ, ByCounting, ByTimestamps, Start
from klip_assets.media.probe import audio_stream, open_media, reason
from klip_assets.media.timeline import Clock, Timeline

BLOCK_S = 10

#: Reading stops after this many consecutive read errors of the container; what was decoded before is kept. (Packets
#: that the decoder refuses need no limit: their number is bounded by the file.)
MAX_ERRORS_IN_A_ROW = 200

#: Audio after this is ignored, which `Decoding` reports.
LONGEST_S = 100 * 3600.0

#: No codec puts more into one packet; an undecodable one that claims more counts as this much silence.
LONGEST_PACKET_S = 10.0

#: A recording whose highest sample stays below this (-60 dBFS) is silent: nobody hears it.
AUDIBLE = 0.001

#: Decoding stops if the decoder returns no audio for this long (wall clock).
STALL_S = 60.0

#: Accepted sample rates in Hz. Real ones are between 4 and 768 kHz; at 1 Hz, a few kB would be days of audio.
RATES_HZ = (1_000, 1_536_000)

#: Samples beyond this (+6 dBFS) are damage. Codecs overshoot full scale by some 3 dB at most where the source was
#: clipped; what a decoder makes of garbage is often thousands of times full scale.
FULL_SCALE_LIMIT = 2.0
#: What surrounds such samples by this much, or lies between them, is dropped with them.
DAMAGE_PAD_S, DAMAGE_FILL_S = 0.05, 0.25

#: Maximum samples resampled at once (at most one second): fewer calls, same result.
_FIFO_SAMPLES = 192_000

FloatArray = NDArray[np.float32]


@dataclass
class Decoding:
    """Statistics of a decoding; complete once the blocks are consumed.

    Attributes:
        samples: Samples written so far, 16 kHz mono, from second 0; missing ones included.
        missing: Stretches without sound among them (first sample, sample behind the last), in order, not adjacent.
        beyond_s: Seconds of it that were far beyond full scale.
        overlap_s: Seconds dropped because other sound is stamped with the same time.
        errors: Number of refused packets and read errors.
        first_error: FFmpeg's message for the first of them.
    """

    samples: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)
    beyond_s: float = 0.0
    overlap_s: float = 0.0
    errors: int = 0
    first_error: str | None = None

    @property
    def seconds(self) -> float:
        """End of the sound, in seconds from the start of the recording."""
        return self.samples / SAMPLE_RATE_HZ

    @property
    def missing_s(self) -> float:
        """Seconds without sound before the end of the sound."""
        return sum(until - first for first, until in self.missing) / SAMPLE_RATE_HZ

    @property
    def holes_s(self) -> list[tuple[float, float]]:
        """Start and end of each stretch without sound, in seconds."""
        return [(first / SAMPLE_RATE_HZ, until / SAMPLE_RATE_HZ) for first, until in self.missing]

    @property
    def heard_s(self) -> tuple[float, float] | None:
        """Start of the first and end of the last sound, in seconds; None if there is none."""
        first, until = 0, self.samples
        if self.missing and self.missing[0][0] == 0:
            first = self.missing[0][1]
        if self.missing and self.missing[-1][1] == until:
            until = self.missing[-1][0]
        return (first / SAMPLE_RATE_HZ, until / SAMPLE_RATE_HZ) if until > first else None

    def note_error(self, error: BaseException) -> None:
        """Count an error and keep the message of the first one."""
        self.errors += 1
        self.first_error = self.first_error or reason(error)

    def note_missing(self, first: int, until: int) -> None:
        """Note that samples are missing; stretches are noted in order."""
        if self.missing and first <= self.missing[-1][1]:
            self.missing[-1] = (self.missing[-1][0], max(until, self.missing[-1][1]))
        elif until > first:
            self.missing.append((first, until))


def decode_sound(
    path: Path,
    decoding: Decoding | None = None,
    *,
    track: int | None = None,
    timeline: Timeline | None = None,
    longest_s: float = LONGEST_S,
) -> Iterator[FloatArray]:
    """Yield the audio of a recording in blocks of 10 s.

    Several channels are mixed to their weighted mean (FFmpeg's weights), so that no sample leaves the range of the
    source and the level does not depend on the codec's sample format.

    Args:
        path: The recording.
        decoding: Updated with counts and errors.
        track: Audio track (`media.tracks`); None for FFmpeg's choice.
        timeline: The recording's timeline (`media.scan`), to place the sound on it. None for the sound by itself, from
            its first sample: its samples are counted, and refused packets count as long as they say.
        longest_s: Seconds after which reading stops.

    Yields:
        Arrays of shape (160000,), float32; the last one may be shorter. Nothing if there is no audio.

    Raises:
        UnreadableMediaError: The file can't be opened, or its audio can't be read.
    """
    log = decoding if decoding is not None else Decoding()
    with open_media(path) as container:
        try:
            pieces = _up_to(longest_s, _resampled(container, track, timeline, log), log)
            yield from in_blocks(pieces, BLOCK_S * SAMPLE_RATE_HZ)
        except av.FFmpegError as error:
            raise UnreadableMediaError(
                f"{shown_name(path.name)}: the audio can't be decoded: {reason(error)}"
            ) from error


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
    """Return whether any sample reaches `AUDIBLE`; reads only up to the first one that does."""
    try:
        blocks = decode_sound(path, decoding, track=track)
        return any(bool(np.abs(block).max(initial=0.0) >= AUDIBLE) for block in blocks)
    except UnreadableMediaError as error:
        decoding.note_error(error)
        return False


class _UnusableSoundError(Exception):
    """Audio with a sample rate or channels that no real recording has."""


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


def _resampled(container: Any, track: int | None, timeline: Timeline | None, log: Decoding) -> Iterator[FloatArray]:
    stream = audio_stream(container, track)
    if stream is None:
        return
    resampler: _Resampler | None = None
    placed = timeline is not None and not timeline.counted
    place = ByTimestamps() if placed else ByCounting()
    for found in _frames(container, stream, Clock(timeline) if placed and timeline else None, log):
        if isinstance(found, float):
            place.lost(found)
            continue
        # Some streams change rate or channels midway; each part gets its own resampler.
        fitting = resampler if resampler is not None and resampler.takes(found) else _resampler_for(found, log)
        if fitting is None:
            place.lost(min(LONGEST_PACKET_S, found.samples / max(1, found.sample_rate)))
            continue
        start = place.next(found)
        log.overlap_s = place.overlap_s
        if start is None:
            continue
        if resampler is not None and (start.is_apart or fitting is not resampler):
            yield from _checked(resampler.rest(), log)
            fitting = _Resampler(found) if fitting is resampler else fitting
        yield from _nothing(start, log)
        resampler = fitting
        pieces = resampler.push(found)
        yield from _checked(_without_first(pieces, start.drop) if start.drop else pieces, log)
    if resampler is not None:
        yield from _checked(resampler.rest(), log)


def _resampler_for(frame: Any, log: Decoding) -> _Resampler | None:
    """Return a resampler for frames like this one, None if there is none: damaged packets may have 33 channels."""
    try:
        return _Resampler(frame)
    except _UnusableSoundError as error:
        log.note_error(error)
    except (av.FFmpegError, ValueError):
        log.note_error(_UnusableSoundError(f"audio with {frame.layout.nb_channels} channels can't be mixed to mono"))
    return None


def _nothing(start: Start, log: Decoding) -> Iterator[FloatArray]:
    # In pieces: a gap may last hours, and the caller limits how much is read.
    until = log.samples + start.gap if start.at is None else start.at
    while log.samples < until:
        count = min(BLOCK_S * SAMPLE_RATE_HZ, until - log.samples)
        if start.is_missing:
            log.note_missing(log.samples, log.samples + count)
        log.samples += count
        yield np.zeros(count, np.float32)


def _without_first(pieces: Iterator[FloatArray], count: int) -> Iterator[FloatArray]:
    for piece in pieces:
        yield piece[count:]
        count = max(0, count - len(piece))


def _checked(pieces: Iterator[FloatArray], log: Decoding) -> Iterator[FloatArray]:
    """Count samples, and drop those that are damage."""
    for piece in pieces:
        if piece.size and not np.abs(piece).max() <= FULL_SCALE_LIMIT:  # NaN fails every comparison.
            piece = piece.copy()
            for first, until in _damage(piece):
                piece[first:until] = 0
                log.note_missing(log.samples + first, log.samples + until)
                log.beyond_s += (until - first) / SAMPLE_RATE_HZ
        log.samples += len(piece)
        yield piece


def _damage(piece: FloatArray) -> Iterator[tuple[int, int]]:
    wrong = np.flatnonzero(~(np.abs(piece) <= FULL_SCALE_LIMIT))
    pad = round(DAMAGE_PAD_S * SAMPLE_RATE_HZ)
    apart = np.flatnonzero(np.diff(wrong) > round(DAMAGE_FILL_S * SAMPLE_RATE_HZ))
    firsts, lasts = wrong[np.append(0, apart + 1)], wrong[np.append(apart, len(wrong) - 1)]
    for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
        yield max(0, first - pad), min(len(piece), last + 1 + pad)


def _frames(container: Any, stream: Any, clock: Clock | None, log: Decoding) -> Iterator[Any]:
    """Yield decoded frames, their timestamps moved by the clock, and for each refused packet its seconds (float)."""
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
        if clock is not None:
            clock.place(packet)
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
            raise _UnusableSoundError(
                f"the audio has a sample rate of {frame.sample_rate:,} Hz; {RATES_HZ[0]:,} to {RATES_HZ[1]:,} Hz is "
                "supported"
            )
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
            yield samples.astype(np.float32, copy=False)

    @staticmethod
    def _shape_of(frame: Any) -> tuple[str, str, int]:
        return frame.format.name, frame.layout.name, frame.sample_rate
