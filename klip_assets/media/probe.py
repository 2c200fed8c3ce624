"""Probing recordings with PyAV (FFmpeg's libraries; no ffmpeg command is needed)."""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av

from klip_assets.errors import UnreadableMediaError
from klip_assets.formats.text import shown_name, valid_unicode
from klip_assets.media.boxes import lacks_index

#: Timeout in seconds for opening a file and for each read from it.
TIMEOUT_S = 60.0

#: Maximum size of one memory allocation by FFmpeg: a header that claims a billion entries gets an error, not 2 GB.
#: (A day of AAC needs an index of 100 MB, an 8K frame 100 MB.)
MAX_ALLOCATION_BYTES = 256 << 20

#: Characters kept of a timecode: a sound one has 11.
LONGEST_TIMECODE = 40

#: "Formats" that refer to other files or to network locations. A recording is one file.
_LEADS_ELSEWHERE = frozenset(
    ("concat", "dash", "hls", "image2", "imf", "mlv", "rtp", "rtsp", "sap", "sdp", "vobsub", "webm_dash_manifest")
)


@dataclass(frozen=True)
class MediaInfo:
    """Container and stream metadata of a recording; None where absent or unknown.

    Attributes:
        duration_s: Length in seconds as the container states it, or as FFmpeg guesses; `media.scan` finds the real one.
        fps: Frames per second of the video.
        sample_rate_hz: Sample rate of the chosen audio track.
        timecode: Timecode of the first frame, as the file has it; it may be malformed.
    """

    container: str
    duration_s: float | None
    video_codec: str | None
    width: int | None
    height: int | None
    fps: float | None
    audio_codec: str | None
    sample_rate_hz: int | None
    channels: int | None
    timecode: str | None = None


@contextmanager
def open_media(path: Path) -> Iterator[Any]:
    """Open a recording for reading, but no other file that it refers to.

    Raises:
        UnreadableMediaError: It is empty, FFmpeg can't open it within a minute, or it is a list of other files.
    """
    name = shown_name(path.name)
    if path.exists() and path.stat().st_size == 0:
        raise UnreadableMediaError(f"{name}: the file is empty")
    try:
        # The file: protocol keeps a name such as "concat:a|b" from being interpreted as anything but a file.
        container = av.open(
            f"file:{path}", metadata_errors="replace", timeout=TIMEOUT_S, container_options=_one_file_only()
        )
    except (av.FFmpegError, ValueError, OSError) as error:
        # For a format that is not on the whitelist, FFmpeg reports an invalid argument.
        is_list = isinstance(error, av.ArgumentError)
        why = "not a recording, or a list of other files, which Klip does not follow" if is_list else _unopened(error)
        if not is_list and path.exists() and lacks_index(path):
            why = "the index (moov) at its end is missing: the recording was cut off or never finished"
        raise UnreadableMediaError(f"{name}: {why}") from error
    try:
        yield container
    finally:
        container.close()


def probe(path: Path, track: int | None = None) -> MediaInfo:
    """Read the metadata of a recording.

    Args:
        path: The recording.
        track: The audio track to use; None for FFmpeg's choice.

    Raises:
        UnreadableMediaError: It is empty, can't be opened, has neither audio nor video, or is a still image.
    """
    name = shown_name(path.name)
    with open_media(path) as container:
        if _is_still(container.format.name):
            raise UnreadableMediaError(f"{name}: a still image or text, not a recording")
        audio = audio_stream(container, track)
        video = next((s for s in container.streams.video if not is_cover(s)), None)
        if audio is None and video is None:
            raise UnreadableMediaError(f"{name}: contains neither audio nor video")
        duration = container.duration / av.time_base if container.duration and container.duration > 0 else None
        return MediaInfo(
            container=container.format.name,
            duration_s=duration,
            video_codec=video.codec_context.name if video else None,
            width=(video.width or None) if video else None,
            height=(video.height or None) if video else None,
            fps=float(video.average_rate) if video and video.average_rate else None,
            audio_codec=audio.codec_context.name if audio else None,
            sample_rate_hz=(audio.sample_rate or None) if audio else None,
            channels=(audio.channels or None) if audio else None,
            timecode=start_timecode(container, video),
        )


def audio_streams(container: Any) -> list[Any]:
    """Return the audio tracks that have a decoder, in file order."""
    return [stream for stream in container.streams.audio if stream.codec_context is not None]


def audio_stream(container: Any, track: int | None = None) -> Any | None:
    """Return an audio track, None if none has a decoder.

    Args:
        container: The open recording.
        track: Index among the tracks that have a decoder (`media.tracks` chooses); None for FFmpeg's choice.
    """
    streams = audio_streams(container)
    if track is not None and track < len(streams):
        return streams[track]
    best = container.streams.best("audio")
    return best if best in streams else next(iter(streams), None)


def reason(error: BaseException) -> str:
    """Return FFmpeg's message for an error, without the path."""
    if isinstance(error, av.ExitError):
        return f"no data for {TIMEOUT_S:g} s; reading was stopped"
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def start_timecode(container: Any, video: Any | None) -> str | None:
    """Return the start timecode of an open recording as it is written there, None if it has none.

    Args:
        container: The open recording.
        video: Its picture track, which has it in mov and mp4; mxf and avi have one of the whole file.
    """
    for holder in (*([video] if video is not None else []), container, *container.streams):
        for name, value in holder.metadata.items():
            if name.lower() == "timecode" and value.strip():  # Matroska writes it in capitals.
                return valid_unicode(value.strip()[:LONGEST_TIMECODE])
    return None


def _unopened(error: BaseException) -> str:
    """Return why a file can't be opened."""
    if isinstance(error, av.EOFError):
        return "nothing that can be played was found before its end: it is cut off, or its header is missing"
    if getattr(error, "errno", None) == errno.EIO:  # FFmpeg reports a Matroska header that is cut off in this way, too.
        return f"{reason(error)}: the file ends within its header, or the disk can't be read"
    if isinstance(error, av.InvalidDataError):
        return f"{reason(error)}: not a recording, or its header is missing or damaged"
    return reason(error)


@cache
def _one_file_only() -> dict[str, str]:
    # av_max_alloc is public in libavutil, but PyAV does not expose it; PyAV's core is linked with that library.
    with suppress(AttributeError, OSError):  # A PyAV that is built differently works too, without this limit.
        limit = ctypes.CDLL(av._core.__file__).av_max_alloc
        limit.argtypes, limit.restype = [ctypes.c_size_t], None
        limit(MAX_ALLOCATION_BYTES)
    formats = sorted(av.formats_available - _LEADS_ELSEWHERE)
    return {"format_whitelist": ",".join(formats), "protocol_whitelist": "file"}


def _is_still(format_name: str) -> bool:
    # FFmpeg opens images (jpeg_pipe, png_pipe, image2) and text (tty) as videos of a few frames.
    return format_name.endswith("_pipe") or format_name in ("image2", "tty")


def is_cover(stream: Any) -> bool:
    """Return whether a video stream is cover art."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)
