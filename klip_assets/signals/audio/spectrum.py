"""Spectral features in blocks, by librosa's definitions (Hann window, Slaney mel filters, orthonormal DCT-II).

librosa itself needs the whole recording in memory; these give the same numbers (tested) while carrying a tail of one
frame from block to block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray

FRAME = 512
HOP = 160
MELS = 40
COEFFICIENTS = 13

_AMIN = 1e-10
_TINY = 1e-20


@dataclass(frozen=True)
class SpectralFrames:
    """Features of consecutive frames, 10 ms apart.

    Attributes:
        centroid_hz: Shape (frames,); NaN where the frame is digital silence (librosa's is 0).
        flux_db: Mean rise of the log-mel spectrum since the frame before, shape (frames,).
        mfcc: Shape (frames, 13).
        tilt_db: Alpha ratio and Hammarberg index (see `_tilt`), shape (frames, 2); meaningless in digital silence.
    """

    centroid_hz: FloatArray
    flux_db: FloatArray
    mfcc: FloatArray
    tilt_db: FloatArray


def mel_filters(bands: int = MELS, frame: int = FRAME, rate_hz: int = SAMPLE_RATE_HZ) -> FloatArray:
    """Return Slaney's triangular mel filters with equal area, as `librosa.filters.mel` does by default.

    Returns:
        Array of shape (bands, 1 + frame / 2).
    """
    edges = _mel_to_hz(np.linspace(_hz_to_mel(0.0), _hz_to_mel(rate_hz / 2), bands + 2))
    bins = np.fft.rfftfreq(frame, 1 / rate_hz)
    ramps = edges[:, None] - bins[None, :]
    widths = np.diff(edges)
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    weights = np.maximum(0, np.minimum(rising, falling)) * (2.0 / (edges[2:] - edges[:-2]))[:, None]
    return weights.astype(np.float32)


class SpectrumMeter:
    """Computes spectral features of a stream, block by block."""

    def __init__(self) -> None:
        self._tail = np.zeros(0, np.float32)
        self._last_mel: FloatArray | None = None
        self._filters = mel_filters()
        # The periodic Hann window, as scipy.signal.get_window gives it to librosa.
        self._window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)).astype(np.float32)
        self._bins = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE_HZ).astype(np.float32)
        self._bands = _bands(self._bins)

    def push(self, block: FloatArray, *, last: bool = False) -> SpectralFrames:
        """Return the features of the frames completed by this block.

        Args:
            block: The next samples.
            last: Whether they are the last; the final frames are then zero-padded.
        """
        from scipy.fft import dct, rfft

        samples = np.concatenate([self._tail, block])
        if last:
            samples = np.concatenate([samples, np.zeros(FRAME - 1, np.float32)])
        count = max(0, (len(samples) - FRAME) // HOP + 1)
        self._tail = samples[count * HOP :]
        if count == 0:
            empty = np.zeros(0, np.float32)
            return SpectralFrames(empty, empty, np.zeros((0, COEFFICIENTS), np.float32), np.zeros((0, 2), np.float32))
        frames = sliding_window_view(samples, FRAME)[: count * HOP : HOP]
        spectrum = rfft(frames * self._window, axis=1)
        # Not np.abs: it guards against overflow, which costs three times as much.
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        magnitude = np.sqrt(power)
        total = magnitude.sum(axis=1)
        centroid = np.divide(magnitude @ self._bins, total, out=np.full_like(total, np.nan), where=total > 0)
        log_mel = 10 * np.log10(np.maximum(_AMIN, power @ self._filters.T))
        before = self._last_mel if self._last_mel is not None else log_mel[:1]
        flux = np.maximum(0, np.diff(log_mel, axis=0, prepend=before)).mean(axis=1)
        self._last_mel = log_mel[-1:]
        mfcc = dct(log_mel, type=2, axis=1, norm="ortho")[:, :COEFFICIENTS]
        return SpectralFrames(centroid, flux, mfcc, _tilt(power, self._bands))


def _bands(bins_hz: FloatArray) -> FloatArray:
    # Columns that sum the power of 50 Hz-1 kHz and of 1-5 kHz.
    low, high = (bins_hz >= 50) & (bins_hz < 1000), (bins_hz >= 1000) & (bins_hz < 5000)
    return np.stack([low, high], axis=1).astype(np.float32)


def _tilt(power: FloatArray, bands: FloatArray) -> FloatArray:
    # As in eGeMAPS (Eyben et al., 2016), here for frames of 32 ms: energy of 1-5 kHz over that of 50 Hz-1 kHz, and the
    # strongest bin below 2 kHz over the strongest of 2-5 kHz.
    sums = power @ bands
    below, above = 2000 * FRAME // SAMPLE_RATE_HZ, 5000 * FRAME // SAMPLE_RATE_HZ
    over = np.stack([sums[:, 1], power[:, :below].max(axis=1)], axis=1)
    under = np.stack([sums[:, 0], power[:, below:above].max(axis=1)], axis=1)
    return 10 * np.log10(np.maximum(_TINY, over) / np.maximum(_TINY, under))


def _hz_to_mel(hz: float) -> float:
    linear = hz * 3 / 200
    return linear if hz < 1000 else 15 + float(np.log(hz / 1000)) * 27 / float(np.log(6.4))


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))
