"""Loudness is that of ITU-R BS.1770 as FFmpeg measures it."""

from __future__ import annotations

from itertools import pairwise

import av
import numpy as np
import pytest

from klip_assets.media.decode import SAMPLE_RATE_HZ, in_blocks
from klip_assets.signals.audio.loudness import HOP, LoudnessMeter, to_lufs

#: Largest difference to FFmpeg's ebur128 filter.
TOLERANCE_LU = 0.1


def meter_of(sound: np.ndarray, block: int = 160_000) -> LoudnessMeter:
    meter = LoudnessMeter()
    for piece in in_blocks([sound], block):
        meter.push(piece)
    return meter


def ffmpeg_series(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return momentary, short-term and integrated loudness at the end of every 100 ms."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=SAMPLE_RATE_HZ, format="flt", layout="mono")
    sink = graph.add("abuffersink")
    graph.link_nodes(source, graph.add("ebur128", "metadata=1"), sink).configure()
    found = []
    edges = [*range(0, len(sound) + 1, HOP)]
    for first, last in [*pairwise(edges), (None, None)]:
        frame = None
        if first is not None:
            frame = av.AudioFrame.from_ndarray(sound[None, first:last], "flt", "mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, first
        graph.push(frame)
        while True:
            try:
                tags = graph.pull().metadata
            except (BlockingIOError, EOFError):
                break
            if "lavfi.r128.M" in tags:
                found.append([float(tags[f"lavfi.r128.{name}"]) for name in "MSI"])
    momentary, short_term, integrated = np.array(found).T
    return momentary, short_term, integrated


@pytest.fixture(params=["real_speech", "tones"])
def sound(request: pytest.FixtureRequest) -> np.ndarray:
    return request.getfixturevalue(request.param)


def test_every_second_is_within_a_tenth_of_an_lu_of_ffmpeg(sound: np.ndarray) -> None:
    momentary, short_term, _ = ffmpeg_series(sound)
    seconds = len(sound) // SAMPLE_RATE_HZ
    loudest, around = meter_of(sound).per_second(seconds)
    theirs = momentary[: seconds * 10].reshape(seconds, 10).max(axis=1)
    assert np.abs(loudest - theirs).max() < TOLERANCE_LU
    # The 3 s centred on second t are over at t + 2.
    inner = np.arange(1, seconds - 1)
    assert np.abs(around[inner] - short_term[(inner + 2) * 10 - 1]).max() < TOLERANCE_LU


def test_the_loudness_of_the_whole_is_within_a_tenth_of_an_lu_of_ffmpeg(sound: np.ndarray) -> None:
    # Quiet stretches: those the absolute gate leaves out, and those only the relative one does.
    for quiet in (0.0, 1e-4, 0.03, 1.0):
        whole = np.concatenate([sound, quiet * sound[: 5 * SAMPLE_RATE_HZ]])
        theirs = ffmpeg_series(whole)[2][-1]
        assert meter_of(whole).integrated_lufs() == pytest.approx(theirs, abs=TOLERANCE_LU), quiet


@pytest.mark.parametrize("seconds", [0.0, 0.3, 5.0])
def test_silence_or_less_than_400_ms_have_no_loudness_of_the_whole(seconds: float) -> None:
    level = 0.0 if seconds == 5.0 else 0.5
    assert meter_of(np.full(round(seconds * SAMPLE_RATE_HZ), level, np.float32)).integrated_lufs() is None


def test_the_reference_tone_of_the_standard_reads_minus_23_lufs() -> None:
    # EBU Tech 3341: 1 kHz at -23 dBFS on both channels of a stereo signal; one channel alone is 3.01 LU less.
    tone = 10 ** (-23 / 20) * np.sin(2 * np.pi * 1000 * np.arange(20 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)
    momentary, short_term = meter_of(tone.astype(np.float32)).per_second(20)
    assert np.abs(momentary + 23 + 3.01).max() < TOLERANCE_LU
    assert np.abs(short_term + 23 + 3.01).max() < TOLERANCE_LU


def test_loudness_does_not_depend_on_the_length_of_the_blocks(real_speech: np.ndarray) -> None:
    whole = meter_of(real_speech, 11 * SAMPLE_RATE_HZ).powers
    assert np.allclose(whole, meter_of(real_speech, SAMPLE_RATE_HZ).powers, rtol=1e-9)
    assert np.allclose(whole, meter_of(real_speech, HOP).powers, rtol=1e-9)


def test_twice_the_amplitude_is_6_lu_more(real_speech: np.ndarray) -> None:
    once, twice = meter_of(real_speech).per_second(11)[0], meter_of(real_speech * 2).per_second(11)[0]
    assert np.allclose(twice - once, 6.02, atol=0.01)


def test_less_than_400_ms_at_the_start_are_no_momentary_loudness() -> None:
    sound = np.zeros(2 * SAMPLE_RATE_HZ, np.float32)
    sound[: HOP // 2] = 0.5 * np.sin(np.arange(HOP // 2))
    peak = meter_of(sound).powers[0]
    assert meter_of(sound).per_second(2)[0][0] == pytest.approx(to_lufs(np.array([peak / 4]))[0], abs=0.2)


def test_digital_silence_has_no_loudness() -> None:
    momentary, short_term = meter_of(np.zeros(5 * SAMPLE_RATE_HZ, np.float32)).per_second(5)
    assert np.isnan(momentary).all() and np.isnan(short_term).all()


def test_a_recording_shorter_than_400_ms_still_has_a_loudness() -> None:
    tone = np.sin(np.arange(3000)).astype(np.float32)
    momentary, short_term = meter_of(tone).per_second(1)
    assert np.isfinite(momentary).all() and np.isfinite(short_term).all()
