"""Pitch by autocorrelation (Boersma, 1993): the window's own autocorrelation is divided out."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray

FRAME = 1024
HOP = 480
LOWEST_HZ = 65.0
HIGHEST_HZ = 500.0

#: Shorter lags are searched too: a frame that repeats best there has no pitch in the range above.
_SHORTEST_LAG = 8

#: A signal repeats after two periods as well as after one; a longer lag must be better by this much per octave.
OCTAVE_COST = 0.02

#: A frame is voiced if its autocorrelation at one period reaches this...
VOICED_CORRELATION = 0.5
#: ...and is louder than this (dBFS).
VOICED_LEVEL = -55.0


class PitchMeter:
    """Finds the fundamental frequency of a stream's frames, block by block."""

    def __init__(self) -> None:
        from scipy.fft import irfft, next_fast_len, rfft

        self._tail = np.zeros(0, np.float32)
        self._window = np.hanning(FRAME).astype(np.float32)
        spectrum = np.abs(rfft(self._window, 2 * FRAME)) ** 2
        own = irfft(spectrum)[:FRAME]
        self._own = (own / own[0]).astype(np.float32)
        # One more lag on each side, so that every lag searched has both neighbours.
        self._lags = np.arange(_SHORTEST_LAG - 1, int(SAMPLE_RATE_HZ / LOWEST_HZ) + 2)
        # Long enough that only lags beyond those searched wrap around.
        self._size = next_fast_len(FRAME + int(self._lags[-1]) + 1, real=True)
        self._cost = (OCTAVE_COST * np.log2(self._lags[1:-1] / _SHORTEST_LAG)).astype(np.float32)

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
        spectrum = rfft(frames, self._size, axis=1)
        correlation = irfft(np.square(spectrum.real) + np.square(spectrum.imag), self._size, axis=1)
        power = correlation[:, 0]
        near = correlation[:, self._lags[0] : self._lags[-1] + 1]
        repeats = near * (1 / self._own[self._lags]) / np.maximum(power, 1e-12)[:, None]
        left, middle, right = repeats[:, :-2], repeats[:, 1:-1], repeats[:, 2:]
        # The top of the parabola through each local maximum and its neighbours.
        curve = np.minimum(left - 2 * middle + right, -1e-9)
        shift = 0.5 * (left - right) / curve
        height = middle - 0.25 * (left - right) * shift
        is_top = (middle > left) & (middle >= right)
        best = np.where(is_top, height - self._cost, -np.inf).argmax(axis=1)
        rows = np.arange(count)
        hz = SAMPLE_RATE_HZ / (self._lags[1:-1][best] + shift[rows, best])
        # This is the power of the windowed frame; a Hann window keeps 3/8 of it.
        level = 10 * np.log10(np.maximum(power / (0.375 * FRAME), 1e-12))
        voiced = is_top[rows, best] & (height[rows, best] >= VOICED_CORRELATION) & (level >= VOICED_LEVEL)
        voiced &= (hz >= LOWEST_HZ) & (hz <= HIGHEST_HZ)
        return np.where(voiced, hz, np.nan).astype(np.float32)
