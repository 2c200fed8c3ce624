"""Segments cover the video and hold every word once, whatever the words are like."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klip_assets.contracts import AUDIO_FEATURES, SEGMENTS, TRANSCRIPT_WORDS
from klip_assets.signals.speech.segments import LENGTH_S, REACH_S, build_segments, cut_points
from klip_assets.signals.speech.words import Transcript, Word
from klip_assets.store.lake.validate import conform
from klip_assets.work.invariants import segment_problems
from klip_assets_tests.suite.examples import examples

NO_SOUND = AUDIO_FEATURES.empty()
NO_WORDS = TRANSCRIPT_WORDS.empty()


def table_of(words: list[Word]) -> pa.Table:
    return Transcript(words, "en", "captions", "f").table("v")


def segments_of(words: list[Word], duration_s: float, sound: pa.Table = NO_SOUND) -> pa.Table:
    return conform(SEGMENTS, build_segments(table_of(words), sound, video_id="v", duration_s=duration_s, heard=True))


def sound_of(lufs: list[float | None], z: list[float | None] | None = None) -> pa.Table:
    seconds = len(lufs)
    return AUDIO_FEATURES.from_columns(
        {
            "video_id": ["v"] * seconds,
            "t_s": list(range(seconds)),
            "loudness_short_term_lufs": lufs,
            "loudness_z": z or [0.0] * seconds,
            "speech_share": [0.5] * seconds,
        }
    )


@st.composite
def talks(draw: st.DrawFn) -> tuple[list[Word], float]:
    """Words that do not overlap, with pauses of any length, and a duration of 0.3 s to 12 h."""
    duration = draw(st.one_of(st.floats(0.3, 100), st.floats(100, 12 * 3600)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(0, 400))
    lengths = rng.uniform(0.01, draw(st.sampled_from([0.5, 2.0, 15.0])), count)
    pauses = rng.exponential(draw(st.sampled_from([0.05, 0.5, 5.0, 60.0])), count) * rng.integers(0, 2, count)
    starts = np.cumsum(pauses + np.concatenate([[0.0], lengths[:-1]])) if count else np.zeros(0)
    stops = draw(st.sampled_from(["", "."]))
    words = [
        Word(float(start), float(start + length), f"w{i}" + (stops if i % 9 == 8 else ""))
        for i, (start, length) in enumerate(zip(starts, lengths, strict=True))
    ]
    return words, duration


@settings(max_examples=examples(150), deadline=None)
@given(talks())
def test_segments_are_contiguous_cover_the_video_and_hold_every_word_once(talk: tuple[list[Word], float]) -> None:
    words, duration = talk
    table = segments_of(words, duration)
    assert not segment_problems(table, table_of(words), duration)
    assert " ".join(text for text in table["text"].to_pylist() if text).split() == [word.text for word in words]
    assert table["segment_index"].to_pylist() == list(range(table.num_rows))
    lengths = np.subtract(table["end_s"].to_pylist(), table["start_s"].to_pylist())
    assert (lengths > 0).all() and lengths.max() <= 1.5 * LENGTH_S + 2 * REACH_S


@settings(max_examples=examples(150), deadline=None)
@given(talks())
def test_no_cut_falls_inside_a_word_where_a_gap_is_within_reach(talk: tuple[list[Word], float]) -> None:
    words, duration = talk
    rows = table_of(words)
    starts, ends = rows["start_s"].to_numpy(), rows["end_s"].to_numpy()
    for cut in cut_points(starts, ends, rows["sentence_index"].to_pylist(), duration):
        inside = np.flatnonzero((starts < cut - 1e-9) & (ends > cut + 1e-9))
        for i in inside:
            pieces = max(1, round(duration / LENGTH_S))
            reach = min(REACH_S, duration / pieces / 3)
            # Both edges of the word are out of reach of the grid, so that there was no better place.
            assert cut - starts[i] > reach - 2e-3 and ends[i] - cut > reach - 2e-3


def test_every_word_is_in_exactly_one_segment_with_a_monologue_of_minutes_k7() -> None:
    words = [Word(i * 0.4, i * 0.4 + 0.4, f"w{i}") for i in range(600)]  # 240 s without a pause
    table = segments_of(words, 240)
    assert table.num_rows == 8 and sum(table["word_count"].to_pylist()) == 600
    assert all(text for text in table["text"].to_pylist())


def test_no_segment_holds_words_of_its_neighbour_k8() -> None:
    words = [Word(i * 0.4, i * 0.4 + 0.4, f"w{i}") for i in range(250)]  # one paragraph of 100 s
    table = segments_of(words, 100)
    assert " ".join(table["text"].to_pylist()).split() == [word.text for word in words]
    assert max(table["speech_rate_wps"].to_pylist()) == pytest.approx(2.5, abs=0.1)


@pytest.mark.parametrize("duration", [0.3, 5.0, 44.0, 55.0, 59.9, 85.0, 119.0])
def test_tails_and_short_videos_are_covered_k9(duration: float) -> None:
    words = [Word(t, t + 0.3, "w") for t in np.arange(0, duration - 0.3, 0.5)]
    table = segments_of(words, duration)
    assert table.num_rows >= 1 and table["end_s"][-1].as_py() == duration
    assert sum(table["word_count"].to_pylist()) == len(words)


def test_a_video_under_45_s_is_one_segment() -> None:
    assert segments_of([], 44.9).num_rows == 1 and segments_of([], 45.1).num_rows == 2


def test_a_cut_falls_at_the_end_of_the_sentence_nearest_to_the_grid() -> None:
    words = [Word(t, t + 1, "word." if t in (27, 36) else "word") for t in range(60)]
    rows = table_of(words)
    sentences = rows["sentence_index"].to_pylist()
    assert cut_points(rows["start_s"].to_pylist(), rows["end_s"].to_pylist(), sentences, 60) == [28.0]


def test_a_cut_falls_in_a_pause_rather_than_between_two_words() -> None:
    words = [Word(t + (0.8 if t >= 32 else 0), t + 1 + (0.8 if t >= 32 else 0), "w") for t in range(60)]
    cuts = cut_points([w.start_s for w in words], [w.end_s for w in words], [0] * 60, 61)
    assert 32.0 < cuts[0] < 32.8


def test_a_cut_in_a_long_pause_is_on_the_grid() -> None:
    assert cut_points([0.0, 100.0], [5.0, 101.0], [0, 1], 120) == [30.0, 60.0, 90.0]


def test_a_cut_keeps_off_the_only_word() -> None:
    assert cut_points([29.0], [31.0], [0], 60)[0] in (pytest.approx(28.75), pytest.approx(31.25))


def test_words_after_the_end_of_the_video_are_kept_in_the_last_segment() -> None:
    table = segments_of([Word(10, 11, "in"), Word(63, 64, "late")], 60)
    assert table["text"].to_pylist()[-1] == "late"


@pytest.mark.parametrize("duration", [None, 0.0])
def test_a_video_of_unknown_length_has_no_segments(duration: float | None) -> None:
    table = build_segments(NO_WORDS, NO_SOUND, video_id="v", duration_s=duration, heard=True)
    assert conform(SEGMENTS, table).num_rows == 0


def test_where_nothing_could_be_heard_the_rate_is_unknown_not_0() -> None:
    table = build_segments(NO_WORDS, NO_SOUND, video_id="v", duration_s=60.0, heard=False)
    assert table["speech_rate_wps"].null_count == 2
    silent = build_segments(NO_WORDS, NO_SOUND, video_id="v", duration_s=60.0, heard=True)
    assert silent["speech_rate_wps"].to_pylist() == [0.0, 0.0]


def test_without_sound_every_loudness_is_unknown_not_0_k2() -> None:
    table = segments_of([Word(1, 2, "w")], 60)
    for name in ("absolute_loudness", "relative_loudness", "loudness_lufs", "speech_share"):
        assert table[name].null_count == table.num_rows, name


def test_loudness_terms_are_those_of_the_design() -> None:
    lufs = [-30.0] * 30 + [-20.0] * 30 + [-25.0] * 30 + [None] * 30
    z = [-4.0] * 30 + [1.5] * 30 + [0.0] * 30 + [None] * 30
    table = segments_of([], 120, sound_of(lufs, z))
    low, high = np.percentile([v for v in lufs if v is not None], [5, 95])
    assert table["loudness_lufs"].to_pylist() == [*(pytest.approx(v) for v in (-30.0, -20.0, -25.0)), None]
    assert table["absolute_loudness"].to_pylist() == [0.0, 1.0, pytest.approx((-25 - low) / (high - low)), None]
    assert table["relative_loudness"].to_pylist() == [0.0, pytest.approx(0.75), pytest.approx(0.5), None]
    assert table["speech_share"].to_pylist() == [0.5] * 4


def test_a_level_of_exactly_0_lufs_is_known() -> None:
    table = segments_of([], 90, sound_of([-20.0] * 30 + [0.0] * 30 + [-10.0] * 30))
    assert table["absolute_loudness"].to_pylist()[1] == 1.0


def test_a_constant_level_has_no_place_between_its_percentiles() -> None:
    table = segments_of([], 60, sound_of([-20.0] * 60))
    assert table["absolute_loudness"].null_count == 2 and table["loudness_lufs"].null_count == 0


def test_grid_lines_are_never_more_than_the_reach_from_their_cut() -> None:
    rng = np.random.default_rng(0)
    starts = np.sort(rng.uniform(0, 3600, 6000))
    cuts = cut_points(starts, starts + 0.3, [0] * 6000, 3600)
    assert all(abs(cut - 30 * k) <= REACH_S for k, cut in enumerate(cuts, start=1)) and len(cuts) == 119
    assert all(b > a for a, b in pairwise(cuts))
