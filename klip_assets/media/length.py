"""The length of a recording, even where its container's claim can't be true."""

from __future__ import annotations

from pathlib import Path

import av

from klip_assets.errors import UnreadableMediaError
from klip_assets.formats.text import shown_name
from klip_assets.media.decode import LONGEST_S, sound_length
from klip_assets.media.probe import MediaInfo, is_cover, open_media

#: A recording with fewer bits per second is implausible (the leanest speech codecs need about this many): its claim is
#: not trusted, and its content is counted instead.
MIN_BITS_PER_S = 2_000

#: If the length comes from video packets alone, each counts for at most this long.
LONGEST_PICTURE_S = 10.0


def length_of(path: Path, info: MediaInfo, *, longest_s: float = LONGEST_S) -> float | None:
    """Return the length of a recording in seconds, None if unknown.

    It is taken from the container, unless the file is far too small for that. Then the audio is decoded and its samples
    are counted, or the video packets if there is no audio. Timestamps are not used, since they may jump.

    Args:
        path: The recording.
        info: Result of `probe`.
        longest_s: Maximum length; no more than this is decoded.

    Raises:
        UnreadableMediaError: It can't be opened, or is longer than `longest_s`.
    """
    length = info.duration_s
    if length is not None and length * MIN_BITS_PER_S > path.stat().st_size * 8:
        length = min(length, _counted(path, info, longest_s)) or None
    if length is not None and length > longest_s:
        stated = f"{length / 3600:,.0f} h" if length > 7200 else f"{length:,.0f} s"
        raise UnreadableMediaError(
            f"{shown_name(path.name)}: {stated} long, more than the limit of {longest_s / 3600:g} h",
            hint="cut it into parts; KLIP_MAX_DURATION_H sets the limit",
        )
    return length


def _counted(path: Path, info: MediaInfo, longest_s: float) -> float:
    if info.audio_codec is not None:
        try:
            heard = sound_length(path, longest_s=longest_s + 1)
        except UnreadableMediaError:
            heard = 0.0  # The audio is unusable; the video may not be.
        if heard:
            return heard
    seconds = 0.0
    with open_media(path) as container:
        streams = [stream for stream in container.streams.video if not is_cover(stream)]
        try:
            for packet in container.demux(streams) if streams else ():
                if packet.duration and packet.time_base:
                    seconds += min(LONGEST_PICTURE_S, float(packet.duration * packet.time_base))
        except av.FFmpegError:
            pass  # What was read before the damage counts.
    return seconds
