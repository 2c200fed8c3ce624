"""`audio_features`, one row per second, in one pass over the decoded sound, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.contracts import AUDIO_FEATURES
from klip_assets.media.decode import BLOCK_S, SAMPLE_RATE_HZ, FloatArray, in_blocks
from klip_assets.signals.audio import contrast, pitch, spectrum
from klip_assets.signals.audio.loudness import LoudnessMeter
from klip_assets.signals.audio.pitch import PitchMeter
from klip_assets.signals.audio.shout import ShoutMeter, shout
from klip_assets.signals.audio.spectrum import SpectrumMeter
from klip_assets.signals.audio.voice import FRAME as VOICE_FRAME
from klip_assets.signals.audio.voice import SHARE, VoiceMeter, speech_frames

Series = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Audio features of a recording.

    Attributes:
        rows: Table as in the contract `audio_features`: one row per started second of sound.
        integrated_lufs: Integrated loudness (EBU R128), None where everything is quieter than -70 LUFS.
    """

    rows: pa.Table
    integrated_lufs: float | None


def measure_sound(
    blocks: Iterable[FloatArray], video_id: str, on_progress: Callable[[float], None] | None = None
) -> Measured:
    """Measure a recording second by second, in one pass, in constant memory.

    Two cores are used: a thread detects voices (onnxruntime releases the GIL) while this one decodes and measures.
    Decoding in a third thread is slower: frames of sound are too short to be worth handing over the GIL.

    Args:
        blocks: 16 kHz mono float32 in pieces of any length (`media.decode.decode_sound`).
        video_id: Written to every row.
        on_progress: Called with the seconds done after every block.
    """
    done = 0
    # One block behind, because the last one is treated differently.
    held: FloatArray | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="voice") as pool:
        meter = _Meter(pool)
        for block in in_blocks(blocks, BLOCK_S * SAMPLE_RATE_HZ):
            if held is not None:
                meter.push(held, last=False)
                done += len(held)
                if on_progress:
                    on_progress(done / SAMPLE_RATE_HZ)
            held = block
        if held is None:
            return Measured(AUDIO_FEATURES.empty(), None)
        meter.push(held, last=True)
        measured = meter.measured(video_id)
    if on_progress:
        on_progress((done + len(held)) / SAMPLE_RATE_HZ)
    return measured


class _Meter:
    """Feeds every meter and keeps one value per second of each."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._loudness, self._spectrum = LoudnessMeter(), SpectrumMeter()
        self._pitch, self._voice, self._shout = PitchMeter(), VoiceMeter(), ShoutMeter()
        self._heard: list[FloatArray] = []
        self._hearing: Future[FloatArray] | None = None
        self._levels: dict[str, list[Series]] = {"rms": [], "peak": [], "crossings": []}
        self._centroid, self._flux = _SecondMean(spectrum.HOP), _SecondMean(spectrum.HOP)
        self._mfcc = _SecondMean(spectrum.HOP)
        self._pitches: list[FloatArray] = []
        self._last_sign: bool | None = None

    def push(self, block: FloatArray, *, last: bool) -> None:
        self._collect_voice()
        self._hearing = self._pool.submit(self._voice.push, block, last=last)
        self._loudness.push(block)
        frames = self._spectrum.push(block, last=last)
        self._centroid.add(frames.centroid_hz)
        self._flux.add(frames.flux_db)
        self._mfcc.add(frames.mfcc)
        self._pitches.append(self._pitch.push(block))
        self._shout.push(frames.tilt_db, self._pitches[-1])
        seconds = np.arange(0, len(block), SAMPLE_RATE_HZ)
        lengths = np.diff(np.append(seconds, len(block)))
        squares = np.add.reduceat(np.square(block, dtype=np.float64), seconds)
        self._levels["rms"].append(np.sqrt(squares / lengths))
        self._levels["peak"].append(np.maximum.reduceat(np.abs(block), seconds).astype(np.float64))
        signs = block < 0  # Not the sign bit: a decoder's -0.0 is not a crossing.
        before = signs[0] if self._last_sign is None else self._last_sign
        changes = np.diff(signs, prepend=before).astype(np.float64)
        self._levels["crossings"].append(np.add.reduceat(changes, seconds) / lengths)
        self._last_sign = bool(signs[-1])

    def _collect_voice(self) -> None:
        if self._hearing is not None:
            self._heard.append(self._hearing.result())
            self._hearing = None

    def measured(self, video_id: str) -> Measured:
        """Return the measurements; nothing can be pushed afterwards."""
        self._collect_voice()
        return Measured(self._table(video_id), self._loudness.integrated_lufs())

    def _table(self, video_id: str) -> pa.Table:
        rms, peak, crossings = (np.concatenate(self._levels[name]) for name in ("rms", "peak", "crossings"))
        seconds = len(rms)
        momentary, short_term = self._loudness.per_second(seconds)
        pitch_hz, voiced = _pitch_per_second(np.concatenate(self._pitches), seconds)
        silent = peak == 0
        alpha_ratio, hammarberg = (np.where(silent, np.nan, values) for values in self._shout.per_second(seconds))
        speech_share = np.clip(self._speech_share(seconds), 0, 1)
        mfcc = self._mfcc.means(seconds)
        return AUDIO_FEATURES.from_columns(
            {
                "video_id": [video_id] * seconds,
                "t_s": np.arange(seconds, dtype=np.int32),
                "rms_dbfs": _null_nan(_decibels(rms)),
                "peak_dbfs": _null_nan(_decibels(peak)),
                "loudness_momentary_lufs": _null_nan(momentary),
                "loudness_short_term_lufs": _null_nan(short_term),
                "loudness_z": _null_nan(contrast.loudness_z(momentary)),
                "burst_z": _null_nan(contrast.burst_z(momentary)),
                "spectral_centroid_hz": _null_nan(np.where(silent, np.nan, self._centroid.means(seconds)[:, 0])),
                "spectral_flux": _null_nan(np.where(silent, np.nan, self._flux.means(seconds)[:, 0])),
                "zero_crossing_rate": _null_nan(np.where(silent, np.nan, crossings)),
                # A frame that begins in a silent second may reach into the next one.
                "pitch_hz": _null_nan(np.where(silent, np.nan, pitch_hz)),
                "voiced_share": _null_nan(np.where(silent, 0.0, voiced)),
                "speech_share": _null_nan(speech_share),
                "alpha_ratio_db": _null_nan(alpha_ratio),
                "hammarberg_db": _null_nan(hammarberg),
                "shout": _null_nan(shout(alpha_ratio, hammarberg, pitch_hz, momentary, speech_share)),
                "mfcc": _null_rows(mfcc, silent),
            }
        )

    def _speech_share(self, seconds: int) -> Series:
        # The detector's frames do not divide a second evenly: their edges are counted in samples.
        spoken = speech_frames(np.concatenate(self._heard), SHARE)
        until = np.arange(len(spoken) + 1) * VOICE_FRAME
        edges = np.minimum(np.arange(seconds + 1) * SAMPLE_RATE_HZ, until[-1])
        heard = np.diff(np.interp(edges, until, np.append(0, np.cumsum(spoken) * VOICE_FRAME)))
        lengths = np.diff(edges)
        return np.divide(heard, lengths, out=np.full(seconds, np.nan), where=lengths > 0)


class _SecondMean:
    """Means per second of values of frames a fixed number of samples apart; NaN is ignored."""

    def __init__(self, hop: int) -> None:
        self._per_second = SAMPLE_RATE_HZ // hop
        self._sums: list[NDArray[np.float64]] = []
        self._rest: NDArray[np.float64] | None = None

    def add(self, values: FloatArray) -> None:
        block = np.asarray(values, np.float64)
        block = block[:, None] if block.ndim == 1 else block
        if self._rest is not None:
            block = np.concatenate([self._rest, block])
        whole = len(block) // self._per_second * self._per_second
        if whole:
            self._sums.append(_known_mean(block[:whole].reshape(-1, self._per_second, block.shape[1])))
        self._rest = block[whole:]

    def means(self, seconds: int) -> NDArray[np.float64]:
        """Return the means, shape (seconds, width); NaN for seconds too short to hold a frame."""
        rest = self._rest if self._rest is not None else np.zeros((0, 1))
        parts = [*self._sums, *([_known_mean(rest[None])] if len(rest) else [])]
        found = np.concatenate(parts) if parts else np.zeros((0, rest.shape[1]))
        missing = max(0, seconds - len(found))
        return np.concatenate([found, np.full((missing, found.shape[1]), np.nan)])[:seconds]


def _pitch_per_second(values: FloatArray, seconds: int) -> tuple[Series, Series]:
    second = np.arange(len(values)) * pitch.HOP // SAMPLE_RATE_HZ
    voiced = np.isfinite(values)
    frames = np.bincount(second, minlength=seconds)[:seconds]
    hits = np.bincount(second[voiced], minlength=seconds)[:seconds]
    share = np.divide(hits, frames, out=np.full(seconds, np.nan), where=frames > 0)
    median = np.full(seconds, np.nan)
    pitches, edges = values[voiced], np.searchsorted(second[voiced], np.arange(seconds + 1))
    for t in np.flatnonzero(np.diff(edges)):
        median[t] = np.median(pitches[edges[t] : edges[t + 1]])
    return median, share


def _known_mean(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    # The mean along the middle axis; NaN where nothing is known.
    known = np.isfinite(frames)
    counts = known.sum(axis=1)
    total = np.where(known, frames, 0.0).sum(axis=1)
    return np.divide(total, counts, out=np.full(counts.shape, np.nan), where=counts > 0)


def _decibels(amplitude: Series) -> Series:
    with np.errstate(divide="ignore"):
        return np.where(amplitude > 0, 20 * np.log10(amplitude), np.nan)


def _null_nan(values: Series) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _null_rows(rows: NDArray[np.float64], missing: NDArray[np.bool_]) -> pa.Array:
    # One list per row without a Python object per number, NULL where it is missing.
    ends = np.cumsum(np.where(missing, 0, rows.shape[1]))
    offsets = pa.array(np.append(0, ends), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(rows[~missing].ravel()), mask=pa.array(missing))
