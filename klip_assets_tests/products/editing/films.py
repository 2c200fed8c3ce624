"""Recordings whose every frame shows its own number, with a click in the sound at a known time."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

FPS = 10
RATE_HZ = 48_000
WIDTH, HEIGHT = 64, 48
BITS = 8


def write_film(
    path: Path,
    seconds: float = 20.0,
    *,
    codec: str | None = "libx264",
    sounds: tuple[str, ...] = ("aac",),
    gop: int = 20,
    b_frames: int = 0,
    click_s: float = 12.0,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    starts_at_s: int = 0,
) -> Path:
    """Write a film of 10 frames a second whose frames show their number in binary; one keyframe each `gop` frames.

    Every sound track is silent but for a click of 2 ms.
    """
    with av.open(str(path), "w", options={"output_ts_offset": str(starts_at_s)}) as output:
        picture = _picture(output, codec, gop, b_frames, size) if codec else None
        tracks = [output.add_stream(sound, rate=RATE_HZ, layout="mono") for sound in sounds]
        for track in tracks:
            track.metadata["title"] = f"track {track.index}"
        samples = np.zeros(round(seconds * RATE_HZ), np.float32)
        samples[round(click_s * RATE_HZ) : round((click_s + 0.002) * RATE_HZ)] = 0.9
        packets = [packet for track in tracks for packet in _sound(track, samples)]
        if picture is not None:
            packets += _film(picture, round(seconds * FPS), size)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)
    return path


def number_shown(frame: Any) -> int:
    """Read the number of a frame off its picture."""
    gray = frame.to_ndarray(format="gray")
    lit = gray[gray.shape[0] // 2, 4 : 8 * BITS : 8] > 128
    return int(sum(1 << bit for bit, on in enumerate(lit) if on))


def click_at(path: Path) -> float:
    """Return when the click is heard in a clip, on its own clock."""
    with av.open(str(path)) as opened:
        for frame in opened.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float64))
            samples = samples / (32768 if samples.max() > 4 else 1)
            loud = np.flatnonzero(samples.max(axis=0) > 0.4)
            if len(loud):
                return float(frame.pts * frame.time_base) + loud[0] / frame.sample_rate
    raise AssertionError("no click is heard")


def frames_shown(path: Path) -> list[tuple[float, int]]:
    """Return the time and number of every frame."""
    with av.open(str(path)) as opened:
        opened.streams.video[0].thread_count = 1
        return [(float(frame.pts * frame.time_base), number_shown(frame)) for frame in opened.decode(video=0)]


def _picture(output: Any, codec: str, gop: int, b_frames: int, size: tuple[int, int]) -> Any:
    x264 = {"preset": "ultrafast", "sc_threshold": "0", "bf": str(b_frames), "b_strategy": "0"}
    options = x264 if codec == "libx264" else {}
    stream = output.add_stream(codec, rate=FPS, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p" if size[0] % 2 == 0 else "yuv444p"
    stream.codec_context.gop_size = gop
    stream.codec_context.thread_count = 1
    stream.codec_context.time_base = Fraction(1, FPS)
    return stream


def _film(stream: Any, frames: int, size: tuple[int, int]) -> list[Any]:
    packets = []
    for index in range(frames):
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        for bit in range(BITS):
            picture[:, bit * 8 : bit * 8 + 8] = 255 * (index >> bit & 1)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts, frame.time_base = index, Fraction(1, FPS)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def _sound(stream: Any, samples: np.ndarray) -> list[Any]:
    packets = []
    resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=RATE_HZ)
    size = stream.codec_context.frame_size or 1024
    for at in range(0, len(samples), size):
        frame = av.AudioFrame.from_ndarray(samples[None, at : at + size], "flt", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, at, Fraction(1, RATE_HZ)
        for piece in resampler.resample(frame):
            packets += stream.encode(piece)
    return [*packets, *stream.encode(None)]
