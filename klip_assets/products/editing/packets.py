"""A stretch of a recording as packets, starting at the keyframe before it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from klip_assets.media.probe import audio_streams, is_cover
from klip_assets.media.timeline import Clock, Timeline

#: A seek that lands too late is retried this many seconds earlier, finally from the start of the file.
EARLIER_S = (0, 10, 60)
#: Maximum interleaving distance of packets with the same time; streams that end early are not waited for longer.
INTERLEAVED_S = 10


@dataclass(frozen=True)
class Stretch:
    """Location of a clip in an open recording; times are those of the presentation timeline.

    Attributes:
        streams: The streams it keeps: the picture first, then every sound track.
        main: The stream whose keyframes it can begin at.
        timeline: The recording's timeline.
        start: When it should begin.
        end: When it should end.
        key: Time of the last keyframe of `main` at or before `start`, or of its first one.
        seek: Where to seek to reach `key` next or soon; None for the start of the file.
    """

    streams: Sequence[Any]
    main: Any
    timeline: Timeline
    start: Fraction
    end: Fraction
    key: Fraction
    seek: Fraction | None


def find_stretch(container: Any, start_s: float, end_s: float, timeline: Timeline) -> Stretch | None:
    """Find where a clip begins and which streams it keeps.

    Args:
        container: The open recording.
        start_s: Seconds from its start, as in the tables.
        end_s: Likewise.
        timeline: The recording's timeline.

    Returns:
        None if the recording has no data there.
    """
    pictures = [s for s in container.streams.video if s.codec_context is not None and not is_cover(s)]
    streams = [*pictures[:1], *audio_streams(container)]
    if not streams:
        return None
    start, end = Fraction(start_s), Fraction(end_s)
    first = None
    # In joined recordings a timestamp stands for several places.
    for back in (*EARLIER_S, None) if timeline.in_one_piece else (None,):
        seek = None if back is None or start <= back else start - back
        first = None
        for stamp in _keyframes(container, streams[0], seek, timeline):
            if stamp > start:
                first = first if first is not None else stamp
                break
            first = stamp
        if first is not None and (first <= start or seek is None):
            break
    if first is None or first >= end:
        return None
    return Stretch(streams, streams[0], timeline, start, end, first, seek)


def read(container: Any, stretch: Stretch) -> Iterator[tuple[Any, Fraction]]:
    """Yield the packets of a stretch in file order, moved to the presentation timeline, each with its time.

    Pictures shown before the keyframe but stored after it (leading pictures of an open GOP) are skipped: they can't be
    decoded. All packets needed to decode what is shown before the end are included.
    """
    clock = _seek(container, stretch.main, stretch.seek, stretch.timeline)
    begun = False
    over: set[int] = set()
    for packet in container.demux(list(stretch.streams)):
        clock.place(packet)
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


def _keyframes(container: Any, main: Any, seek: Fraction | None, timeline: Timeline) -> Iterator[Fraction]:
    clock = _seek(container, main, seek, timeline)
    for packet in container.demux(main):
        clock.place(packet)
        stamp = stamp_of(packet)
        if stamp is not None and packet.is_keyframe:
            yield stamp


def _seek(container: Any, main: Any, to: Fraction | None, timeline: Timeline) -> Clock:
    try:
        if to is None:
            container.seek(container.start_time or 0)
        else:
            container.seek(int((to + Fraction(timeline.origin_s)) / main.time_base), stream=main)
    except av.FFmpegError:
        # Some formats can't seek; those that can't rewind either fail when read.
        container.seek(0, any_frame=True)
    return Clock(timeline)
