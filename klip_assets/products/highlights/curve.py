"""The score of every second of a video, since segments are too coarse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from klip_assets.products.highlights.scoring import (
    FASTEST_WPS,
    Filled,
    Scored,
    column,
    emotion_term,
    filled,
    score_filled,
)
from klip_assets.products.highlights.smoothing import LASTING, SHARP, highest_around, moved_back, smoothed, usual
from klip_assets.products.highlights.weights import MODEL, WeightSet

Series = NDArray[np.float64]

#: Width of the window in which words are counted.
WORDS_S = 9
#: A burst counts for this many seconds around it.
BURST_REACH_S = 3
#: Burst z (robust sigmas) that counts as 1.
FULL_BURST_Z = 6.0
#: Terms that last only a few seconds.
OF_A_VOICE = frozenset({"speech_rate_term", "voice_term", "burst_term"})
#: Minimum loudness range: a stream whose level hardly varies is not scaled up, which would turn noise into moments.
MIN_RANGE_DB = 6.0
#: Added to chat rates before they are compared: one message in ten seconds, so that the first message after an hour
#: of silence is not an infinite rise.
MIN_RATE = 0.1


@dataclass(frozen=True)
class Curve:
    """Scores and raw signals of every second.

    Attributes:
        scored: Terms and scores, each of shape (seconds,).
        loudness_z: Loudness relative to the minutes around, NaN where unknown.
        words_per_s: Speech rate, NaN where there is no source of words.
        chat_ratio: Chat rate relative to its typical rate, shifted back by its lag; NaN without a chat.
        chatters: People writing, shifted back by the lag; NaN without a chat.
    """

    scored: Scored
    loudness_z: Series
    words_per_s: Series
    chat_ratio: Series
    chatters: Series

    @property
    def score(self) -> Series:
        """The score of every second; all NaN if no term could be used."""
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
        sentiment: Rows of `segment_sentiment`, one per segment.
        weights: The weight set.
    """
    seconds = max(1, int(np.ceil(duration_s)))
    z = _by_second(audio, "loudness_z", seconds)
    burst = np.clip(_by_second(audio, "burst_z", seconds) / FULL_BURST_Z, 0, 1)
    messages, chatters = _chat(chat, seconds)
    ratio = chat_ratio(messages)
    heard = segments.num_rows > 0 and segments["speech_rate_wps"].null_count < segments.num_rows
    rate = _word_rate(column(words, "start_s"), seconds) if heard else np.full(seconds, np.nan)
    at_second = _segment_of(segments, seconds)
    terms = {
        "speech_rate_term": np.minimum(rate / FASTEST_WPS, 1.0),
        "relative_loudness_term": np.clip((z + 3) / 6, 0, 1),
        "absolute_loudness_term": _in_range(_by_second(audio, "loudness_momentary_lufs", seconds)),
        "emotion_term": emotion_term(sentiment, weights.emotion)[at_second],
        "voice_term": _raised_voice(audio, seconds),
        "burst_term": burst,
        MODEL: column(sentiment, "model_highlight_score")[at_second],
    }
    used = {term: _smoothed(term, values) for term, values in terms.items()}
    # The chat rate is smoothed before it is compared with its typical rate, and not again.
    used["chat_term"] = filled(ratio / (1 + ratio))
    return Curve(score_filled(used, weights, seconds), z, rate, ratio, chatters)


def _smoothed(term: str, values: Series) -> Filled | None:
    # Unknown seconds are filled before smoothing: else they would take the values around them, not the usual one.
    entry = filled(values)
    if entry is None:
        return None
    full = highest_around(entry.values, BURST_REACH_S) if term == "burst_term" else entry.values
    return Filled(smoothed(full, SHARP if term in OF_A_VOICE else LASTING), entry.imputed)


def chat_ratio(messages: Series) -> Series:
    """Return the chat rate around each second as a multiple of its typical rate.

    Args:
        messages: Messages per second, NaN where unknown; shape (seconds,).
    """
    rate = smoothed(messages) + MIN_RATE
    return rate / usual(rate)


def _by_second(table: pa.Table, name: str, seconds: int) -> Series:
    values = np.full(seconds, np.nan)
    if table.num_rows:
        t = table["t_s"].to_numpy()
        inside = t < seconds
        values[t[inside]] = column(table, name)[inside]
    return values


def _raised_voice(audio: pa.Table, seconds: int) -> Series:
    # Where nobody is known to speak, no voice is raised: 0, not unknown.
    shout, speech = _by_second(audio, "shout", seconds), _by_second(audio, "speech_share", seconds)
    return np.where(np.isfinite(shout) | ~np.isfinite(speech), shout, 0.0)


def _chat(chat: pa.Table, seconds: int) -> tuple[Series, Series]:
    messages, chatters = _by_second(chat, "messages", seconds), _by_second(chat, "unique_chatters", seconds)
    return moved_back(messages, _lag(chat)), moved_back(chatters, _lag(chat))


def _lag(chat: pa.Table) -> int:
    return round(chat["lag_s"][0].as_py() or 0) if chat.num_rows else 0


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


def _in_range(lufs: Series) -> Series:
    known = lufs[np.isfinite(lufs)]
    if not len(known):
        return lufs
    low, high = np.percentile(known, [5, 95])
    return np.clip((lufs - low) / max(high - low, MIN_RANGE_DB), 0, 1)
