"""Spectral features are librosa's, however the sound is cut."""

from __future__ import annotations

import dataclasses

import librosa
import numpy as np
import pytest

from klip_assets.media.decode import SAMPLE_RATE_HZ
from klip_assets.signals.audio.spectrum import (
    COEFFICIENTS,
    FRAME,
    HOP,
    MELS,
    SpectralFrames,
    SpectrumMeter,
    mel_filters,
)

#: How far single precision may part from librosa.
CENTROID_HZ, MFCC, FLUX_DB = 0.05, 0.01, 0.001


def measured(sound: np.ndarray, sizes: list[int]) -> SpectralFrames:
    meter = SpectrumMeter()
    pieces = [piece for piece in np.split(sound, np.cumsum(sizes)) if len(piece)]
    parts = [meter.push(piece, last=i == len(pieces) - 1) for i, piece in enumerate(pieces)]
    return SpectralFrames(
        *(np.concatenate([getattr(p, f.name) for p in parts]) for f in dataclasses.fields(SpectralFrames))
    )


def magnitudes(sound: np.ndarray) -> np.ndarray:
    padded = np.concatenate([sound, np.zeros(FRAME - 1, np.float32)])
    return np.abs(librosa.stft(padded, n_fft=FRAME, hop_length=HOP, window="hann", center=False))


@pytest.fixture(params=["real_speech", "tones"])
def sound(request: pytest.FixtureRequest) -> np.ndarray:
    return request.getfixturevalue(request.param)


@pytest.mark.slow
def test_mel_filters_are_librosas() -> None:
    theirs = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=FRAME, n_mels=MELS)
    assert np.abs(mel_filters() - theirs).max() < 1e-6


@pytest.mark.slow
def test_centroid_is_librosas(sound: np.ndarray) -> None:
    mine = measured(sound, [160_000]).centroid_hz
    theirs = librosa.feature.spectral_centroid(S=magnitudes(sound), sr=SAMPLE_RATE_HZ, n_fft=FRAME)[0]
    assert len(mine) == len(theirs) == -(-len(sound) // HOP)
    assert np.abs(mine - theirs).max() < CENTROID_HZ


@pytest.mark.slow
def test_mfcc_is_librosas(sound: np.ndarray) -> None:
    mel = librosa.feature.melspectrogram(S=magnitudes(sound) ** 2, sr=SAMPLE_RATE_HZ, n_mels=MELS)
    theirs = librosa.feature.mfcc(S=librosa.power_to_db(mel, top_db=None), n_mfcc=COEFFICIENTS)
    assert np.abs(measured(sound, [160_000]).mfcc - theirs.T).max() < MFCC


@pytest.mark.slow
def test_flux_is_the_mean_rise_of_librosas_log_mel_spectrum(sound: np.ndarray) -> None:
    mel = librosa.feature.melspectrogram(S=magnitudes(sound) ** 2, sr=SAMPLE_RATE_HZ, n_mels=MELS)
    # onset_strength divides nothing and detrends nothing with these arguments: mean(max(0, S[t] - S[t - 1])).
    theirs = librosa.onset.onset_strength(S=librosa.power_to_db(mel, top_db=None), center=False)
    mine = measured(sound, [160_000]).flux_db
    assert mine[0] == 0
    assert np.abs(mine[1:] - theirs[1 : len(mine)]).max() < FLUX_DB


@pytest.mark.parametrize("sizes", [[16_000] * 10, [160] * 20, [1, 511, 513, 7_777], [100], [160_000]])
def test_features_do_not_depend_on_where_the_sound_is_cut(sound: np.ndarray, sizes: list[int]) -> None:
    whole, cut = measured(sound, []), measured(sound, sizes)
    assert np.allclose(whole.centroid_hz, cut.centroid_hz, rtol=1e-5, equal_nan=True)
    assert np.allclose(whole.flux_db, cut.flux_db, atol=1e-4)
    assert np.allclose(whole.mfcc, cut.mfcc, atol=1e-3)
    assert np.allclose(whole.tilt_db, cut.tilt_db, atol=1e-2)


def test_the_centroid_of_a_tone_is_its_frequency() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / SAMPLE_RATE_HZ).astype(np.float32)
    assert np.median(measured(tone, []).centroid_hz) == pytest.approx(1000, rel=0.01)


def test_alpha_ratio_and_hammarberg_index_are_what_two_tones_say() -> None:
    t = np.arange(16_000) / SAMPLE_RATE_HZ
    two = (np.sin(2 * np.pi * 500 * t) + 0.1 * np.sin(2 * np.pi * 3000 * t)).astype(np.float32)
    alpha, hammarberg = np.median(measured(two, []).tilt_db, axis=0)
    assert alpha == pytest.approx(-20, abs=0.1)
    assert hammarberg == pytest.approx(20, abs=0.1)


def test_digital_silence_has_no_centroid() -> None:
    assert np.isnan(measured(np.zeros(16_000, np.float32), []).centroid_hz).all()
