"""Clips of highlights as files, with a thumbnail of the peak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from klip_assets.errors import InputError, UnreadableMediaError
from klip_assets.media.probe import open_media, reason
from klip_assets.media.scan import read_timeline
from klip_assets.media.timeline import Timeline
from klip_assets.products.editing.cut import NOTHING_THERE, copy_packets, form_of
from klip_assets.products.editing.encode import encode_exactly, exact_form
from klip_assets.products.editing.packets import find_stretch, read
from klip_assets.store.files import sweep, write_atomically

#: Quantizer of the JPEG encoder, 2 (best) to 31.
JPEG_QUANTISER = 3


@dataclass(frozen=True)
class Clip:
    """A written clip.

    Attributes:
        path: The file.
        start_s: Its start in the recording.
        length_s: Its length.
        thumbnail: The picture of its peak, None if there is none.
    """

    path: Path
    start_s: float
    length_s: float
    thumbnail: Path | None


def clip_stem(highlight: Mapping[str, Any]) -> str:
    """Return the name of a clip without its suffix, such as stream-01-0h12m05s."""
    start = int(highlight["start_s"])
    at = f"{start // 3600}h{start % 3600 // 60:02d}m{start % 60:02d}s"
    return f"{highlight['video_id']}-{highlight['rank']:02d}-{at}"


def make_clip(
    recording: Path,
    highlight: Mapping[str, Any],
    folder: Path,
    *,
    timeline: Timeline | None = None,
    exact: bool = False,
    thumbnail: bool = True,
    force: bool = False,
) -> Clip:
    """Cut a highlight out of its recording.

    Without `exact` nothing is encoded: the clip begins at the last keyframe at or before the highlight, and its
    packets are copied from the recording. Files are written completely or not at all.

    Args:
        recording: The file.
        highlight: The row of `highlights`.
        folder: Folder for the clip; created if missing.
        timeline: The recording's timeline, which times refer to; None reads it from the recording.
        exact: Re-encode (H.264, AAC), to begin at the exact frame.
        thumbnail: Also write a JPEG of the peak if there is a picture.
        force: Overwrite.

    Raises:
        InputError: A file of that name exists.
        UnreadableMediaError: The recording can't be read there, or the clip can't be written.
    """
    what = f"highlight {highlight['rank']} of {highlight['video_id']}"
    try:
        clock = timeline or read_timeline(recording)
        with open_media(recording) as container:
            stretch = find_stretch(container, highlight["start_s"], highlight["end_s"], clock)
            if stretch is None:
                raise ValueError(NOTHING_THERE)
            form = exact_form(stretch) if exact else form_of(container, stretch.streams)
            path = folder / f"{clip_stem(highlight)}{form.suffix}"
            picture = path.with_suffix(".jpg") if thumbnail and stretch.main.type == "video" else None
            for file in (path, picture):
                if file is not None and file.exists() and not force:
                    raise InputError(f"{file} exists", hint="--force overwrites")
            write = encode_exactly if exact else copy_packets
            pieces = []
            write_atomically(path, lambda to: pieces.append(write(container, stretch, form, to)))
        if picture is not None:
            write_atomically(picture, lambda to: to.write_bytes(_jpeg_at(recording, highlight["peak_s"], clock)))
        sweep(folder)
    except (av.FFmpegError, ValueError, OSError) as error:
        raise UnreadableMediaError(f"{what} can't be cut: {reason(error)}") from error
    return Clip(path, pieces[0].start_s, pieces[0].length_s, picture)


def _jpeg_at(recording: Path, at_s: float, timeline: Timeline) -> bytes:
    """Return the picture shown at a time, as JPEG.

    Raises:
        ValueError: No picture can be decoded there.
    """
    with open_media(recording) as container:
        stretch = find_stretch(container, at_s, at_s + 1.0, timeline)
        if stretch is None:
            raise ValueError(NOTHING_THERE)
        shown = None
        for packet, _ in read(container, stretch):
            if packet.stream is stretch.main:
                for frame in packet.decode():
                    if shown is None or frame.pts * frame.time_base <= stretch.start:
                        shown = frame
        if shown is None:
            raise ValueError("the picture at its peak can't be decoded")
        return _jpeg(shown)


def _jpeg(frame: Any) -> bytes:
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.qmin = encoder.qmax = JPEG_QUANTISER
    picture = frame.reformat(format="yuvj420p")
    picture.pts, picture.time_base = 0, encoder.time_base
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
