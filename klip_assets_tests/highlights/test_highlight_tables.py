"""From signals to highlights: found, explained, recomputable, and calm where signals are missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from klip_assets.contracts import (
    CHAT_ACTIVITY,
    EMOTION_MOMENTS,
    HIGHLIGHT_CANDIDATES,
    HIGHLIGHTS,
    SEGMENT_SENTIMENT,
    SEGMENTS,
)
from klip_assets.highlights.explain import dominant_emotion, why
from klip_assets.highlights.tables import (
    MOMENTS,
    Signals,
    describe_highlights,
    find_candidates,
    find_emotion_moments,
    score_curve,
)
from klip_assets.highlights.weights import MODEL, weight_set
from klip_assets.lake.invariants import highlight_problems
from klip_assets.lake.validate import conform

KLIP = weight_set("klip-1")
Video = Callable[..., Signals]
MISSING = [
    {"sound": False},
    {"chat": False},
    {"speech": False},
    {"sound": False, "chat": False},
    {"sound": False, "speech": False},
    {"chat": False, "speech": False},
    {"sound": False, "chat": False, "speech": False},
]


def found(signals: Signals, version: str = "klip-1") -> list[dict]:
    candidates = conform(HIGHLIGHT_CANDIDATES, find_candidates(signals, weight_set(version)))
    rows = conform(HIGHLIGHTS, describe_highlights(candidates, signals, weight_set(version)))
    assert not highlight_problems(rows, signals.duration_s)
    return rows.to_pylist()


@pytest.mark.parametrize("version", ["klip-1", "klipstream-1"])
def test_planted_moments_are_the_first_highlights(video: Video, version: str) -> None:
    moments = [40, 200, 260, 500, 590]
    rows = found(video(600.0, moments=moments), version)
    top = sorted(row["peak_s"] for row in rows[: len(moments)])
    assert all(abs(peak - moment) <= 5 for peak, moment in zip(top, moments, strict=True))
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert len({row["highlight_id"] for row in rows}) == len(rows)


def test_highlights_are_the_same_in_every_run_k1(video: Video) -> None:
    assert found(video(moments=[100, 300])) == found(video(moments=[100, 300]))


@pytest.mark.parametrize("version", ["klip-1", "klipstream-1"])
def test_a_score_can_be_recomputed_from_its_columns_and_the_weights(video: Video, version: str) -> None:
    weights = weight_set(version)
    for row in found(video(moments=[100, 300, 450], emotions=True), version):
        used = {term: weight for term, weight in weights.terms.items() if row[term] is not None}
        base = sum(row[term] * weight for term, weight in used.items()) / sum(used.values())
        assert row["base_score"] == pytest.approx(base)
        share = weights.weights[MODEL]
        assert row["score"] == pytest.approx(
            base if row["model_score"] is None else (1 - share) * base + share * row["model_score"]
        )


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("version", ["klip-1", "klipstream-1"])
def test_missing_signals_are_left_out_and_nothing_breaks_k12(video: Video, missing: dict, version: str) -> None:
    signals = video(moments=[100, 300], **missing)
    rows = found(signals, version)
    known = [name for name in ("sound", "chat", "speech") if missing.get(name, True)]
    for row in rows:
        assert (row["chat_term"] is None) == ("chat" not in known or version == "klipstream-1")
        assert (row["relative_loudness_term"] is None) == ("sound" not in known)
        assert (row["speech_rate_term"] is None) == ("speech" not in known)
        assert row["emotion_term"] is None and row["dominant_emotion"] is None
        assert bool(row["text"]) == ("speech" in known)
    if "sound" in known:
        assert {round(row["peak_s"] / 100) for row in rows[:2]} == {1, 3}
    if not known:
        assert rows == []


@pytest.mark.parametrize("duration", [0.4, 3.0, 9.7, 12.345678, 29.9, 61.0004])
def test_short_videos_do_not_break(video: Video, duration: float) -> None:
    for row in found(video(duration, moments=[duration / 2])):
        assert 0 <= row["start_s"] <= row["peak_s"] <= row["end_s"] <= duration


def test_a_video_without_length_or_segments_has_no_candidates(video: Video) -> None:
    signals = video(60.0)
    for broken in (
        Signals(**{**vars(signals), "duration_s": None}),
        Signals(**{**vars(signals), "segments": SEGMENTS.empty(), "segment_sentiment": SEGMENT_SENTIMENT.empty()}),
    ):
        assert conform(HIGHLIGHT_CANDIDATES, find_candidates(broken, KLIP)).num_rows == 0
        assert conform(HIGHLIGHTS, describe_highlights(HIGHLIGHT_CANDIDATES.empty(), broken, KLIP)).num_rows == 0


def test_the_chat_is_moved_back_by_its_lag(video: Video) -> None:
    rows = found(video(moments=[300], sound=False, speech=False))
    assert abs(rows[0]["peak_s"] - 300) <= 3 and "chat" in rows[0]["why"]


def test_chat_after_which_nothing_is_known_keeps_its_last_value(video: Video) -> None:
    curve = score_curve(video(sound=False), KLIP)
    assert np.isfinite(curve.chat_z).all() and len(set(curve.chat_z[-6:])) == 1


def test_a_chat_log_without_rows_is_no_chat(video: Video) -> None:
    signals = Signals(**{**vars(video(moments=[100])), "chat_activity": CHAT_ACTIVITY.empty()})
    assert found(signals)[0]["chat_term"] is None


def test_sound_that_is_shorter_or_longer_than_the_video_is_taken_as_far_as_it_goes(video: Video) -> None:
    signals = video(600.0, moments=[100])
    for length in (580, 600):
        audio = signals.audio_features.slice(0, length)
        shorter = Signals(**{**vars(signals), "audio_features": audio, "duration_s": 590.0})
        assert abs(found(shorter)[0]["peak_s"] - 100) <= 5


def test_every_highlight_says_why(video: Video) -> None:
    first = found(video(moments=[300]))[0]
    assert "sigma above the minutes around" in first["why"] and "chat" in first["why"]
    assert "people" in first["why"] and first["text"]


def test_phrases_name_what_stands_out_and_nothing_else() -> None:
    nothing = {"loudness_z": float("nan"), "burst": None, "words_per_s": float("nan"), "chat_z": float("nan")}
    assert why(**nothing, chatters=float("nan")) == "several signals a little above their usual level"
    full = why(loudness_z=3.21, burst=0.9, words_per_s=4.0, chat_z=5.0, chatters=12.0)
    assert full == (
        "loudness 3.2 sigma above the minutes around; a sudden rise of loudness; "
        "chat 5.0 sigma above its usual rate, 12 people; 4.0 words a second"
    )
    assert why(loudness_z=0.5, burst=0.1, words_per_s=2.0, chat_z=3.0, chatters=0.0) == (
        "chat 3.0 sigma above its usual rate"
    )


def test_the_dominant_emotion_is_the_strongest_that_is_known() -> None:
    assert dominant_emotion({"joy": 0.2, "anger": 0.7, "fear": None}) == "anger"
    assert dominant_emotion({"joy": None}) is None and dominant_emotion({}) is None


def test_kept_candidates_are_the_highlights(video: Video) -> None:
    signals = video(moments=[100, 110, 300])
    candidates = find_candidates(signals, KLIP).to_pylist()
    assert [row["candidate_index"] for row in candidates] == list(range(len(candidates)))
    kept = {(row["start_s"], row["end_s"], row["score"]) for row in candidates if row["kept"]}
    rows = found(signals)
    assert {(row["start_s"], row["end_s"], row["score"]) for row in rows} == kept
    assert all(a["score"] >= b["score"] for a, b in pairwise(rows))
    assert all(row["reason"] for row in candidates)


def test_scores_are_not_tied_at_1_k14(video: Video) -> None:
    scores = [row["score"] for row in found(video(1200.0, moments=[100, 300, 500, 700, 900]))]
    assert len(set(scores)) == len(scores) and max(scores) < 1


def test_without_emotions_there_are_no_emotion_moments(video: Video) -> None:
    signals = video()
    table = conform(EMOTION_MOMENTS, find_emotion_moments(signals.segments, signals.segment_sentiment))
    assert table.num_rows == 0
    assert find_emotion_moments(SEGMENTS.empty(), SEGMENT_SENTIMENT.empty()).num_rows == 0


def test_emotion_moments_are_the_strongest_segments_of_each_emotion(video: Video) -> None:
    signals = video(emotions=True)
    table = conform(EMOTION_MOMENTS, find_emotion_moments(signals.segments, signals.segment_sentiment))
    rows = [row for row in table.to_pylist() if row["emotion"] == "excitement"]
    assert [row["rank"] for row in rows] == list(range(1, MOMENTS + 1))
    assert rows[0]["score"] == pytest.approx(6 / 7)
    assert all(a["score"] >= b["score"] for a, b in pairwise(rows))
    assert "anger" not in table["emotion"].to_pylist()  # 0 throughout.
    segments = {(row["start_s"], row["end_s"]): row for row in signals.segments.to_pylist()}
    assert all(segments[row["start_s"], row["end_s"]]["text"] == row["text"] for row in rows)


def test_emotions_enter_the_score_and_the_highlight(video: Video) -> None:
    rows = found(video(moments=[100, 300], emotions=True))
    assert all(row["emotion_term"] is not None and row["dominant_emotion"] for row in rows)


@pytest.mark.slow
def test_a_video_of_10_hours_takes_less_than_10_seconds(video: Video) -> None:
    signals = video(36_000.0, moments=list(range(100, 36_000, 400)))
    began = time.monotonic()
    candidates = find_candidates(signals, KLIP)
    rows = describe_highlights(candidates, signals, KLIP)
    assert time.monotonic() - began < 10
    assert rows.num_rows >= 80
