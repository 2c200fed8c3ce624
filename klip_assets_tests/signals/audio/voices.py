"""Synthetic vowels, and the cues of vocal effort of a sound, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from klip_assets.media.decode import BLOCK_S, SAMPLE_RATE_HZ, in_blocks
from klip_assets.signals.audio import pitch
from klip_assets.signals.audio.loudness import LoudnessMeter
from klip_assets.signals.audio.pitch import PitchMeter
from klip_assets.signals.audio.shout import ShoutMeter
from klip_assets.signals.audio.spectrum import SpectrumMeter

#: Frequency and bandwidth of the formants of an open vowel, in Hz.
FORMANTS_HZ = ((700, 90), (1200, 110), (2600, 160), (3500, 220))


def vowel(seconds: float, hz: float, tilt_db: float, *, lufs: float = -23.0) -> np.ndarray:
    """Make an open vowel: partials that fall by `tilt_db` an octave, through four formants, at a loudness."""
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    partials = hz * np.arange(1, int(7500 / hz) + 1)
    gains = 10 ** (tilt_db * np.log2(partials / hz) / 20)
    for centre, width in FORMANTS_HZ:
        gains = gains * centre**2 / np.hypot(centre**2 - partials**2, partials * width)
    sound = sum(gain * np.sin(2 * np.pi * f * t + f) for gain, f in zip(gains, partials, strict=True))
    return at_loudness(np.asarray(sound), lufs)


def at_loudness(sound: np.ndarray, lufs: float) -> np.ndarray:
    """Bring a sound to an integrated loudness (ITU-R BS.1770)."""
    meter = LoudnessMeter()
    meter.push(sound.astype(np.float32))
    found = meter.integrated_lufs()
    return sound.astype(np.float32) if found is None else (sound * 10 ** ((lufs - found) / 20)).astype(np.float32)


def effort_cues(sound: np.ndarray, sizes: Iterable[int] = ()) -> dict[str, np.ndarray]:
    """Measure what `shout` takes, second by second, with the sound pushed in pieces of the sizes given."""
    seconds = -(-len(sound) // SAMPLE_RATE_HZ)
    meters = SpectrumMeter(), PitchMeter(), ShoutMeter()
    cut = np.split(sound, np.cumsum(list(sizes))) if sizes else list(in_blocks([sound], BLOCK_S * SAMPLE_RATE_HZ))
    pieces = [piece for piece in cut if len(piece)]
    pitches = []
    for i, piece in enumerate(pieces):
        frames = meters[0].push(piece, last=i == len(pieces) - 1)
        pitches.append(meters[1].push(piece))
        meters[2].push(frames.tilt_db, pitches[-1])
    loudness = LoudnessMeter()
    loudness.push(sound)
    alpha_ratio, hammarberg = meters[2].per_second(seconds)
    found = np.concatenate(pitches)
    second = np.arange(len(found)) * pitch.HOP // SAMPLE_RATE_HZ
    by_second = [found[(second == t) & np.isfinite(found)] for t in range(seconds)]
    return {
        "alpha_ratio_db": alpha_ratio,
        "hammarberg_db": hammarberg,
        "pitch_hz": np.array([np.median(p) if len(p) else np.nan for p in by_second]),
        "loudness_lufs": loudness.per_second(seconds)[0],
    }
