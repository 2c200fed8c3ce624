"""The score of every second of a video: what segments are too coarse for.

Put here: the terms of a second. Keep out: finding peaks on the curve (`picking`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from klip_assets.highlights.scoring import FASTEST_WPS, Scored, column, emotion_term, score_rows
from klip_assets.highlights.weights import MODEL, WeightSet

Series = NDArray[np.float64]

#: Half width of the smoothing of every term: a moment is some seconds long, a click is not.
SMOOTH_S = 3
#: Width of the window in which words are counted.
WORDS_S = 9
#: A burst counts for the seconds around it.
BURST_REACH_S = 3
#: Robust sigmas of burst and chat rate that count as 1.
FULL_BURST_Z, FULL_CHAT_Z = 6.0, 8.0


@dataclass(frozen=True)
class Curve:
    """Scores and raw signals of every second.

    Attributes:
        scored: Terms and scores, each of shape (seconds,).
        loudness_z: Loudness against the minutes around, NaN where unknown.
        words_per_s: Rate of speech, NaN where there was nothing to listen to.
        chat_z: Rate of the chat, moved back by its lag; NaN without a chat.
        chatters: People writing, moved back by the lag; NaN without a chat.
    """

    scored: Scored
    loudness_z: Series
    words_per_s: Series
    chat_z: Series
    chatters: Series

    @property
    def score(self) -> Series:
        """The score of every second; NaN throughout if nothing could be used."""
        return self.scored.score


def build_curve(
    *,
    duration_s: float,
    words: pa.Table,
    audio: pa.Table,
    chat: pa.Table,
    segments: pa.Table,
    sentiment: pa.Table,
    weights: WeightSet,
) -> Curve:
    """Score every second of a video.

    Args:
        duration_s: Length of the video.
        words: Rows of `transcript_words`.
        audio: Rows of `audio_features`.
        chat: Rows of `chat_activity`.
        segments: Rows of `segments`.
        sentiment: Rows of `segment_sentiment`, one a segment.
        weights: The weight set.
    """
    seconds = max(1, int(np.ceil(duration_s)))
    z = _by_second(audio, "loudness_z", seconds)
    burst = np.clip(_by_second(audio, "burst_z", seconds) / FULL_BURST_Z, 0, 1)
    chat_z, chatters = _chat(chat, seconds)
    heard = segments.num_rows > 0 and segments["speech_rate_wps"].null_count < segments.num_rows
    rate = _word_rate(column(words, "start_s"), seconds) if heard else np.full(seconds, np.nan)
    at_second = _segment_of(segments, seconds)
    terms = {
        "speech_rate_term": np.minimum(rate / FASTEST_WPS, 1.0),
        "relative_loudness_term": np.clip((z + 3) / 6, 0, 1),
        "absolute_loudness_term": _place(_by_second(audio, "loudness_momentary_lufs", seconds)),
        "emotion_term": emotion_term(sentiment, weights.emotion)[at_second],
        "burst_term": _highest_around(burst, BURST_REACH_S),
        "chat_term": np.clip(chat_z / FULL_CHAT_Z, 0, 1),
        MODEL: column(sentiment, "model_highlight_score")[at_second],
    }
    smooth = {term: values if term == MODEL else _smoothed(values) for term, values in terms.items()}
    return Curve(score_rows(smooth, weights), z, rate, chat_z, chatters)


def _by_second(table: pa.Table, name: str, seconds: int) -> Series:
    values = np.full(seconds, np.nan)
    if table.num_rows:
        t = table["t_s"].to_numpy()
        inside = t < seconds
        values[t[inside]] = column(table, name)[inside]
    return values


def _chat(chat: pa.Table, seconds: int) -> tuple[Series, Series]:
    rate, chatters = _by_second(chat, "rate_z", seconds), _by_second(chat, "unique_chatters", seconds)
    lag = round(chat["lag_s"][0].as_py() or 0) if chat.num_rows else 0
    return _moved_back(rate, lag), _moved_back(chatters, lag)


def _moved_back(values: Series, lag: int) -> Series:
    # The last seconds of a video have no chat after them; they keep the last value that is known.
    if lag <= 0 or not len(values):
        return values
    lag = min(lag, len(values) - 1)
    return np.concatenate([values[lag:], np.full(lag, values[-1])])


def _word_rate(starts: Series, seconds: int) -> Series:
    counts = np.bincount(np.clip(starts.astype(int), 0, seconds - 1), minlength=seconds).astype(float)
    half = WORDS_S // 2
    total = np.concatenate([[0.0], np.cumsum(counts)])
    t = np.arange(seconds)
    first, last = np.maximum(0, t - half), np.minimum(seconds, t + half + 1)
    return (total[last] - total[first]) / (last - first)


def _segment_of(segments: pa.Table, seconds: int) -> NDArray[np.intp]:
    starts = column(segments, "start_s")
    return np.clip(np.searchsorted(starts, np.arange(seconds) + 0.5, side="right") - 1, 0, max(0, len(starts) - 1))


def _place(lufs: Series) -> Series:
    known = lufs[np.isfinite(lufs)]
    if not len(known):
        return lufs
    low, high = np.percentile(known, [5, 95])
    return np.clip((lufs - low) / (high - low), 0, 1) if high > low else np.full(len(lufs), np.nan)


def _smoothed(values: Series) -> Series:
    return _around(values, SMOOTH_S, np.nanmean)


def _highest_around(values: Series, reach: int) -> Series:
    return _around(values, reach, np.nanmax)


def _around(values: Series, reach: int, combine: object) -> Series:
    out = np.full(len(values), np.nan)
    padded = np.pad(values, reach, constant_values=np.nan)
    windows = sliding_window_view(padded, 2 * reach + 1)
    some = np.isfinite(windows).any(axis=1)
    if some.any():
        out[some] = combine(windows[some], axis=1)  # type: ignore[operator]
    return out
