"""Encoding with PyAV: H.264 and AAC in an MP4, or only AAC in an M4A.

Belongs here: containers and codecs. Does not belong here: content (picture, sound).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from sample_stream.picture import FPS, HEIGHT, WIDTH
from sample_stream.voice import RATE_HZ

AUDIO_BIT_RATE = 64_000
VIDEO_OPTIONS = {"preset": "ultrafast", "tune": "animation", "crf": "33", "g": "50"}


def write(path: Path, sound: np.ndarray, pictures: Iterator[np.ndarray] | None) -> None:
    """Write a recording; the file appears under its name only when complete.

    Args:
        path: The file, `.mp4` or `.m4a`.
        sound: (samples,) float32 at 44.1 kHz, mono.
        pictures: (180, 320, 3) uint8 RGB frames, ten per second; none for sound only.
    """
    part = path.with_name(path.name + ".part")
    kind = "ipod" if pictures is None else "mp4"
    with av.open(str(part), "w", format=kind, options={"movflags": "faststart"}) as container:
        video = None
        if pictures is not None:
            video = container.add_stream("libx264", rate=FPS, options=VIDEO_OPTIONS)
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        audio = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        audio.bit_rate = AUDIO_BIT_RATE
        step = RATE_HZ // FPS
        for number, first in enumerate(range(0, len(sound), step)):
            picture = None if pictures is None else next(pictures, None)
            if video is not None and picture is not None:
                image = av.VideoFrame.from_ndarray(picture, format="rgb24")
                image.pts, image.time_base = number, Fraction(1, FPS)
                container.mux(video.encode(image))
            samples = sound[None, first : first + step]
            piece = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = RATE_HZ, first, Fraction(1, RATE_HZ)
            container.mux(audio.encode(piece))
        for stream in filter(None, (video, audio)):
            container.mux(stream.encode(None))
    part.replace(path)
