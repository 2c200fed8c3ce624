"""What a recording contains, read with PyAV (FFmpeg's libraries; no ffmpeg command is needed)."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av

from klip_assets.errors import UnreadableMediaError
from klip_assets.formats.text import shown_name

#: Seconds after which opening a file, or one read from it, is given up.
TIMEOUT_S = 60.0

#: The most that FFmpeg may ask of memory at once: a header that claims a billion entries gets an error, not 2 GB.
#: (A day of AAC needs an index of 100 MB, a picture of 8K 100 MB.)
MAX_ALLOCATION_BYTES = 256 << 20

#: "Formats" that are lists of other files, or of places in a network. A recording is one file.
_LEADS_ELSEWHERE = frozenset(
    ("concat", "dash", "hls", "image2", "imf", "mlv", "rtp", "rtsp", "sap", "sdp", "vobsub", "webm_dash_manifest")
)


@dataclass(frozen=True)
class MediaInfo:
    """Container and stream facts of a recording; None where it does not have or say something.

    Attributes:
        duration_s: Length in seconds: what the container says, else the end of its last packet.
        sound_duration_s: Length of the sound alone, where its stream states one.
        fps: Frames a second of the picture.
        sample_rate_hz: Sample rate of the chosen audio track.
    """

    container: str
    duration_s: float | None
    sound_duration_s: float | None
    video_codec: str | None
    width: int | None
    height: int | None
    fps: float | None
    audio_codec: str | None
    sample_rate_hz: int | None
    channels: int | None


@contextmanager
def open_media(path: Path) -> Iterator[Any]:
    """Open a recording for reading, and nothing else that it may name.

    Raises:
        UnreadableMediaError: FFmpeg can't open it, or not within a minute, or it is a list of other files.
    """
    try:
        # The file: protocol keeps a name such as "concat:a|b" from being taken for anything but a file.
        container = av.open(
            f"file:{path}", metadata_errors="replace", timeout=TIMEOUT_S, container_options=_one_file_only()
        )
    except (av.FFmpegError, ValueError, OSError) as error:
        # What the list of formats leaves out is an invalid argument to FFmpeg.
        is_list = isinstance(error, av.ArgumentError)
        why = "no recording, or a list of other files, which are not followed" if is_list else reason(error)
        raise UnreadableMediaError(f"{shown_name(path.name)}: {why}") from error
    try:
        yield container
    finally:
        container.close()


def probe(path: Path, track: int | None = None) -> MediaInfo:
    """Read what a recording contains.

    Args:
        path: The recording.
        track: The audio track that counts; None for what FFmpeg takes for the best.

    Raises:
        UnreadableMediaError: It is empty, can't be opened, holds neither sound nor picture, or only a still one.
    """
    name = shown_name(path.name)
    if path.stat().st_size == 0:
        raise UnreadableMediaError(f"{name}: the file is empty")
    with open_media(path) as container:
        if _is_still(container.format.name):
            raise UnreadableMediaError(f"{name}: is a still picture or a text, no recording")
        audio = audio_stream(container, track)
        video = next((s for s in container.streams.video if not is_cover(s)), None)
        if audio is None and video is None:
            raise UnreadableMediaError(f"{name}: holds neither sound nor picture")
        duration = container.duration / av.time_base if container.duration and container.duration > 0 else None
        info = MediaInfo(
            container=container.format.name,
            duration_s=duration,
            sound_duration_s=_stream_duration(audio),
            video_codec=video.codec_context.name if video else None,
            width=(video.width or None) if video else None,
            height=(video.height or None) if video else None,
            fps=float(video.average_rate) if video and video.average_rate else None,
            audio_codec=audio.codec_context.name if audio else None,
            sample_rate_hz=(audio.sample_rate or None) if audio else None,
            channels=(audio.channels or None) if audio else None,
        )
        if info.duration_s is None:
            info = MediaInfo(**{**info.__dict__, "duration_s": _end_of_packets(container)})
        return info


def audio_streams(container: Any) -> list[Any]:
    """Return the audio tracks that there is a decoder for, in the order of the file."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def audio_stream(container: Any, track: int | None = None) -> Any | None:
    """Return an audio track, None if there is none that there is a decoder for.

    Args:
        container: The open recording.
        track: Its place among those tracks (`media.tracks` chooses); None for what FFmpeg takes for the best.
    """
    streams = audio_streams(container)
    if track is not None and track < len(streams):
        return streams[track]
    best = container.streams.best("audio")
    return best if best in streams else next(iter(streams), None)


def reason(error: BaseException) -> str:
    """Say in FFmpeg's words what went wrong, without the path."""
    if isinstance(error, av.ExitError):
        return f"no answer for {TIMEOUT_S:g} s; reading was given up"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


@cache
def _one_file_only() -> dict[str, str]:
    # av_max_alloc is public in libavutil, but PyAV does not pass it on; its core is linked with that library.
    with suppress(AttributeError, OSError):  # A PyAV that is built otherwise works too, without this limit.
        limit = ctypes.CDLL(av._core.__file__).av_max_alloc
        limit.argtypes, limit.restype = [ctypes.c_size_t], None
        limit(MAX_ALLOCATION_BYTES)
    formats = sorted(av.formats_available - _LEADS_ELSEWHERE)
    return {"format_whitelist": ",".join(formats), "protocol_whitelist": "file"}


def _is_still(format_name: str) -> bool:
    # FFmpeg opens pictures (jpeg_pipe, png_pipe, image2) and texts (tty) as videos of some frames.
    return format_name.endswith("_pipe") or format_name in ("image2", "tty")


def is_cover(stream: Any) -> bool:
    """Say whether a picture stream is a cover, not a film."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _stream_duration(stream: Any | None) -> float | None:
    if stream is None or not stream.duration or not stream.time_base:
        return None
    return float(stream.duration * stream.time_base)


def _end_of_packets(container: Any) -> float | None:
    start: float | None = None
    end = 0.0
    try:
        for packet in container.demux():
            if packet.pts is not None and packet.time_base:
                first = float(packet.pts * packet.time_base)
                start = first if start is None else min(start, first)
                end = max(end, first + float((packet.duration or 0) * packet.time_base))
    except (av.FFmpegError, ValueError):
        pass  # A truncated file: what came before the damage is its length.
    length = end - max(0.0, start or 0.0)
    return length if length > 0 else None
