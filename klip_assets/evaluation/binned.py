"""Golden sets of one signal, chat or loudness, with a label per bin that says whether people call it a highlight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.contracts import AUDIO_FEATURES, CHAT_ACTIVITY, TRANSCRIPT_WORDS
from klip_assets.products.highlights.tables import Signals
from klip_assets.signals.audio.contrast import burst_z, loudness_z
from klip_assets.signals.chat.activity import chat_activity
from klip_assets.signals.speech.segments import build_segments
from klip_assets.signals.text.tables import read_segments
from klip_assets.signals.text.tiers import Chain

Series = NDArray[np.float64]


@dataclass(frozen=True)
class BinnedSet:
    """A video of which only the chat or the loudness is known.

    Attributes:
        name: Name of the set.
        duration_s: Length of the video.
        bin_s: Length of a bin, in whole seconds.
        labels: Whether each bin is a highlight; shape (bins,).
        judged: Whether each bin was judged at all; shape (bins,). The others are left out of all figures.
        moments: Number of highlights that people marked; a system may pick as many.
        loudness: Level of each second in dB, NaN where unknown; shape (seconds,). None without audio.
        chat: Messages, as CHAT_MESSAGES; None without a chat.
        chat_lag_s: Seconds the chat lags behind.
    """

    name: str
    duration_s: float
    bin_s: int
    labels: NDArray[np.bool_]
    judged: NDArray[np.bool_]
    moments: int
    loudness: Series | None = None
    chat: pa.Table | None = None
    chat_lag_s: float = 0.0

    @property
    def seconds(self) -> int:
        """Length in seconds, rounded up."""
        return int(np.ceil(self.duration_s))

    def by_bin(self, values: Series) -> Series:
        """Return the mean per bin of one value per second; 0 where nothing is known."""
        padded = np.full(len(self.labels) * self.bin_s, np.nan)
        padded[: min(len(values), len(padded))] = values[: len(padded)]
        rows = padded.reshape(-1, self.bin_s)
        known = np.isfinite(rows)
        return np.where(known, rows, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)

    def signals(self) -> Signals:
        """Return the signals that highlights are made from, computed by the functions of the assets."""
        seconds = np.arange(self.seconds, dtype=np.int32)
        audio, activity = AUDIO_FEATURES.empty(), CHAT_ACTIVITY.empty()
        if self.loudness is not None:
            z, burst = loudness_z(self.loudness), burst_z(self.loudness)
            audio = AUDIO_FEATURES.from_columns(
                {
                    "video_id": pa.repeat(pa.scalar(self.name), self.seconds),
                    "t_s": seconds,
                    "loudness_momentary_lufs": _nullable(self.loudness),
                    "loudness_short_term_lufs": _nullable(self.loudness),
                    "loudness_z": _nullable(z),
                    "burst_z": _nullable(burst),
                }
            )
        if self.chat is not None:
            activity = chat_activity(self.chat, video_id=self.name, duration_s=self.duration_s, lag_s=self.chat_lag_s)
        words = TRANSCRIPT_WORDS.empty()
        segments = build_segments(words, audio, video_id=self.name, duration_s=self.duration_s, heard=False)
        return Signals(
            self.name, self.duration_s, words, audio, activity, segments, read_segments(segments, Chain([], []))
        )


def bins_of(ranges: list[tuple[float, float]], duration_s: float, bin_s: int) -> NDArray[np.bool_]:
    """Return which bins of a video overlap any of the ranges (both ends included).

    Args:
        ranges: Start and end of each, in seconds.
        duration_s: Length of the video.
        bin_s: Length of a bin.
    """
    starts = np.arange(0, np.ceil(duration_s), bin_s)
    return np.asarray(
        [any(start <= last and start + bin_s > first for first, last in ranges) for start in starts], dtype=bool
    )


def _nullable(values: Series) -> pa.Array:
    return pa.array(values, mask=~np.isfinite(values))
