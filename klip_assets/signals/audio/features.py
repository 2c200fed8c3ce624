"""`audio_features`, one row per second, in one pass over the decoded sound, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.contracts import AUDIO_FEATURES
from klip_assets.media.decode import BLOCK_S, SAMPLE_RATE_HZ, FloatArray, in_blocks
from klip_assets.signals.audio import contrast, pitch, spectrum
from klip_assets.signals.audio.loudness import HOP, LoudnessMeter
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
        rows: Table as in the contract `audio_features`: one row per started second.
        integrated_lufs: Integrated loudness (EBU R128), None where everything is quieter than -70 LUFS.
    """

    rows: pa.Table
    integrated_lufs: float | None


def measure_sound(
    blocks: Iterable[FloatArray],
    video_id: str,
    on_progress: Callable[[float], None] | None = None,
    *,
    missing: Sequence[tuple[int, int]] = (),
    duration_s: float = 0.0,
) -> Measured:
    """Measure a recording second by second, in one pass, in constant memory.

    Two cores are used: a thread detects voices (onnxruntime releases the GIL) while this one decodes and measures.
    Decoding in a third thread is slower: frames of sound are too short to be worth handing over the GIL.

    Args:
        blocks: 16 kHz mono float32 in pieces of any length (`media.decode.decode_sound`).
        video_id: Written to every row.
        on_progress: Called with the seconds done after every block.
        missing: Stretches of samples without sound (`Decoding.missing`), known once the block that holds them is. Zeros
            stand there, which are not measured: seconds without any sound have NULL features and `heard_share` 0.
        duration_s: Length of the recording; where it is longer than the sound, the rows go on to its end.

    Returns:
        No rows if there is no sound at all.
    """
    done = 0
    # One block behind, because the last one is treated differently.
    held: FloatArray | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="voice") as pool:
        meter = _Meter(pool, missing)
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
        measured = meter.measured(video_id, duration_s)
    if on_progress:
        on_progress((done + len(held)) / SAMPLE_RATE_HZ)
    return measured


class _Meter:
    """Feeds every meter and keeps one value per second of each."""

    def __init__(self, pool: ThreadPoolExecutor, missing: Sequence[tuple[int, int]]) -> None:
        self._pool, self._missing = pool, missing
        self._loudness, self._spectrum = LoudnessMeter(), SpectrumMeter()
        self._pitch, self._voice, self._shout = PitchMeter(), VoiceMeter(), ShoutMeter()
        self._heard: list[FloatArray] = []
        self._hearing: Future[FloatArray] | None = None
        self._levels: dict[str, list[Series]] = {"squares": [], "peak": [], "crossings": []}
        self._centroid, self._flux = _SecondMean(spectrum.HOP), _SecondMean(spectrum.HOP)
        self._mfcc = _SecondMean(spectrum.HOP)
        self._pitches: list[FloatArray] = []
        self._last_sign: bool | None = None
        self._samples = self._frames = 0

    def push(self, block: FloatArray, *, last: bool) -> None:
        self._collect_voice()
        self._hearing = self._pool.submit(self._voice.push, block, last=last)
        self._loudness.push(block)
        frames = self._spectrum.push(block, last=last)
        self._shout.push(frames.tilt_db, self._add_pitches(block))
        unheard = self._unheard_frames(len(frames.flux_db))
        self._centroid.add(_without(frames.centroid_hz, unheard))
        self._flux.add(_without(frames.flux_db, unheard))
        self._mfcc.add(_without(frames.mfcc, unheard))
        seconds = np.arange(0, len(block), SAMPLE_RATE_HZ)
        self._levels["squares"].append(np.add.reduceat(np.square(block, dtype=np.float64), seconds))
        self._levels["peak"].append(np.maximum.reduceat(np.abs(block), seconds).astype(np.float64))
        signs = block < 0  # Not the sign bit: a decoder's -0.0 is not a crossing.
        before = signs[0] if self._last_sign is None else self._last_sign
        changes = np.diff(signs, prepend=before).astype(np.float64)
        self._levels["crossings"].append(np.add.reduceat(changes, seconds))
        self._last_sign = bool(signs[-1])
        self._samples += len(block)

    def _add_pitches(self, block: FloatArray) -> FloatArray:
        self._pitches.append(self._pitch.push(block))
        return self._pitches[-1]

    def _unheard_frames(self, count: int) -> NDArray[np.bool_] | None:
        """Return which of the next frames begin where there is no sound; None if none does."""
        first, self._frames = self._frames, self._frames + count
        if not self._missing:
            return None
        begins = np.arange(first, first + count) * spectrum.HOP
        starts, ends = np.array(self._missing).T
        place = np.searchsorted(starts, begins, side="right") - 1
        return (place >= 0) & (begins < ends[place])

    def _collect_voice(self) -> None:
        if self._hearing is not None:
            self._heard.append(self._hearing.result())
            self._hearing = None

    def measured(self, video_id: str, duration_s: float) -> Measured:
        """Return the measurements; nothing can be pushed afterwards."""
        self._collect_voice()
        heard = heard_samples(self._samples, self._missing, SAMPLE_RATE_HZ)
        if not heard.any():
            return Measured(AUDIO_FEATURES.empty(), None)
        in_tenths = heard_samples(self._samples, self._missing, HOP)
        tenths = in_tenths * 2 > np.minimum(HOP, self._samples - np.arange(len(in_tenths)) * HOP)
        rows = self._table(video_id, heard, tenths)
        rest = max(0, math.ceil(duration_s) - rows.num_rows)
        nothing = [{"video_id": video_id, "t_s": rows.num_rows + t, "heard_share": 0.0} for t in range(rest)]
        rows = pa.concat_tables([rows, AUDIO_FEATURES.from_rows(nothing)]) if nothing else rows
        return Measured(rows, self._loudness.integrated_lufs(tenths))

    def _table(self, video_id: str, heard: NDArray[np.int64], tenths: NDArray[np.bool_]) -> pa.Table:
        squares, peak, crossings = (np.concatenate(self._levels[name]) for name in ("squares", "peak", "crossings"))
        seconds = len(squares)
        unheard, silent = heard == 0, peak == 0
        momentary, short_term = self._loudness.per_second(seconds, tenths)
        pitch_hz, voiced = _pitch_per_second(np.concatenate(self._pitches), seconds)
        momentary, short_term, voiced = (_without(values, unheard) for values in (momentary, short_term, voiced))
        alpha_ratio, hammarberg = (np.where(silent, np.nan, values) for values in self._shout.per_second(seconds))
        speech_share = _without(np.clip(self._speech_share(seconds), 0, 1), unheard)
        mfcc = self._mfcc.means(seconds)
        with np.errstate(divide="ignore", invalid="ignore"):
            rms, crossings = np.sqrt(squares / heard), crossings / heard
        return AUDIO_FEATURES.from_columns(
            {
                "video_id": [video_id] * seconds,
                "t_s": np.arange(seconds, dtype=np.int32),
                "rms_dbfs": _null_nan(_decibels(rms)),
                "peak_dbfs": _null_nan(_decibels(peak)),
                "loudness_momentary_lufs": _null_nan(momentary),
                "loudness_short_term_lufs": _null_nan(short_term),
                "loudness_z": _null_nan(contrast.loudness_z(momentary)),
                "burst_z": _null_nan(contrast.burst_z(momentary, unheard)),
                "spectral_centroid_hz": _null_nan(np.where(silent, np.nan, self._centroid.means(seconds)[:, 0])),
                "spectral_flux": _null_nan(np.where(silent, np.nan, self._flux.means(seconds)[:, 0])),
                "zero_crossing_rate": _null_nan(np.where(silent, np.nan, crossings)),
                # A frame that begins in a silent second may reach into the next one.
                "pitch_hz": _null_nan(np.where(silent, np.nan, pitch_hz)),
                "voiced_share": _null_nan(np.where(silent & ~unheard, 0.0, voiced)),
                "speech_share": _null_nan(speech_share),
                "alpha_ratio_db": _null_nan(alpha_ratio),
                "hammarberg_db": _null_nan(hammarberg),
                "shout": _null_nan(shout(alpha_ratio, hammarberg, pitch_hz, momentary, speech_share)),
                "mfcc": _null_rows(mfcc, silent),
                "heard_share": heard / SAMPLE_RATE_HZ,
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


def heard_samples(samples: int, missing: Sequence[tuple[int, int]], width: int) -> NDArray[np.int64]:
    """Count the samples that hold sound in each piece of a recording.

    Args:
        samples: Number of samples in all.
        missing: Stretches without sound (first sample, sample behind the last), in order.
        width: Samples of a piece.

    Returns:
        Shape (ceil(samples / width),).
    """
    edges = np.minimum(np.arange(0, samples + width, width), samples)
    if not missing:
        return np.diff(edges)
    starts, ends = np.array(missing, np.int64).T
    before = np.concatenate([[0], np.cumsum(ends - starts)])  # Missing samples before each stretch.
    place = np.searchsorted(starts, edges, side="right")
    inside = np.where(place > 0, np.maximum(0, ends[place - 1] - edges), 0)
    return np.diff(edges - (before[place] - inside))


def _without(values: NDArray[Any], unheard: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Return values with NaN where nothing was heard."""
    if unheard is None or not unheard.any():
        return values
    return np.where(unheard.reshape(-1, *[1] * (values.ndim - 1)), np.nan, values)


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
