"""Recordings with several audio tracks, of which one has the sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import av
import numpy as np

from odd_text.case import SECONDS, Judge, Odd, Outcome

_RATE = 16_000


@dataclass(frozen=True)
class _Track:
    peak_dbfs: float
    title: str = ""
    is_default: bool = False
    click_dbfs: float | None = None


def cases() -> Iterator[Odd]:
    """Yield the inputs."""
    hiss, sound = _Track(-75, is_default=True), _Track(-25)
    for container, codec in (("mkv", "pcm_s16le"), ("mp4", "aac"), ("mov", "pcm_s16le")):
        for name, tracks, right in (
            ("hiss-first", (hiss, sound), {1}),
            ("click", (_Track(-75, is_default=True, click_dbfs=-62), sound), {1}),
            ("loud-click", (_Track(-75, is_default=True, click_dbfs=-30), sound), {1}),
            ("hiss-66", (_Track(-66, is_default=True), sound), {1}),
            ("hiss-last", (sound, hiss), {0}),
            ("three", (_Track(-75, "Mic", is_default=True), _Track(-25, "Game"), _Track(-28, "Mix")), {1, 2}),
            ("both-default", (_Track(-75, is_default=True), _Track(-25, is_default=True)), {1}),
            ("no-default", (_Track(-75), _Track(-40), sound), {2}),
            ("quiet-default", (_Track(-45, is_default=True), sound), {0}),
        ):
            stem = f"track-{name}-{container}"
            yield Odd(
                "separate tracks",
                stem,
                _chooses(right),
                {f"{stem}.{container}": _film(container, codec, tracks)},
                seconds=None,
            )


def _chooses(right: set[int]) -> Judge:
    def judge(outcome: Outcome) -> list[str]:
        ((track, why),) = outcome.rows("SELECT audio_track, audio_track_why FROM videos WHERE video_id = $id")
        wrong = [] if track in right else [f"track {track}"]
        return wrong if why else [*wrong, "nothing says why"]

    return judge


def _film(container: str, codec: str, tracks: tuple[_Track, ...]) -> bytes:
    file = BytesIO()
    count = int(SECONDS * _RATE)
    with av.open(file, "w", format={"mkv": "matroska"}.get(container, container)) as output:
        streams = []
        for track in tracks:
            stream = output.add_stream(codec, rate=_RATE, layout="mono")
            stream.disposition = av.stream.Disposition.default if track.is_default else 0
            if track.title:
                stream.metadata["title"] = track.title
            streams.append(stream)
        for n, (stream, track) in enumerate(zip(streams, tracks, strict=True)):
            generator = np.random.default_rng([n, round(-track.peak_dbfs), *container.encode()])
            samples = 10 ** (track.peak_dbfs / 20) * generator.uniform(-1, 1, count)
            if track.peak_dbfs > -60:
                samples[count // 2 : count // 2 + _RATE] *= 5
            if track.click_dbfs is not None:
                samples[count // 3] = 10 ** (track.click_dbfs / 20)
            resampler = av.AudioResampler(stream.codec_context.format.name, "mono", _RATE)
            for at in range(0, count, 1024):
                frame = av.AudioFrame.from_ndarray(
                    samples[None, at : at + 1024].clip(-1, 1).astype(np.float32), format="fltp", layout="mono"
                )
                frame.rate, frame.pts = _RATE, at
                for piece in resampler.resample(frame):
                    output.mux(stream.encode(piece))
            output.mux(stream.encode(None))
    return file.getvalue()
