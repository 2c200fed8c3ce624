"""Recordings with a burst of noise and a white flash at one moment, and with any timestamps."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from klip_assets.media.decode import SAMPLE_RATE_HZ, Decoding, decode_sound
from klip_assets.media.probe import open_media
from klip_assets.media.timeline import Clock, Timeline

FPS = 10
WHITE = 128

#: Containers with sound and picture: suffix -> options of the writer.
FILMS: dict[str, dict[str, Any]] = {
    "mp4": {},
    "mov": {},
    "mkv": {},
    "ts": {},
    "flv": {"rate": 22_050},
    "webm": {"picture": "libvpx", "sound": "libopus", "rate": 48_000},
    "avi": {"picture": "mpeg4", "sound": "libmp3lame"},
}
#: Containers with sound alone.
SOUNDS: dict[str, dict[str, Any]] = {
    "m4a": {"picture": None},
    "mka": {"picture": None},
    "mp3": {"picture": None, "sound": "libmp3lame"},
    "ogg": {"picture": None, "sound": "libopus", "rate": 48_000},
    "aac": {"picture": None, "container": "adts"},
    "flac": {"picture": None, "sound": "flac"},
    "wav": {"picture": None, "sound": "pcm_s16le"},
}

Retime = Callable[[float], float]
Keep = Callable[[float], bool]


def write_clocked(
    path: Path,
    seconds: float = 20.0,
    *,
    burst_s: float | None = 12.0,
    picture: str | None = "libx264",
    sound: str | None = "aac",
    rate: int = 16_000,
    layout: str = "mono",
    tracks: int = 1,
    container: str | None = None,
    b_frames: int = 0,
    retime: Retime = lambda t: t,
    retime_sound: Retime = lambda t: t,
    keep_sound: Keep = lambda t: True,
    keep_picture: Keep = lambda t: True,
    spoil: Callable[[float, bytes], bytes] = lambda t, content: content,
    options: dict[str, str] | None = None,
    into: Any = None,
) -> Path:
    """Write quiet noise with a burst of one second, and dark pictures with a flash of half a second.

    Args:
        path: The file.
        seconds: Its length.
        burst_s: When burst and flash begin; None for none.
        picture: Codec of the picture, None for sound alone.
        sound: Codec of the sound, None for a silent movie.
        rate: Sample rate.
        layout: Channels of the sound.
        tracks: Sound tracks with this sound; what follows about sound packets concerns the first one.
        container: FFmpeg's name of the container; None goes by the suffix.
        b_frames: B-frames in a row.
        retime: Maps the time of a packet to the time it is stamped with.
        retime_sound: The same, for sound packets alone and before `retime`.
        keep_sound: Whether a sound packet is written.
        keep_picture: Whether a picture packet is written.
        spoil: Returns the content of a sound packet.
        options: Options of the muxer.
        into: File object that is written to instead of `path`.
    """
    with av.open(into or str(path), "w", format=container, options=options or {}) as output:
        packets: list[tuple[float, Any]] = []
        pictures = _picture_stream(output, picture, b_frames) if picture else None
        sounds = [output.add_stream(sound, rate=rate, layout=layout) for _ in range(tracks if sound else 0)]
        if pictures is not None:
            made = ((_time(p), p) for p in _pictures(pictures, seconds, burst_s))
            packets += [entry for entry in made if keep_picture(entry[0])]
        for number, stream in enumerate(sounds):
            for packet in _sounds(stream, noise(seconds, rate, burst_s, seed=path.name), rate):
                at = _time(packet)
                if number:
                    packets.append((at, packet))
                elif keep_sound(at):
                    packet = _with_content(packet, spoil(at, bytes(packet)))
                    _move(packet, retime_sound(at) - at)
                    packets.append((at, packet))
        for at, packet in sorted(packets, key=lambda entry: entry[0]):
            _move(packet, retime(at) - at)
            output.mux(packet)
    return path


def write_timecoded(path: Path, start: str, seconds: float = 1.0, *, rate: Fraction = Fraction(30_000, 1001)) -> Path:
    """Write dark pictures and, but for mxf, a tone, with a start timecode as FFmpeg writes it.

    Args:
        path: The file.
        start: The timecode.
        seconds: Its length.
        rate: Frames per second.
    """
    codec = {".mxf": "mpeg2video", ".avi": "mpeg4"}.get(path.suffix, "libx264")
    with av.open(str(path), "w") as output:
        output.metadata["timecode"] = start
        pictures: Any = output.add_stream(codec, rate=rate)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        pictures.codec_context.gop_size = 10
        sounds: Any = output.add_stream("aac", rate=16_000, layout="mono") if path.suffix != ".mxf" else None
        for index in range(round(seconds * rate)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 24, np.uint8), format="rgb24")
            frame.pts, frame.time_base = index, 1 / rate
            output.mux(pictures.encode(frame))
        output.mux(pictures.encode(None))
        if sounds is not None:
            output.mux(_sounds(sounds, noise(seconds, 16_000, seconds / 2, seed=path.name), 16_000))
    return path


def noise(seconds: float, rate: int, burst_s: float | None, *, seed: str = "") -> np.ndarray:
    """Return noise at -46 dBFS with one second at -8 dBFS."""
    random = np.random.default_rng(list(seed.encode()) or 0)
    samples = (0.005 * random.standard_normal(round(seconds * rate))).astype(np.float32)
    if burst_s is not None:
        samples[round(burst_s * rate) : round((burst_s + 1) * rate)] *= 80
    return np.clip(samples, -1, 1)


def joined(path: Path, *parts: Path) -> Path:
    """Write the bytes of recordings one behind the other."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def with_sound_stamped(content: bytes, retime: Retime) -> bytes:
    """Return a transport stream whose sound has other timestamps: muxers refuse those that go back, files have them."""
    made, at = bytearray(content), 0
    while (at := made.find(b"\x00\x00\x01\xc0", at + 1)) >= 0:  # Start of a packet of sound, and its PTS of 33 bits.
        a, b, c, d, e = made[at + 9 : at + 14]
        stamp = (a >> 1 & 7) << 30 | b << 22 | c >> 1 << 15 | d << 7 | e >> 1
        moved = round(retime(stamp / 90_000) * 90_000) % (1 << 33)
        parts = a & 0xF1 | (moved >> 30) << 1, moved >> 22 & 255, moved >> 14 & 254 | 1, moved >> 7 & 255
        made[at + 9 : at + 14] = bytes([*parts, (moved & 127) << 1 | 1])
    return bytes(made)


def heard(path: Path, timeline: Timeline) -> tuple[np.ndarray, Decoding]:
    """Return the whole sound on the timeline."""
    decoding = Decoding()
    blocks = list(decode_sound(path, decoding, timeline=timeline))
    return np.concatenate([np.zeros(0, np.float32), *blocks]), decoding


def burst_in(samples: np.ndarray) -> float:
    """Return when the burst begins: the loudest second, searched in steps of 10 ms."""
    step = SAMPLE_RATE_HZ // 100
    powers = np.add.reduceat(np.square(samples, dtype=np.float64), np.arange(0, len(samples), step))
    return float(np.convolve(powers, np.ones(100))[99 : len(powers)].argmax()) / 100


def flash_in(path: Path, timeline: Timeline) -> float:
    """Return when the first white picture is shown."""
    with open_media(path) as container:
        stream = container.streams.video[0]
        clock, white = Clock(timeline), []
        for packet in container.demux(stream):
            clock.place(packet)
            for frame in packet.decode():
                if _luma(frame) > WHITE:
                    white.append(float(frame.pts * frame.time_base))
    return min(white)


def _luma(frame: Any) -> float:
    # The plane as it is: converting each picture takes longer than decoding it.
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    return float(rows[:, : plane.width].mean())


def _time(packet: Any) -> float:
    return float((packet.pts if packet.dts is None else packet.dts) * packet.time_base)


def _move(packet: Any, by_s: float) -> None:
    moved = round(by_s / packet.time_base)
    packet.pts += moved
    packet.dts += moved


def _with_content(packet: Any, content: bytes) -> Any:
    made = av.Packet(content)
    made.stream, made.pts, made.dts, made.time_base = packet.stream, packet.pts, packet.dts, packet.time_base
    made.duration, made.is_keyframe = packet.duration, True
    return made


def _picture_stream(output: Any, codec: str, b_frames: int) -> Any:
    own = {"preset": "ultrafast", "sc_threshold": "0", "bf": str(b_frames), "b_strategy": "0"}
    stream = output.add_stream(codec, rate=FPS, options=own if codec == "libx264" else {})
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    stream.codec_context.gop_size, stream.codec_context.thread_count = 20, 1
    stream.codec_context.time_base = Fraction(1, FPS)
    return stream


def _pictures(stream: Any, seconds: float, burst_s: float | None) -> list[Any]:
    packets = []
    for index in range(round(seconds * FPS)):
        white = burst_s is not None and burst_s <= index / FPS < burst_s + 0.5
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 235 if white else 24, np.uint8), format="rgb24")
        frame.pts, frame.time_base = index, Fraction(1, FPS)
        packets += stream.encode(frame)
    return [*packets, *stream.encode(None)]


def _sounds(stream: Any, samples: np.ndarray, rate: int) -> list[Any]:
    packets = []
    resampler = av.AudioResampler(format=stream.format.name, layout=stream.layout.name, rate=rate)
    size = stream.codec_context.frame_size or 1024
    for at in range(0, len(samples), size):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[None, at : at + size]), "flt", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        for piece in resampler.resample(frame):
            packets += stream.encode(piece)
    return [*packets, *stream.encode(None)]
