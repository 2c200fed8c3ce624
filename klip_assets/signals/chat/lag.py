"""How many seconds a chat lags behind the sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Series = NDArray[np.float64]

ESTIMATED, DEFAULT = "estimated", "default"

#: Longest lag searched: people need a second to read and write, and slow streaming adds half a minute.
LONGEST_S = 40
#: A reaction lasts some seconds: shifts this close to the best one belong to the same peak.
SAME_PEAK_S = 10
#: Minimum length of a video; the sound of at least half of it must be known.
ENOUGH_S = 180
#: How many times higher the peak must be than at any other shift. With this, 1 to 2 of 100 synthetic videos of 3 to 20
#: minutes in which sound and chat were unrelated got a lag; fewer of longer ones.
CLEARLY = 1.3
#: No eighth of the video may hold more of the evidence than this: one raid at a loud second is not a lag.
PARTS, MAX_PER_PART = 8, 0.5
#: Loudness beyond this many sigmas adds nothing.
MAX_Z = 6.0
#: Half width of the moving mean that is subtracted: what changes over minutes says nothing about seconds.
SLOW_S = 150

# Binomial weights, 4.5 s wide at half height: close to a Gaussian, and in whole numbers.
_SMOOTH = (1, 12, 66, 220, 495, 792, 924, 792, 495, 220, 66, 12, 1)


@dataclass(frozen=True)
class Lag:
    """Seconds from a moment to the chat's reaction to it.

    Attributes:
        lag_s: The seconds.
        source: `estimated` from this video, or `default`.
        correlation: Correlation of sound and chat at the best lag, -1 to 1; 0 where none could be computed.
        rival: Highest correlation at any other shift of the chat over the whole video.
    """

    lag_s: float
    source: str = DEFAULT
    correlation: float = 0.0
    rival: float = 0.0


def estimate_lag(audio: pa.Table, counts: NDArray[np.int64], default_s: float) -> Lag:
    """Estimate the lag from loudness and message counts, or fall back to the default.

    The time delay is where the cross-correlation of two signals peaks (Knapp and Carter, The generalized correlation
    method for estimation of time delay, 1976). The signals are the positive part of local loudness and of its rises,
    and the square root of the message rate (which stabilizes the variance of counts: Anscombe, The transformation of
    Poisson, binomial and negative-binomial data, 1948); both are smoothed over some seconds, with changes over minutes
    removed.

    The null distribution is the chat rotated against the sound by every other number of seconds, which keeps the
    structure of each. Were they unrelated, every shift would be equally likely to hold the highest peak: one of the 41
    lags would have it with probability 41 / n for n seconds (Phipson and Smyth, Permutation p-values should never be
    zero, 2010), and less often by the required margin. That no part of a video may carry the evidence alone is our own
    rule.

    Args:
        audio: Rows of `audio_features`; may be empty, or without a level.
        counts: Messages in each second of the video; shape (seconds,).
        default_s: Lag to fall back to.
    """
    default = Lag(float(default_s))
    seconds = len(counts)
    loud = _excitement(audio, seconds)
    if loud is None or seconds < ENOUGH_S:
        return default
    heat, reaction = _fast(_smoothed(loud)), _fast(np.sqrt(_smoothed(counts.astype(np.float64))))
    scale = float(np.sqrt(np.sum(heat * heat) * np.sum(reaction * reaction)))
    if scale < 1e-9:
        return default
    at_shift = np.fft.irfft(np.conj(np.fft.rfft(heat)) * np.fft.rfft(reaction), seconds) / scale
    best = int(np.argmax(at_shift[: LONGEST_S + 1]))
    away = np.abs((np.arange(seconds) - best + seconds // 2) % seconds - seconds // 2)
    peak, rival = float(at_shift[best]), float(at_shift[away > SAME_PEAK_S].max())
    is_top = peak >= at_shift[away <= SAME_PEAK_S].max() and peak > 0 and peak >= CLEARLY * rival
    found = is_top and _is_spread(heat, reaction, best)
    lag_s, source = (float(best), ESTIMATED) if found else (default.lag_s, DEFAULT)
    return Lag(lag_s, source, round(peak, 6), round(rival, 6))


def _excitement(audio: pa.Table, seconds: int) -> Series | None:
    """Return how loud each second is for its surroundings, 0 where unknown; None if too little is known."""
    loud = np.zeros(seconds)
    t_s = audio["t_s"].to_numpy()
    inside = (t_s >= 0) & (t_s < seconds)
    for name in ("loudness_z", "burst_z"):
        values = audio[name].to_numpy().astype(np.float64)[inside]  # NULL is NaN
        if name == "loudness_z" and 2 * np.count_nonzero(np.isfinite(values)) < seconds:
            return None
        loud[t_s[inside]] += np.clip(np.nan_to_num(values, nan=0.0, posinf=MAX_Z), 0.0, MAX_Z)
    return loud


def _smoothed(values: Series) -> Series:
    half = len(_SMOOTH) // 2
    padded = np.pad(values, half, mode="edge")
    total = np.zeros(len(values))
    for at, weight in enumerate(_SMOOTH):
        total += weight * padded[at : at + len(values)]
    return total / sum(_SMOOTH)


def _fast(values: Series) -> Series:
    """Subtract from each value the mean of the minutes around it."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    start, end = np.maximum(at - SLOW_S, 0), np.minimum(at + SLOW_S + 1, len(values))
    return np.asarray(values - (total[end] - total[start]) / (end - start))


def _is_spread(heat: Series, reaction: Series, lag_s: int) -> bool:
    together = heat[: len(heat) - lag_s] * reaction[lag_s:]
    parts = [float(part.sum()) for part in np.array_split(together, PARTS)]
    return max(parts) <= MAX_PER_PART * sum(parts)
