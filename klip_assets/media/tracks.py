"""Choosing the audio track to analyse: stream recordings often have separate tracks for game, voice and mix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from klip_assets.formats.text import shown_name
from klip_assets.media.probe import audio_streams, open_media

#: Tracks are compared by excerpts of this length at these positions (as shares of the recording).
EXCERPT_S = 5.0
POSITIONS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9)

#: A track that is never louder than this is no sound where another has some: an open microphone hisses below it.
AUDIBLE_DBFS = -60.0

#: Characters of a title that are kept.
LONGEST_TITLE = 60

_RATE_HZ = 16_000
#: The level of a track is what a tenth of the samples exceed in its loudest tenth of a second: a click is no sound.
_WINDOW = _RATE_HZ // 10
_LEVEL_QUANTILE = 0.9

#: Titles that recorders give the track with everything on it.
_MIXES = frozenset({"mix", "mixed", "master", "main", "all", "full", "program", "stream", "everything", "combined"})


@dataclass(frozen=True)
class Track:
    """The audio track to analyse.

    Attributes:
        index: Its index among the audio tracks that can be decoded, from 0.
        count: Number of such tracks.
        why: Why it was chosen, in a few words.
    """

    index: int
    count: int
    why: str


def choose_track(path: Path) -> Track | None:
    """Choose the audio track to analyse.

    It is the default track, if exactly one is marked as such and it is audible; else one whose title says that it is
    the mix of all; else the loudest. They are heard in excerpts from the whole recording; ties go to the first.

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
        titles = [_title(stream) for stream in streams]
        length_s = container.duration / av.time_base if container.duration and container.duration > 0 else 0.0
    if not streams:
        return None
    if len(streams) == 1:
        return Track(0, 1, "the only one")
    heard = [_heard(path, index, length_s) for index in range(len(streams))]
    audible = [one.level_dbfs > AUDIBLE_DBFS for one in heard]
    default = marked.index(True) if sum(marked) == 1 else None
    if default is not None and (audible[default] or (heard[default].power > 0 and not any(audible))):
        return Track(default, len(streams), "the default one")
    passed_over = "" if default is None else f"; the default one{_in_brackets(titles[default])} is inaudible"
    for index, title in enumerate(titles):
        if audible[index] and not _MIXES.isdisjoint(title.lower().split()):
            return Track(index, len(streams), f"titled {title}{passed_over}")
    index = int(np.argmax([one.power for one in heard]))
    return Track(index, len(streams), f"the loudest{_in_brackets(titles[index])}{passed_over}")


@dataclass(frozen=True)
class _Heard:
    # Mean square over the excerpts that can be read, and the level of the loudest moment.
    power: float
    level_dbfs: float


def _heard(path: Path, index: int, length_s: float) -> _Heard:
    total, samples, loudest = 0.0, 0, 0.0
    for position in POSITIONS if length_s > EXCERPT_S * len(POSITIONS) else (0.0,):
        with open_media(path) as container:
            try:
                for piece in _excerpt(container, index, position * length_s):
                    total += float(np.sum(np.square(piece, dtype=np.float64)))
                    samples += piece.size
                    loudest = max(loudest, float(np.quantile(np.abs(piece), _LEVEL_QUANTILE)))
            except (av.FFmpegError, ValueError):
                continue
    level_dbfs = 20 * np.log10(loudest) if loudest > 0 else -np.inf
    return _Heard(total / samples if samples else 0.0, float(level_dbfs))


def _title(stream: Any) -> str:
    found = next((value for name, value in stream.metadata.items() if name.lower() == "title"), "")
    return shown_name(" ".join(found.split())[:LONGEST_TITLE])


def _in_brackets(title: str) -> str:
    return f" ({title})" if title else ""


def _excerpt(container: Any, index: int, start_s: float) -> Any:
    stream = audio_streams(container)[index]
    if start_s:
        container.seek(int(start_s * av.time_base))
    resampler = av.AudioResampler("flt", "mono", _RATE_HZ, frame_size=_WINDOW)
    left = int(EXCERPT_S * _RATE_HZ)
    for frame in container.decode(stream):
        frame.pts = None
        for piece in resampler.resample(frame):
            yield np.nan_to_num(piece.to_ndarray())
            left -= piece.samples
        if left <= 0:
            return
    for piece in resampler.resample(None):
        yield np.nan_to_num(piece.to_ndarray())
