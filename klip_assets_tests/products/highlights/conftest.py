"""Videos made of signals: rows of the tables that highlights are made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from klip_assets.contracts import AUDIO_FEATURES, CHAT_ACTIVITY, SEGMENT_SENTIMENT, TRANSCRIPT_WORDS
from klip_assets.products.highlights.tables import Signals
from klip_assets.signals.audio.contrast import burst_z, loudness_z
from klip_assets.signals.chat.activity import local_robust_z
from klip_assets.signals.speech.segments import build_segments
from klip_assets.signals.speech.words import Transcript, Word
from klip_assets.signals.text.tables import read_segments
from klip_assets.signals.text.tiers import Chain, LexiconTier

LAG_S = 5


def make_signals(
    duration_s: float = 600.0,
    *,
    moments: Sequence[float] = (),
    sound: bool = True,
    chat: bool = True,
    speech: bool = True,
    emotions: bool = False,
    seed: int = 0,
) -> Signals:
    """Return the signals of a calm stream in which the given seconds are loud, and the chat answers to them."""
    rng = np.random.default_rng(seed)
    seconds = int(np.ceil(duration_s))
    t = np.arange(seconds)
    heat = sum((np.exp(-(((t - at) / 3.0) ** 2)) for at in moments), np.zeros(seconds))
    audio = AUDIO_FEATURES.empty()
    if sound:
        lufs = -28 + 1.5 * rng.standard_normal(seconds) + 14 * heat
        audio = AUDIO_FEATURES.from_columns(
            {
                "video_id": ["v"] * seconds,
                "t_s": t.astype(np.int32),
                "loudness_momentary_lufs": lufs,
                "loudness_short_term_lufs": lufs,
                "loudness_z": [None if np.isnan(z) else float(z) for z in loudness_z(lufs)],
                "burst_z": [None if np.isnan(z) else float(z) for z in burst_z(lufs)],
                "speech_share": np.full(seconds, 0.5),
            }
        )
    activity = CHAT_ACTIVITY.empty()
    if chat:
        late = np.concatenate([np.zeros(LAG_S), heat])[:seconds]
        rate = rng.poisson(1.0 + 12 * late).astype(float)
        activity = CHAT_ACTIVITY.from_columns(
            {
                "video_id": ["v"] * seconds,
                "t_s": t.astype(np.int32),
                "messages": rate.astype(np.int32),
                "unique_chatters": rate.astype(np.int32),
                "rate_z": local_robust_z(rate),
                "lag_s": np.full(seconds, float(LAG_S)),
            }
        )
    words = TRANSCRIPT_WORDS.empty()
    if speech:
        at = np.arange(0.2, max(0.3, duration_s - 0.5), 0.6)
        spoken = [Word(float(s), float(s) + 0.4, "nice." if i % 8 == 7 else "word") for i, s in enumerate(at)]
        words = Transcript(spoken, "en", "captions", "f").table("v")
    segments = build_segments(words, audio, video_id="v", duration_s=duration_s, heard=speech)
    sentiment = read_segments(segments, Chain([LexiconTier("vader")], []))
    if emotions:
        rows = sentiment.to_pylist()
        for i, row in enumerate(rows):
            row |= {"excitement": (i % 7) / 7, "joy": 0.5, "anger": 0.0, "neutral": 1 - (i % 7) / 7}
        sentiment = SEGMENT_SENTIMENT.from_rows(rows)
    return Signals("v", duration_s, words, audio, activity, segments, sentiment)


@pytest.fixture
def video() -> Callable[..., Signals]:
    return make_signals
