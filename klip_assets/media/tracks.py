"""Choosing the audio track to analyse: stream recordings often have separate tracks for game, voice and mix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from klip_assets.media.probe import audio_streams, open_media

#: Tracks are compared by excerpts of this length at these positions (as shares of the recording).
EXCERPT_S = 5.0
POSITIONS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)

_RATE_HZ = 16_000


@dataclass(frozen=True)
class Track:
    """The audio track to analyse.

    Attributes:
        index: Its index among the audio tracks that can be decoded, from 0.
        count: Number of such tracks.
        why: Why it was chosen: the only one, the default one, or the loudest.
    """

    index: int
    count: int
    why: str


def choose_track(path: Path) -> Track | None:
    """Choose the audio track to analyse.

    It is the default track, if exactly one is marked as such and it is not silent; else the loudest in excerpts from
    the whole recording; ties go to the first.

    Args:
        path: The recording.

    Returns:
        None if there is no audio track that can be decoded.

    Raises:
        UnreadableMediaError: It can't be opened.
    """
    with open_media(path) as container:
        streams = audio_streams(container)
        marked = [bool(stream.disposition & av.stream.Disposition.default) for stream in streams]
        length_s = container.duration / av.time_base if container.duration and container.duration > 0 else 0.0
    if not streams:
        return None
    if len(streams) == 1:
        return Track(0, 1, "the only one")
    powers = [_power(path, index, length_s) for index in range(len(streams))]
    if sum(marked) == 1 and powers[marked.index(True)] > 0:
        return Track(marked.index(True), len(streams), "the default one")
    return Track(int(np.argmax(powers)), len(streams), "the loudest")


def _power(path: Path, index: int, length_s: float) -> float:
    # Mean square over the excerpts that can be read.
    total = 0.0
    samples = 0
    for position in POSITIONS if length_s > EXCERPT_S * len(POSITIONS) else (0.0,):
        with open_media(path) as container:
            try:
                for piece in _excerpt(container, index, position * length_s):
                    total += float(np.sum(np.square(piece, dtype=np.float64)))
                    samples += piece.size
            except (av.FFmpegError, ValueError):
                continue
    return total / samples if samples else 0.0


def _excerpt(container: Any, index: int, start_s: float) -> Any:
    stream = audio_streams(container)[index]
    if start_s:
        container.seek(int(start_s * av.time_base))
    resampler = av.AudioResampler("flt", "mono", _RATE_HZ)
    left = int(EXCERPT_S * _RATE_HZ)
    for frame in container.decode(stream):
        frame.pts = None
        for piece in resampler.resample(frame):
            yield np.nan_to_num(piece.to_ndarray())
            left -= piece.samples
        if left <= 0:
            return
