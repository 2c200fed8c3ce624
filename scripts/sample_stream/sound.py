"""The sound: voices, a quiet music bed, the crowd and the decoy, mixed to a target loudness.

Belongs here: samples. All arrays are (samples,) float32 at 44.1 kHz, mono, full scale 1.0.
Does not belong here: when things happen (timeline), encoding (media).
"""

from __future__ import annotations

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from sample_stream.truth import Planted, Span, Truth
from sample_stream.voice import RATE_HZ, Speakers

LOUDNESS_LUFS = -20.0
MUSIC_DBFS = -34.0
BLIP_DBFS = -33.0
CROWD_DBFS = -20.0
CROWD_UNDER_SPEECH_DB = -22.0
DECOY_OVER_PLANTED_DB = 0.7
KNEE, CEILING = 0.65, 0.9
CHORDS = ((57, 60, 64, 69), (53, 57, 60, 65), (48, 55, 60, 64), (55, 59, 62, 67))
"""MIDI notes of the music bed's four chords."""


def mix(truth: Truth, speakers: Speakers) -> np.ndarray:
    """Mix the whole sound of a recording.

    Args:
        truth: When everything happens.
        speakers: The rendered voices.

    Returns:
        (samples,) float32 at 44.1 kHz, about -20 LUFS, peaks below 0.9.
    """
    rng = np.random.default_rng([truth.seed, 2])
    samples = round(truth.duration_s * RATE_HZ)
    sound = _at_level(_music(samples), MUSIC_DBFS)
    for spoken in truth.spoken:
        _add(sound, _at_level(speakers.clip(spoken.line), spoken.level_dbfs), spoken.start_s)
    for moment in truth.planted:
        _add(sound, _crowd(moment, rng), moment.start_s)
    for start_s in rng.uniform(0, truth.duration_s - 1, size=int(truth.duration_s / 9)):
        _add(sound, _blip(rng), float(start_s))

    loudest_dbfs = max(rms_dbfs(_cut(sound, moment)) for moment in truth.planted)
    roar = _roar(truth.decoy, rng)
    middle = roar[len(roar) // 10 : -len(roar) // 10]
    gain_db = loudest_dbfs + DECOY_OVER_PLANTED_DB - rms_dbfs(middle)
    _add(sound, (roar * 10 ** (gain_db / 20)).astype(np.float32), truth.decoy.start_s)

    sound *= np.float32(10 ** ((LOUDNESS_LUFS - integrated_lufs(sound)) / 20))
    return _limit(sound)


def rms_dbfs(sound: np.ndarray) -> float:
    """Return the RMS level of (samples,) in dBFS."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12))


def integrated_lufs(sound: np.ndarray) -> float:
    """Return the gated loudness of (samples,) at 44.1 kHz in LUFS, after ITU-R BS.1770."""
    weighted = lfilter(*_high_pass(38.0, 0.5), lfilter(*_high_shelf(1500.0, 4.0, 0.5**0.5), sound))
    hop = RATE_HZ // 10
    tenths = np.mean(weighted[: len(weighted) // hop * hop].reshape(-1, hop) ** 2, axis=1)
    power = np.convolve(tenths, np.full(4, 0.25), mode="valid")
    power = power[_lufs(power) > -70.0]
    power = power[_lufs(power) > _lufs(power.mean()) - 10.0]
    return float(_lufs(power.mean()))


def _lufs(power: np.ndarray) -> np.ndarray:
    return -0.691 + 10 * np.log10(power + 1e-12)


def _high_shelf(corner_hz: float, gain_db: float, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a biquad's numerator and denominator, (3,) each."""
    gain, w = 10 ** (gain_db / 40), 2 * np.pi * corner_hz / RATE_HZ
    alpha, cos = np.sin(w) / (2 * q), np.cos(w)
    root = 2 * np.sqrt(gain) * alpha
    up, down = gain + 1 + (gain - 1) * cos, gain + 1 - (gain - 1) * cos
    b = gain * np.array([up + root, -2 * (gain - 1 + (gain + 1) * cos), up - root])
    a = np.array([down + root, 2 * (gain - 1 - (gain + 1) * cos), down - root])
    return b / a[0], a / a[0]


def _high_pass(corner_hz: float, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a biquad's numerator and denominator, (3,) each."""
    w = 2 * np.pi * corner_hz / RATE_HZ
    alpha, cos = np.sin(w) / (2 * q), np.cos(w)
    a = np.array([1 + alpha, -2 * cos, 1 - alpha])
    return np.array([1.0, -2.0, 1.0]) * (1 + cos) / 2 / a[0], a / a[0]


def _at_level(sound: np.ndarray, level_dbfs: float) -> np.ndarray:
    """Return the sound scaled to an RMS level."""
    return (sound * 10 ** ((level_dbfs - rms_dbfs(sound)) / 20)).astype(np.float32)


def _add(sound: np.ndarray, piece: np.ndarray, start_s: float) -> None:
    """Add a piece to the mix, in place; anything past the end is cut off."""
    first = round(start_s * RATE_HZ)
    last = min(len(sound), first + len(piece))
    sound[first:last] += piece[: last - first]


def _cut(sound: np.ndarray, span: Planted | Span) -> np.ndarray:
    return sound[round(span.start_s * RATE_HZ) : round(span.end_s * RATE_HZ)]


def _music(samples: int) -> np.ndarray:
    """Return an arpeggio over four chords, one note every quarter of a second, repeated."""
    note_s, tail_s = 0.25, 1.0
    t = np.arange(round(tail_s * RATE_HZ)) / RATE_HZ
    envelope = np.minimum(1.0, t / 0.01) * np.exp(-4.0 * t) * np.minimum(1.0, (tail_s - t) / 0.05)
    loop = np.zeros(round(len(CHORDS) * 8 * note_s * RATE_HZ), dtype=np.float64)
    for step in range(len(CHORDS) * 8):
        chord = CHORDS[step // 8]
        hz = 440.0 * 2 ** ((chord[(0, 1, 2, 3, 2, 1, 3, 2)[step % 8]] - 69) / 12)
        note = envelope * (np.sin(2 * np.pi * hz * t) + 0.3 * np.sin(4 * np.pi * hz * t))
        places = (round(step * note_s * RATE_HZ) + np.arange(len(t))) % len(loop)
        loop[places] += note
    return np.resize(loop, samples).astype(np.float32)


def _blip(rng: np.random.Generator) -> np.ndarray:
    """Return a short sound of the game: two rising tones."""
    t = np.arange(round(0.09 * RATE_HZ)) / RATE_HZ
    hz = rng.uniform(600, 1100)
    tones = [np.sin(2 * np.pi * hz * ratio * t) * np.exp(-18 * t) for ratio in (1.0, 1.5)]
    return _at_level(np.concatenate(tones), BLIP_DBFS)


def _noise(samples: int, low_hz: float, high_hz: float, rng: np.random.Generator) -> np.ndarray:
    """Return band noise."""
    band = butter(2, (low_hz, high_hz), btype="bandpass", fs=RATE_HZ, output="sos")
    return sosfilt(band, rng.standard_normal(samples))


def _wander(samples: int, rate_hz: float, rng: np.random.Generator) -> np.ndarray:
    """Return a slow random curve around 1 that changes `rate_hz` times per second."""
    points = rng.uniform(0.6, 1.4, size=int(samples / RATE_HZ * rate_hz) + 2)
    return np.interp(np.arange(samples) / RATE_HZ * rate_hz, np.arange(len(points)), points)


def _crowd(moment: Planted, rng: np.random.Generator) -> np.ndarray:
    """Return cheering: soft under the shouting, swelling as it ends, and gone at the moment's end.

    It is soft under the shouting because noise only 18 dB below a voice already defeats a small recognizer.
    """
    whole_s = moment.end_s - moment.start_s
    samples = round(whole_s * RATE_HZ)
    t = np.arange(samples) / RATE_HZ
    cheer = _noise(samples, 450, 1400, rng) * _wander(samples, 7, rng)
    cheer += 0.6 * _noise(samples, 1400, 4200, rng) * _wander(samples, 11, rng)
    shouted_s = 2 * (moment.peak_s - moment.start_s)
    swollen_s = min(shouted_s + 0.4, whole_s - 0.8)
    soft = 10 ** (CROWD_UNDER_SPEECH_DB / 20)
    knots_s = (0.0, 0.5, shouted_s - 0.3, swollen_s, whole_s - 0.7, whole_s)
    envelope = np.interp(t, knots_s, (0.0, soft, soft, 1.0, 0.8, 0.0))
    return _at_level(cheer, CROWD_DBFS) * envelope.astype(np.float32)


def _roar(decoy: Span, rng: np.random.Generator) -> np.ndarray:
    """Return an engine's roar: broad noise and a buzz whose pitch wanders a little."""
    whole_s = decoy.end_s - decoy.start_s
    samples = round(whole_s * RATE_HZ)
    t = np.arange(samples) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(95.0 * (0.9 + 0.1 * _wander(samples, 1.5, rng))) / RATE_HZ
    buzz = sum(np.sin(n * phase) / n for n in range(1, 24))
    roar = _noise(samples, 150, 3500, rng)
    roar = roar / roar.std() + 0.5 * buzz / buzz.std()
    return roar * np.minimum(1.0, np.minimum(t / 0.6, (whole_s - t) / 0.8))


def _limit(sound: np.ndarray) -> np.ndarray:
    """Limit peaks above the knee softly to the ceiling."""
    over = np.abs(sound) > KNEE
    bent = KNEE + (CEILING - KNEE) * np.tanh((np.abs(sound[over]) - KNEE) / (CEILING - KNEE))
    sound[over] = np.sign(sound[over]) * bent
    return sound
