"""Loudness of 16 kHz mono sound by ITU-R BS.1770-4 / EBU Tech 3341, in one streaming pass.

The values are those of the mono downmix: for a stereo recording BS.1770 would add the power of both channels.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray

HOP_S = 0.1
HOP = int(HOP_S * SAMPLE_RATE_HZ)
HOPS_A_SECOND = round(1 / HOP_S)
MOMENTARY_HOPS = 4
SHORT_TERM_HOPS = 30

#: Gates of integrated loudness: blocks below the absolute one, or this far below the mean of the rest, do not count.
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0

Series = NDArray[np.float64]


def k_weighting(rate_hz: int) -> NDArray[np.float64]:
    """Return BS.1770's K-weighting as second-order sections for a sample rate.

    The standard gives coefficients for 48 kHz only; these are derived from the underlying analogue filters
    (a high shelf of +4 dB at 1.68 kHz and a high pass at 38 Hz), as in libebur128.

    Returns:
        Array of shape (2, 6), the form that `scipy.signal.sosfilt` takes.
    """
    gain, quality, centre = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k = math.tan(math.pi * centre / rate_hz)
    high, band = 10 ** (gain / 20), (10 ** (gain / 20)) ** 0.4996667741545416
    a0 = 1 + k / quality + k * k
    shelf = [
        (high + band * k / quality + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / quality + k * k) / a0,
        1.0,
        2 * (k * k - 1) / a0,
        (1 - k / quality + k * k) / a0,
    ]
    quality, centre = 0.5003270373238773, 38.13547087602444
    k = math.tan(math.pi * centre / rate_hz)
    a0 = 1 + k / quality + k * k
    high_pass = [1.0, -2.0, 1.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / quality + k * k) / a0]
    return np.array([shelf, high_pass])


class LoudnessMeter:
    """Collects the K-weighted power of every 100 ms."""

    def __init__(self) -> None:
        self._sections = k_weighting(SAMPLE_RATE_HZ)
        self._state = np.zeros((2, 2))
        self._powers: list[Series] = []
        self._last_is_short = False

    def push(self, block: FloatArray) -> None:
        """Add the next block; all but the last hold whole tenths of a second."""
        from scipy.signal import sosfilt

        weighted, self._state = sosfilt(self._sections, block.astype(np.float64), zi=self._state)
        whole = len(weighted) // HOP * HOP
        powers = np.mean(np.square(weighted[:whole]).reshape(-1, HOP), axis=1)
        self._last_is_short = whole < len(weighted)
        if self._last_is_short:
            powers = np.append(powers, np.mean(np.square(weighted[whole:])))
        self._powers.append(powers)

    @property
    def powers(self) -> Series:
        """Mean square of each 100 ms, shape (tenths,)."""
        return np.concatenate(self._powers) if self._powers else np.zeros(0)

    def per_second(self, seconds: int, heard: NDArray[np.bool_] | None = None) -> tuple[Series, Series]:
        """Return momentary and short-term loudness of each second, in LUFS.

        Args:
            seconds: Number of seconds.
            heard: Which tenths hold sound; the others are left out of the means. None for all.

        Returns:
            The loudest 400 ms that end in the second, and the 3 s centred on it; NaN where all is digital
            silence. Both of shape (seconds,).
        """
        powers = self.powers
        momentary = _running_mean(powers, MOMENTARY_HOPS, heard)
        if len(powers) >= MOMENTARY_HOPS:
            momentary[: MOMENTARY_HOPS - 1] = 0.0  # Momentary loudness needs 400 ms.
        centred = _running_mean(powers, SHORT_TERM_HOPS, heard)
        loudest, around = np.full(seconds, np.nan), np.full(seconds, np.nan)
        for t in range(seconds):
            first, last = t * HOPS_A_SECOND, min((t + 1) * HOPS_A_SECOND, len(powers))
            loudest[t] = momentary[first:last].max(initial=0.0)
            around[t] = centred[min((t + 2) * HOPS_A_SECOND, len(powers)) - 1]
        return to_lufs(loudest), to_lufs(around)

    def integrated_lufs(self, heard: NDArray[np.bool_] | None = None) -> float | None:
        """Return the integrated loudness, gated as in BS.1770-4 (blocks of 400 ms that overlap by 75 %).

        Args:
            heard: As in `per_second`.

        Returns:
            LUFS; None for less than 400 ms, or where no block is louder than -70 LUFS.
        """
        # An incomplete last tenth is excluded, as the standard does with an incomplete block.
        count = len(self.powers) - bool(self._last_is_short)
        blocks = _running_mean(self.powers[:count], MOMENTARY_HOPS, None if heard is None else heard[:count])
        blocks = blocks[MOMENTARY_HOPS - 1 :]
        loud = blocks[to_lufs(blocks) > ABSOLUTE_GATE_LUFS]
        if not len(loud):
            return None
        gate = to_lufs(loud.mean()) + RELATIVE_GATE_LU
        return float(to_lufs(loud[to_lufs(loud) > gate].mean()))


def to_lufs(power: Series | float) -> Series:
    """Convert K-weighted mean squares to LUFS; NaN for zero."""
    with np.errstate(divide="ignore"):
        lufs = -0.691 + 10 * np.log10(power)
    return np.where(np.isfinite(lufs), lufs, np.nan)


def _running_mean(powers: Series, width: int, heard: NDArray[np.bool_] | None = None) -> Series:
    # Value i is the mean of the last `width` powers up to i; fewer at the start and where nothing was heard.
    known = np.ones(len(powers)) if heard is None else heard.astype(np.float64)
    total, count = (np.concatenate([[0.0], np.cumsum(values)]) for values in (powers * known, known))
    ends = np.arange(1, len(powers) + 1)
    starts = np.maximum(0, ends - width)
    return np.maximum(0.0, (total[ends] - total[starts]) / np.maximum(1.0, count[ends] - count[starts]))
