"""Clips cut without re-encoding: the packets of a recording with new timestamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from klip_assets.media.probe import start_timecode
from klip_assets.products.editing.packets import Stretch, read
from klip_assets.products.editing.timecode import source_clock

#: Codecs that players and editing programs expect in an MP4; others go into Matroska, which supports all.
MP4_CODECS = frozenset({"h264", "hevc", "av1", "aac"})
#: Audio-only container -> (suffix, FFmpeg's name, codecs it may hold). Not FLAC: its header states the length of the
#: whole recording.
SOUND_CONTAINERS = {
    "wav": (".wav", "wav", None),
    "mp3": (".mp3", "mp3", {"mp3"}),
    "mov,mp4,m4a,3gp,3g2,mj2": (".m4a", "ipod", {"aac", "alac"}),
    "ogg": (".ogg", "ogg", {"vorbis", "opus"}),
}


NOTHING_THERE = "the recording has no readable data there"


@dataclass(frozen=True)
class Form:
    """A container: its suffix, FFmpeg's name for it, and options of its writer."""

    suffix: str
    name: str
    options: dict[str, str]


MP4 = Form(".mp4", "mp4", {"movflags": "faststart"})
M4A = Form(".m4a", "ipod", {"movflags": "faststart"})


@dataclass(frozen=True)
class Piece:
    """A written piece: its start in the recording and its length, in seconds."""

    start_s: float
    length_s: float


def form_of(container: Any, streams: Sequence[Any]) -> Form:
    """Choose a container that supports the codecs of a recording without re-encoding."""
    codecs = {codec_of(stream) for stream in streams}
    if any(stream.type == "video" for stream in streams):
        return MP4 if codecs <= MP4_CODECS else Form(".mkv", "matroska", {})
    suffix, name, takes = SOUND_CONTAINERS.get(container.format.name, (".mka", "matroska", None))
    if takes is not None and not codecs <= takes:
        suffix, name = ".mka", "matroska"
    return M4A if suffix == M4A.suffix else Form(suffix, name, {})


def copy_packets(container: Any, stretch: Stretch, form: Form, target: Path) -> Piece:
    """Copy the packets of a stretch, from its keyframe on, with timestamps that begin at 0.

    Args:
        container: The open recording.
        stretch: What to write.
        form: The container to write.
        target: The file.

    Raises:
        av.FFmpegError: It can't be read or written.
        ValueError: The container can't hold one of the codecs, or the recording ends before the stretch.
    """
    end = stretch.key
    with av.open(str(target), "w", format=form.name, options=form.options) as output:
        written: dict[int, Any] = {}
        latest: dict[int, int] = {}
        for stream in stretch.streams:
            made = output.add_stream_from_template(stream, opaque=True)
            made.disposition = stream.disposition
            made.metadata.update(_metadata(container, stream, stretch.key))
            written[stream.index] = made
        for packet, stamp in read(container, stretch):
            index, base = packet.stream.index, packet.time_base
            end = max(end, stamp + (packet.duration or 0) * base)
            shift = round(stretch.key / base)
            pts = round(stamp / base) - shift
            dts = pts if packet.dts is None else packet.dts - shift
            if index in latest and dts <= latest[index]:
                # Recordings with jumps in their timestamps: writers require increasing ones.
                dts = latest[index] + 1
            packet.pts, packet.dts, packet.stream = max(pts, dts), dts, written[index]
            latest[index] = dts
            output.mux(packet)
        if end <= stretch.start:
            raise ValueError(NOTHING_THERE)
    return Piece(float(stretch.key), float(end - stretch.key))


def _metadata(container: Any, stream: Any, key: Fraction) -> dict[str, str]:
    """Return the metadata of a stream for a clip that begins at `key`, with the timecode of its first frame."""
    kept = {name: value for name, value in stream.metadata.items() if name.lower() != "timecode"}
    if stream.type == "video" and stream.average_rate:
        clock = source_clock(float(stream.average_rate), start_timecode(container, stream))
        if clock.first is not None:
            kept["timecode"] = clock.label(clock.rate.frame_at(float(key)))
    return kept


def codec_of(stream: Any) -> str:
    """Return the name of a stream's codec, whichever decoder reads it."""
    return str(stream.codec_context.codec.canonical_name)
