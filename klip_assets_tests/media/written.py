"""Media files that tests make with PyAV: any container, codec and rate, with picture or cover, spoilt or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np

TONE_HZ = 440.0
LEVEL = 0.5


def tone(seconds: float, rate: int) -> np.ndarray:
    return (LEVEL * np.sin(2 * np.pi * TONE_HZ * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def write_media(
    path: Path,
    *,
    codec: str | None = "pcm_s16le",
    layout: str = "mono",
    rate: int = 48_000,
    seconds: float = 3.0,
    samples: np.ndarray | None = None,
    picture: bool = False,
    cover: bool = False,
    spoil: Callable[[int, bytes], bytes] | None = None,
) -> Path:
    """Write a tone (or the given samples) on every channel; `spoil` may replace the bytes of a packet."""
    with av.open(str(path), "w") as container:
        audio = _audio_stream(container, codec, layout, rate) if codec else None
        video = _video_stream(container, "libx264" if picture else "png") if picture or cover else None
        if video is not None and cover:
            video.disposition = av.stream.Disposition.attached_pic
        if video is not None:
            _write_picture(container, video, frames=1 if cover else round(seconds * 10))
        if audio is not None:
            data = tone(seconds, rate) if samples is None else samples
            for number, packet in enumerate(_audio_packets(audio, data, layout, rate)):
                container.mux(packet if spoil is None else _spoiled(packet, spoil(number, bytes(packet)), audio))
    return path


def _audio_stream(container: Any, codec: str, layout: str, rate: int) -> Any:
    stream = container.add_stream(codec, rate=rate)
    stream.layout = layout
    return stream


def _video_stream(container: Any, codec: str) -> Any:
    stream = container.add_stream(codec, rate=10)
    stream.width, stream.height = 64, 48
    stream.pix_fmt = "yuv420p" if codec == "libx264" else "rgb24"
    return stream


def _write_picture(container: Any, stream: Any, *, frames: int) -> None:
    for index in range(frames):
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), index % 255, np.uint8), format="rgb24")
        frame.pts = index
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _audio_packets(stream: Any, data: np.ndarray, layout: str, rate: int) -> list[Any]:
    channels = len(av.AudioLayout(layout).channels)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(np.tile(data, (channels, 1))), "fltp", layout)
    frame.sample_rate, frame.pts = rate, 0
    resampler = av.AudioResampler(format=stream.format.name, layout=layout, rate=rate)
    fifo = av.AudioFifo()
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        piece.pts = None
        fifo.write(piece)
    packets, at = [], 0
    while (piece := fifo.read(stream.codec_context.frame_size or 1024, partial=True)) is not None:
        piece.pts, at = at, at + piece.samples
        packets += stream.encode(piece)
    return [*packets, *stream.encode(None)]


def _spoiled(packet: Any, content: bytes, stream: Any) -> Any:
    made = av.Packet(content)
    made.stream, made.pts, made.dts = stream, packet.pts, packet.dts
    made.duration, made.time_base = packet.duration, packet.time_base
    return made
