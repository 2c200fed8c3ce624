"""Scores: monotone, recomputable, and nothing unknown lifts anything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from klip_assets.contracts import EMOTIONS, KLIPSTREAM_EMOTIONS, SEGMENT_SCORES, SEGMENT_SENTIMENT, SEGMENTS, WEIGHTS
from klip_assets.errors import InputError
from klip_assets.products.highlights.scoring import ENOUGH, emotion_term, score_rows, score_segments
from klip_assets.products.highlights.tables import Signals
from klip_assets.products.highlights.weights import MODEL, weight_set, weight_sets, weights_table
from klip_assets.store.lake.validate import conform

SETS = pytest.mark.parametrize("version", ["klipstream-1", "klip-2"])
TERMS = tuple(weight_set("klip-2").weights)
unit = st.floats(0, 1, allow_subnormal=False)


def tables(scores: int) -> st.SearchStrategy[np.ndarray]:
    return arrays(float, (len(TERMS), scores), elements=unit)


def scored(values: np.ndarray, version: str) -> np.ndarray:
    return score_rows(dict(zip(TERMS, values, strict=True)), weight_set(version)).score


@SETS
@given(values=tables(12), term=st.integers(0, len(TERMS) - 1), row=st.integers(0, 11), higher=unit)
def test_a_higher_value_of_any_term_never_lowers_the_score_k10(
    version: str, values: np.ndarray, term: int, row: int, higher: float
) -> None:
    lifted = values.copy()
    lifted[term, row] = max(higher, values[term, row])
    before, after = scored(values, version), scored(lifted, version)
    assert after[row] >= before[row]
    assert np.array_equal(np.delete(before, row), np.delete(after, row))


@SETS
def test_a_model_score_just_above_0_is_not_a_cliff_k10(version: str) -> None:
    values = np.full((len(TERMS), 2), 0.6)
    values[TERMS.index(MODEL)] = [0.0, 0.01]
    none, little = scored(values, version)
    assert 0 < little - none < 0.01


@SETS
@given(values=tables(10))
def test_scores_lie_between_0_and_1_and_are_the_documented_mean(version: str, values: np.ndarray) -> None:
    weights = weight_set(version)
    result = score_rows(dict(zip(TERMS, values, strict=True)), weights)
    parts = {term: weight for term, weight in weights.weights.items() if term != MODEL}
    base = sum(values[TERMS.index(term)] * weight for term, weight in parts.items()) / sum(parts.values())
    share = weights.weights[MODEL]
    assert np.allclose(result.base, base)
    assert np.allclose(result.score, (1 - share) * base + share * values[TERMS.index(MODEL)])
    assert ((result.score >= 0) & (result.score <= 1)).all()


@SETS
@given(values=tables(20), term=st.integers(0, len(TERMS) - 1), rows=st.sets(st.integers(0, 19), min_size=1, max_size=2))
def test_replacing_a_low_value_by_null_never_lifts_above_one_with_the_median(
    version: str, values: np.ndarray, term: int, rows: set[int]
) -> None:
    unknown = values.copy()
    unknown[term, list(rows)] = np.nan
    median = np.nanmedian(unknown[term])
    assume(all(values[term, row] <= median for row in rows))
    after = scored(unknown, version)
    # A row that equals the unknown one in all else and has the median here must not be below it.
    for row in rows:
        twin = np.concatenate([unknown, unknown[:, [row]]], axis=1)
        twin[term, -1] = median
        with_twin = scored(twin, version)
        assert with_twin[row] <= with_twin[-1] + 1e-12
    assert np.isfinite(after).all()


def test_a_term_known_in_less_than_a_fifth_is_left_out_for_the_whole_video() -> None:
    values = np.full((len(TERMS), 100), 0.5)
    place = TERMS.index("chat_term")
    values[place] = 1.0
    values[place, :81] = np.nan
    result = score_rows(dict(zip(TERMS, values, strict=True)), weight_set("klip-2"))
    assert "chat_term" not in result.terms and np.allclose(result.base, 0.5)
    values[place, 0] = 1.0
    result = score_rows(dict(zip(TERMS, values, strict=True)), weight_set("klip-2"))
    assert "chat_term" in result.terms and ENOUGH == 0.2
    assert result.imputed["chat_term"].sum() == 80 and np.allclose(result.terms["chat_term"], 1.0)


def test_without_any_term_there_is_no_score() -> None:
    result = score_rows(dict.fromkeys(TERMS, np.full(5, np.nan)), weight_set("klip-2"))
    assert np.isnan(result.score).all() and not result.terms


def test_with_a_model_alone_the_score_is_the_models() -> None:
    values = np.full((len(TERMS), 5), np.nan)
    values[TERMS.index(MODEL)] = np.linspace(0, 1, 5)
    result = score_rows(dict(zip(TERMS, values, strict=True)), weight_set("klip-2"))
    assert np.array_equal(result.score, np.linspace(0, 1, 5)) and np.isnan(result.base).all()


def _segments(rates: list[float | None], loud: list[float | None]) -> pa.Table:
    return SEGMENTS.from_rows(
        {"video_id": "v", "segment_index": i, "speech_rate_wps": rate, "relative_loudness": z, "absolute_loudness": z}
        for i, (rate, z) in enumerate(zip(rates, loud, strict=True))
    )


def _sentiment(rows: list[dict[str, float]]) -> pa.Table:
    return SEGMENT_SENTIMENT.from_rows({"video_id": "v", "segment_index": i, **row} for i, row in enumerate(rows))


def test_the_documented_klipstream_weights_are_kept() -> None:
    five = dict.fromkeys(KLIPSTREAM_EMOTIONS, 0.8)
    table = conform(
        SEGMENT_SCORES,
        score_segments(
            _segments([3.0], [0.4]), _sentiment([{**five, "model_highlight_score": 0.9}]), weight_set("klipstream-1")
        ),
    )
    row = table.to_pylist()[0]
    base = (0.15 * 0.5 + 0.15 * 0.4 + 0.10 * 0.4 + 0.10 * 0.8) / 0.5
    assert row["base_score"] == pytest.approx(base) and row["score"] == pytest.approx(0.5 * base + 0.45)


def test_imputed_terms_are_named_and_take_the_median() -> None:
    loud: list[float | None] = [i / 19 for i in range(20)]
    loud[3] = None
    table = score_segments(_segments([2.0] * 20, loud), _sentiment([{} for _ in range(20)]), weight_set("klip-2"))
    rows = conform(SEGMENT_SCORES, table).to_pylist()
    assert rows[3]["imputed_terms"] == ["relative_loudness_term", "absolute_loudness_term"]
    known = [value for value in loud if value is not None]
    assert rows[3]["relative_loudness_term"] == pytest.approx(np.median(known))
    assert all(row["imputed_terms"] == [] for i, row in enumerate(rows) if i != 3)
    assert table["emotion_term"].null_count == 20 and table["model_score"].null_count == 20


def test_speech_faster_than_6_words_a_second_counts_as_6() -> None:
    table = score_segments(_segments([12.0, 6.0, 3.0], [0.5] * 3), _sentiment([{}] * 3), weight_set("klip-2"))
    assert table["speech_rate_term"].to_pylist() == [1.0, 1.0, 0.5]


def test_the_emotion_term_follows_the_weight_set() -> None:
    sentiment = _sentiment([{**dict.fromkeys(EMOTIONS, 0.0), "excitement": 1.0, "neutral": 0.3}, {"joy": 1.0}])
    assert emotion_term(sentiment, "mean_of_five")[0] == pytest.approx(0.2)
    assert emotion_term(sentiment, "not_neutral")[0] == pytest.approx(0.7)
    assert emotion_term(sentiment, "high_arousal")[0] == pytest.approx(0.2)
    assert np.isnan(emotion_term(sentiment, "mean_of_five")[1]) and np.isnan(emotion_term(sentiment, "not_neutral")[1])


@SETS
def test_segment_scores_can_be_recomputed_from_their_columns(version: str, video: Callable[..., Signals]) -> None:
    signals = video(emotions=True)
    weights = weight_set(version)
    rows = conform(SEGMENT_SCORES, score_segments(signals.segments, signals.segment_sentiment, weights)).to_pylist()
    for row in rows:
        used = {term: weight for term, weight in weights.terms.items() if row.get(term) is not None}
        base = sum(row[term] * weight for term, weight in used.items()) / sum(used.values())
        assert row["base_score"] == pytest.approx(base) == pytest.approx(row["score"])


def test_no_segments_have_no_scores() -> None:
    empty = score_segments(SEGMENTS.empty(), SEGMENT_SENTIMENT.empty(), weight_set("klip-2"))
    assert conform(SEGMENT_SCORES, empty).num_rows == 0


def test_the_weight_sets_are_a_table_and_name_columns_of_the_contract() -> None:
    table = conform(WEIGHTS, weights_table())
    assert set(table["weights_version"].to_pylist()) == set(weight_sets())
    for entry in weight_sets().values():
        assert sum(entry.terms.values()) > 0 and 0 <= entry.weights[MODEL] <= 1
    assert weight_set("klipstream-1").weights == {
        "speech_rate_term": 0.15,
        "relative_loudness_term": 0.15,
        "absolute_loudness_term": 0.10,
        "emotion_term": 0.10,
        "model_score": 0.50,
    }


def test_an_unknown_weight_set_is_an_error_that_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="klip-2"):
        weight_set("klip-99")
