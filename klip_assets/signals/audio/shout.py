"""Vocal effort: whether the voice in a second is raised (shouted, screamed, cried out), which level alone can't say.

Streams are compressed, so a shout is often no louder than talk. What a compressor does not remove is how the sound is
produced: with effort the glottis closes faster, which lifts the partials above 1 kHz relative to the low ones (the
spectral tilt flattens), and the larynx rises with the pressure from the lungs, which raises the pitch. Those two cues
decide; level only lowers the score of quiet voices.

Sources: alpha ratio and Hammarberg index as in eGeMAPS (Eyben et al., 2016, IEEE Trans. Affective Computing 7(2);
the index after Hammarberg et al., 1980). Pitch and the upper spectrum rise with effort in men, women and children
(Traunmueller and Eriksson, 2000, JASA 107, 3438), pitch in each of 100 men (Jessen et al., 2005, IJSLL 12, 174); high
alpha ratio and pitch make a shout (Lehtinen, 2010, Tampere). Weights and pivots are plausible round numbers, set by
hand on recordings of two actors, not fitted; `benchmarks/shout.py` measures how little they matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from klip_assets.media.decode import SAMPLE_RATE_HZ, FloatArray
from klip_assets.signals.audio import pitch, spectrum

Series = NDArray[np.float64]

#: Share of voiced frames a second needs to be scored; less than 100 ms of voice says nothing.
MIN_VOICED = 0.1
#: Where voice activity is known, the share of the second that must be speech (music has pitch too).
MIN_SPEECH = 0.2

#: Seconds of voice after which a recording's own medians weigh as much as those of typical voices.
TYPICAL_S = 60

#: Spectrum frames per pitch frame; the centres of both are at most 10 ms apart.
_PER_PITCH = pitch.HOP // spectrum.HOP
_PER_SECOND = SAMPLE_RATE_HZ // spectrum.HOP


@dataclass(frozen=True)
class Cue:
    """How one cue counts.

    Attributes:
        pivot: Value that says nothing for or against a shout while nothing is known about the recording.
        rise: How far the neutral point lies above the recording's own median.
        shift: How far the recording's own median may move it.
        unit: Step above the pivot that adds 1 to the logit.
        low: Minimum it adds to the logit.
        high: Maximum it adds to the logit.
    """

    pivot: float
    rise: float
    shift: float
    unit: float
    low: float
    high: float


#: Tilt in dB, the mean of alpha ratio and negative Hammarberg index. Microphones differ by more than voices do, so
#: the recording's own median counts.
TILT = Cue(pivot=-15.0, rise=4.0, shift=6.0, unit=2.0, low=-4.0, high=4.0)
#: Pitch in octaves re 200 Hz. Men talk at about 120 Hz, women at 210 (Traunmueller and Eriksson); both shout higher.
PITCH_REFERENCE_HZ = 200.0
PITCH = Cue(pivot=0.0, rise=0.4, shift=0.5, unit=0.5, low=-2.0, high=2.0)
#: Momentary loudness in LUFS. A quiet voice is not a shout; a loud one may just be close to the microphone.
LEVEL = Cue(pivot=-30.0, rise=0.0, shift=10.0, unit=4.0, low=-4.0, high=0.0)
CUES = (TILT, PITCH, LEVEL)


class ShoutMeter:
    """Collects the spectral tilt of the voiced frames of every second, block by block."""

    def __init__(self) -> None:
        self._tilt = np.zeros((0, 2), np.float32)
        self._pitch = np.zeros(0, np.float32)
        self._first = 0  # Index of the first spectrum frame that is held back; a multiple of _PER_PITCH.
        self._sums: list[NDArray[np.float64]] = []  # One array per second: alpha ratio, Hammarberg index, frames.

    def push(self, tilt_db: FloatArray, pitch_hz: FloatArray) -> None:
        """Add what `SpectrumMeter.push` and `PitchMeter.push` returned for one block.

        Args:
            tilt_db: Alpha ratio and Hammarberg index of the spectrum frames, shape (frames, 2).
            pitch_hz: Pitch of the pitch frames, NaN where unvoiced; shape (pitch frames,).
        """
        self._tilt = np.concatenate([self._tilt, tilt_db])
        self._pitch = np.concatenate([self._pitch, pitch_hz])
        # Pitch frame k, of 64 ms every 30 ms, is centred between spectrum frames 3k + 1 and 3k + 3.
        count = max(0, min(len(self._pitch), (len(self._tilt) - 1) // _PER_PITCH))
        voiced = np.repeat(np.isfinite(self._pitch[:count]), _PER_PITCH)
        indices = np.flatnonzero(voiced) + 1
        seconds = (self._first + indices) // _PER_SECOND
        counted = np.concatenate([self._tilt[indices], np.ones((len(indices), 1))], axis=1)
        if len(seconds):
            missing = int(seconds[-1]) + 1 - len(self._sums)
            self._sums += [np.zeros(3) for _ in range(missing)]
        for second in np.unique(seconds):
            self._sums[second] += counted[seconds == second].sum(axis=0)
        done = count * _PER_PITCH
        self._tilt, self._pitch, self._first = self._tilt[done:], self._pitch[count:], self._first + done

    def per_second(self, seconds: int) -> tuple[Series, Series]:
        """Return alpha ratio and Hammarberg index of each second's voice, in dB.

        Returns:
            Means over the voiced frames, NaN where less than `MIN_VOICED` is voiced; both of shape (seconds,).
        """
        sums = np.zeros((seconds, 3))
        known = min(seconds, len(self._sums))
        if known:
            sums[:known] = self._sums[:known]
        voiced = sums[:, 2] >= MIN_VOICED * _PER_SECOND
        means = np.full((seconds, 2), np.nan)
        means[voiced] = sums[voiced, :2] / sums[voiced, 2:]
        return means[:, 0], means[:, 1]


def shout(
    alpha_ratio_db: Series,
    hammarberg_db: Series,
    pitch_hz: Series,
    loudness_lufs: Series,
    speech_share: Series | None = None,
    *,
    cues: tuple[Cue, Cue, Cue] = CUES,
) -> Series:
    """Score how far the voice is raised in each second.

    Each cue adds (value - pivot) / unit, clipped, to a logit. The pivot lies between that of typical voices and a step
    above the recording's own median, closer to the latter the more voice there is: what a microphone, a room and a
    speaker sound like in an ordinary minute is not a shout.

    Args:
        alpha_ratio_db: Alpha ratio of the voice (`ShoutMeter.per_second`), NaN where there is none; shape (seconds,).
        hammarberg_db: Hammarberg index of the voice, likewise.
        pitch_hz: Median pitch of the voiced frames, NaN where unknown.
        loudness_lufs: Momentary loudness.
        speech_share: Share of each second that is speech; if not given, everything voiced counts as a voice.
        cues: How tilt, pitch and level count.

    Returns:
        0..1, shape (seconds,); 0.5 is undecided. NaN where a cue is unknown or nobody speaks.
    """
    with np.errstate(all="ignore"):
        octaves = np.log2(pitch_hz / PITCH_REFERENCE_HZ)
        measured = ((alpha_ratio_db - hammarberg_db) / 2, octaves, loudness_lufs)
    known = np.all(np.isfinite(measured), axis=0)
    if speech_share is not None:
        known &= np.nan_to_num(speech_share) >= MIN_SPEECH
    result = np.full(len(known), np.nan)
    if known.any():
        logit = np.sum([_evidence(values[known], cue) for values, cue in zip(measured, cues, strict=True)], axis=0)
        result[known] = 1 / (1 + np.exp(-logit))
    return result


def _evidence(values: Series, cue: Cue) -> Series:
    own = np.clip(np.median(values) + cue.rise - cue.pivot, -cue.shift, cue.shift)
    pivot = cue.pivot + own * len(values) / (len(values) + TYPICAL_S)
    return np.clip((values - pivot) / cue.unit, cue.low, cue.high)
