"""Pitch by autocorrelation (Boersma, 1993): the window's own autocorrelation is divided out.

Put here: fundamental frequency. Keep out: other uses of the spectrum.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray

FRAME = 1024
HOP = 480
LOWEST_HZ = 65.0
HIGHEST_HZ = 500.0

#: A frame is voiced if the signal repeats itself this well after one period...
VOICED_CORRELATION = 0.5
#: ...and is louder than this (dBFS).
VOICED_LEVEL = -55.0


class PitchMeter:
    """Finds the fundamental frequency of a stream's frames, block by block."""

    def __init__(self) -> None:
        from scipy.fft import irfft, rfft

        self._tail = np.zeros(0, np.float32)
        self._window = np.hanning(FRAME).astype(np.float32)
        spectrum = np.abs(rfft(self._window, 2 * FRAME)) ** 2
        own = irfft(spectrum)[:FRAME]
        self._own = (own / own[0]).astype(np.float32)
        self._lags = slice(int(SAMPLE_RATE_HZ / HIGHEST_HZ), int(SAMPLE_RATE_HZ / LOWEST_HZ) + 1)

    def push(self, block: FloatArray) -> FloatArray:
        """Return the pitch of the frames that are complete so far, in Hz; NaN where unvoiced.

        Returns:
            Array of shape (frames,); frames start 30 ms apart.
        """
        from scipy.fft import irfft, rfft

        samples = np.concatenate([self._tail, block])
        count = max(0, (len(samples) - FRAME) // HOP + 1)
        self._tail = samples[count * HOP :]
        if count == 0:
            return np.zeros(0, np.float32)
        frames = sliding_window_view(samples, FRAME)[: count * HOP : HOP]
        frames = (frames - frames.mean(axis=1, keepdims=True)) * self._window
        spectrum = rfft(frames, 2 * FRAME, axis=1)
        correlation = irfft(np.square(np.abs(spectrum)), axis=1)[:, :FRAME]
        power = correlation[:, 0]
        searched = correlation[:, self._lags] / (np.maximum(power, 1e-12)[:, None] * self._own[self._lags])
        best = searched.argmax(axis=1)
        lag = best + self._lags.start + _parabolic_shift(searched, best)
        # Power is that of the windowed frame; the Hann window keeps 3/8 of it.
        level = 10 * np.log10(np.maximum(power / (0.375 * FRAME), 1e-12))
        voiced = (searched[np.arange(count), best] >= VOICED_CORRELATION) & (level >= VOICED_LEVEL)
        return np.where(voiced, SAMPLE_RATE_HZ / lag, np.nan).astype(np.float32)


def _parabolic_shift(values: FloatArray, best: np.ndarray) -> np.ndarray:
    inside = np.clip(best, 1, values.shape[1] - 2)
    rows = np.arange(len(values))
    left, middle, right = values[rows, inside - 1], values[rows, inside], values[rows, inside + 1]
    curve = left - 2 * middle + right
    shift = np.divide(0.5 * (left - right), curve, out=np.zeros_like(middle), where=np.abs(curve) > 1e-9)
    return np.where(best == inside, np.clip(shift, -0.5, 0.5), 0.0)
