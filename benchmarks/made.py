"""Recordings for benchmarks, derived from a short one: repeated by copying packets, or re-encoded."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av

from klip_assets_tests.made import SAMPLE


def sample() -> Path:
    """Return the shipped sample stream."""
    return next(SAMPLE.glob("*.mp4"))


def repeat(source: Path, target: Path, seconds: float, *, container: str = "matroska") -> Path:
    """Repeat the sound of a recording up to a given length, by copying packets."""
    with av.open(str(target), "w", format=container) as output:
        written, offset_s = None, Fraction(0)
        while offset_s < seconds:
            with av.open(str(source)) as opened:
                stream = opened.streams.audio[0]
                written = written or output.add_stream_from_template(stream)
                base, offset, end = stream.time_base, round(offset_s / stream.time_base), 0
                for packet in opened.demux(stream):
                    if packet.dts is None or packet.pts < 0 or (offset + packet.pts) * base >= seconds:
                        continue
                    end = max(end, packet.pts + packet.duration)
                    packet.pts, packet.dts, packet.time_base = packet.pts + offset, packet.dts + offset, base
                    packet.stream = written
                    output.mux(packet)
                offset_s += end * base
    return target


def encode(source: Path, target: Path, codec: str, *, rate_hz: int = 48_000, layout: str = "stereo") -> Path:
    """Encode the sound of a recording with another codec; the container follows from the name."""
    with av.open(str(source)) as opened, av.open(str(target), "w") as output:
        stream = output.add_stream(codec, rate=rate_hz, layout=layout)
        resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate_hz)
        fifo = av.AudioFifo()
        at = 0

        def write(*, rest: bool) -> None:
            nonlocal at
            size = stream.codec_context.frame_size or 1024
            while (frame := fifo.read(size, partial=rest)) is not None:
                frame.pts, at = at, at + frame.samples
                output.mux(stream.encode(frame))

        for frame in opened.decode(opened.streams.audio[0]):
            for piece in resampler.resample(frame):
                piece.pts = None
                fifo.write(piece)
            write(rest=False)
        for piece in resampler.resample(None):
            piece.pts = None
            fifo.write(piece)
        write(rest=True)
        output.mux(stream.encode(None))
    return target
