"""The row a second: complete, by contract, the same however the sound is cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import librosa
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.contracts import AUDIO_FEATURES
from klip_assets.media.decode import SAMPLE_RATE_HZ, in_blocks
from klip_assets.signals.audio.features import measure_sound
from klip_assets.signals.audio.spectrum import SpectrumMeter
from klip_assets.store.lake.validate import conform

LEVELS = ["rms_dbfs", "peak_dbfs", "loudness_momentary_lufs", "loudness_short_term_lufs", "loudness_z", "burst_z"]
TIMBRE = ["spectral_centroid_hz", "spectral_flux", "zero_crossing_rate", "pitch_hz", "mfcc"]


def rows_of(blocks: Iterable[np.ndarray], name: str, on_progress: Callable[[float], None] | None = None) -> pa.Table:
    return measure_sound(blocks, name, on_progress).rows


def voice(seconds: float, hz: float = 150.0) -> np.ndarray:
    t = np.arange(max(1, round(seconds * SAMPLE_RATE_HZ))) / SAMPLE_RATE_HZ
    swing = 0.55 + 0.45 * np.sin(2 * np.pi * 0.7 * t)
    return (0.1 * swing * sum(np.sin(2 * np.pi * hz * k * t) / k for k in range(1, 9))).astype(np.float32)


def values(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(table[name].to_numpy(zero_copy_only=False), float)


@settings(max_examples=12, deadline=None)
@given(st.floats(0.01, 35.0), st.integers(1, 400_000))
def test_there_is_a_row_for_each_begun_second_however_the_sound_is_cut(seconds: float, block: int) -> None:
    sound = voice(seconds)
    table = conform(AUDIO_FEATURES, rows_of(in_blocks([sound], block), "v"))
    assert table["t_s"].to_pylist() == list(range(math.ceil(len(sound) / SAMPLE_RATE_HZ)))
    whole = rows_of([sound], "v")
    for name in (*LEVELS, *TIMBRE[:-1], "voiced_share", "speech_share"):
        assert np.allclose(values(table, name), values(whole, name), rtol=1e-5, atol=1e-5, equal_nan=True), name
    for mine, theirs in zip(table["mfcc"].to_pylist(), whole["mfcc"].to_pylist(), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-3) and len(mine) == 13


def test_no_sound_gives_no_rows() -> None:
    assert conform(AUDIO_FEATURES, rows_of([], "v")).num_rows == 0
    assert rows_of([np.zeros(0, np.float32)], "v").num_rows == 0


def test_levels_of_a_tone_are_what_they_must_be() -> None:
    t = np.arange(5 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    table = rows_of([(0.5 * np.sin(2 * np.pi * 250 * t)).astype(np.float32)], "v")
    assert values(table, "peak_dbfs") == pytest.approx(-6.02, abs=0.01)
    assert values(table, "rms_dbfs") == pytest.approx(-9.03, abs=0.01)
    assert values(table, "zero_crossing_rate") == pytest.approx(500 / SAMPLE_RATE_HZ, rel=0.01)
    assert values(table, "pitch_hz") == pytest.approx(250, rel=0.01)
    assert values(table, "voiced_share") == pytest.approx(1.0)


def test_real_sound_is_never_measured_as_zero_k2(real_speech: np.ndarray) -> None:
    table = conform(AUDIO_FEATURES, rows_of([real_speech], "v"))
    assert table.num_rows == 11
    for name in (*LEVELS[:4], "spectral_centroid_hz", "spectral_flux", "zero_crossing_rate"):
        assert table[name].null_count == 0 and (values(table, name) != 0).all(), name
    assert np.mean(values(table, "speech_share")) > 0.5
    assert 80 < np.nanmedian(values(table, "pitch_hz")) < 250


def test_digital_silence_is_null_not_a_number() -> None:
    table = conform(AUDIO_FEATURES, rows_of([np.zeros(15 * SAMPLE_RATE_HZ, np.float32)], "v"))
    assert table.num_rows == 15
    for name in (*LEVELS, *TIMBRE):
        assert table[name].null_count == 15, name
    assert values(table, "voiced_share").max() == 0 and values(table, "speech_share").max() == 0


def test_a_silent_stretch_inside_a_recording_is_null_too() -> None:
    sound = np.concatenate([voice(20), np.zeros(5 * SAMPLE_RATE_HZ, np.float32), voice(20)])
    table = conform(AUDIO_FEATURES, rows_of([sound], "v"))
    for name in ("rms_dbfs", "peak_dbfs", *TIMBRE):
        assert [t for t, value in enumerate(table[name].to_pylist()) if value is None] == [20, 21, 22, 23, 24], name
    # The 400 ms that end early in second 20 still hold sound.
    assert table["loudness_z"].is_null().to_pylist()[21:25] == [True] * 4


def test_silence_in_a_second_does_not_pull_its_centroid_down() -> None:
    tone = np.sin(2 * np.pi * 2000 * np.arange(SAMPLE_RATE_HZ // 4) / SAMPLE_RATE_HZ)
    sound = np.zeros(2 * SAMPLE_RATE_HZ, np.float32)
    sound[: len(tone)] = 0.3 * tone
    assert values(rows_of([sound], "v"), "spectral_centroid_hz")[0] == pytest.approx(2000, rel=0.05)


def test_a_seconds_spectrum_is_the_mean_of_its_frames(real_speech: np.ndarray) -> None:
    frames = SpectrumMeter().push(real_speech, last=True)
    table = rows_of([real_speech], "v")
    assert values(table, "spectral_centroid_hz")[3] == pytest.approx(frames.centroid_hz[300:400].mean(), rel=1e-5)
    assert table["mfcc"][3].as_py() == pytest.approx(frames.mfcc[300:400].mean(axis=0).tolist(), rel=1e-4, abs=1e-4)


@pytest.mark.slow
def test_zero_crossing_rate_is_librosas(real_speech: np.ndarray) -> None:
    mine = values(rows_of([real_speech], "v"), "zero_crossing_rate")
    for t in range(1, 11):
        # One sample before the second: the crossing between two seconds belongs to the later one.
        piece = real_speech[t * SAMPLE_RATE_HZ - 1 : (t + 1) * SAMPLE_RATE_HZ]
        theirs = librosa.zero_crossings(piece, pad=False, threshold=0).sum() / SAMPLE_RATE_HZ
        assert mine[t] == pytest.approx(theirs, abs=1e-9)


def test_a_negative_zero_is_not_a_crossing() -> None:
    sound = np.full(SAMPLE_RATE_HZ, 0.1, np.float32)
    sound[::2] = -0.0
    assert values(rows_of([sound], "v"), "zero_crossing_rate")[0] == 0


def test_speech_is_told_from_the_noise_of_a_quiet_room(real_speech: np.ndarray) -> None:
    noise = (0.01 * np.random.default_rng(0).standard_normal(len(real_speech))).astype(np.float32)
    assert np.mean(values(rows_of([real_speech], "v"), "speech_share")) > 0.7
    assert np.mean(values(rows_of([noise], "v"), "speech_share")) < 0.05


def test_progress_runs_to_the_end() -> None:
    done: list[float] = []
    rows_of([voice(25.5)], "v", done.append)
    assert done == pytest.approx([10.0, 20.0, 25.5])


def test_measuring_is_deterministic_k1(real_speech: np.ndarray) -> None:
    assert rows_of([real_speech], "v").equals(rows_of([real_speech], "v"))
