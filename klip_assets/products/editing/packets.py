"""A stretch of a recording as packets, beginning at the keyframe before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from klip_assets.media.probe import audio_stream, audio_streams, is_cover

#: A seek that lands too late is tried again from so many seconds before, at last from the start of the file.
EARLIER_S = (0, 10, 60)
#: Packets of one time lie at most this far from each other in a file; a stream that ends early is not waited for.
INTERLEAVED_S = 10


@dataclass(frozen=True)
class Stretch:
    """Where a clip lies in an open recording.

    Attributes:
        streams: The streams it keeps: the picture first, then every sound track.
        main: The one whose keyframes it can begin at.
        origin: Time stamp of the first second of the recording.
        start: Time stamp at which it is to begin.
        end: Time stamp at which it is to end.
        key: Time stamp of the last keyframe of `main` at or before `start`, or of its first one.
        seek: Where to seek to, so that `key` comes next or soon; None for the start of the file.
    """

    streams: Sequence[Any]
    main: Any
    origin: Fraction
    start: Fraction
    end: Fraction
    key: Fraction
    seek: Fraction | None


def find_stretch(container: Any, start_s: float, end_s: float, *, track: int | None) -> Stretch | None:
    """Find where a clip begins and which streams it keeps.

    Args:
        container: The open recording.
        start_s: Seconds from its start, as in the tables.
        end_s: Likewise.
        track: The sound track that was listened to: seconds are counted from its first sample.

    Returns:
        None if the recording holds nothing there.
    """
    pictures = [s for s in container.streams.video if s.codec_context is not None and not is_cover(s)]
    streams = [*pictures[:1], *audio_streams(container)]
    if not streams:
        return None
    counted = audio_stream(container, track) or streams[0]
    origin = Fraction(counted.start_time or 0) * counted.time_base
    start, end = origin + Fraction(start_s), origin + Fraction(end_s)
    first = None
    for back in (*EARLIER_S, None):
        seek = None if back is None or start - back <= origin else start - back
        first = None
        for stamp in _keyframes(container, streams[0], seek):
            if stamp > start:
                first = first if first is not None else stamp
                break
            first = stamp
        if first is not None and (first <= start or seek is None):
            break
    if first is None or first >= end:
        return None
    return Stretch(streams, streams[0], origin, start, end, first, seek)


def read(container: Any, stretch: Stretch) -> Iterator[tuple[Any, Fraction]]:
    """Yield the packets of a stretch in the order of the file, each with its time stamp.

    What is shown before the keyframe but comes after it (leading pictures of an open group) is left out: it can't be
    decoded. Packets are those that a decoder needs for all that is shown before the end.
    """
    _seek(container, stretch.main, stretch.seek)
    begun = False
    over: set[int] = set()
    for packet in container.demux(list(stretch.streams)):
        stamp = stamp_of(packet)
        if stamp is None:
            continue
        stream = packet.stream
        decoded_at = stamp if packet.dts is None else packet.dts * packet.time_base
        if decoded_at >= stretch.end:
            over.add(stream.index)
            if len(over) == len(stretch.streams) or decoded_at >= stretch.end + INTERLEAVED_S:
                return
            continue
        if stream is stretch.main and not begun:
            begun = bool(packet.is_keyframe) and stamp == stretch.key
        if stamp < stretch.key or (stream is stretch.main and not begun):
            continue
        yield packet, stamp


def stamp_of(packet: Any) -> Fraction | None:
    """Return when a packet is shown; None for the empty packet at the end of a stream."""
    stamp = packet.dts if packet.pts is None else packet.pts
    return None if stamp is None or not packet.size else Fraction(stamp * packet.time_base)


def _keyframes(container: Any, main: Any, seek: Fraction | None) -> Iterator[Fraction]:
    _seek(container, main, seek)
    for packet in container.demux(main):
        stamp = stamp_of(packet)
        if stamp is not None and packet.is_keyframe:
            yield stamp


def _seek(container: Any, main: Any, to: Fraction | None) -> None:
    try:
        if to is None:
            container.seek(container.start_time or 0)
        else:
            container.seek(int(to / main.time_base), stream=main)
    except av.FFmpegError:
        # Some formats can't seek; those that can't go back either fail when they are read.
        container.seek(0, any_frame=True)
