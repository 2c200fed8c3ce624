"""The score of every second, where some seconds are unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from klip_assets.contracts import AUDIO_FEATURES
from klip_assets.products.highlights.curve import Curve
from klip_assets.products.highlights.tables import Signals, find_candidates, score_curve
from klip_assets.products.highlights.weights import weight_set
from klip_assets_tests.products.highlights.conftest import make_signals

WEIGHTS = weight_set("klip-2")


def with_audio(signals: Signals, name: str, seconds: slice, value: float | None) -> Signals:
    values = signals.audio_features[name].to_pylist()
    values[seconds] = [value] * len(values[seconds])
    index = AUDIO_FEATURES.schema.names.index(name)
    column = pa.array(values, AUDIO_FEATURES.schema.field(name).type)
    return replace(signals, audio_features=signals.audio_features.set_column(index, name, column))


def curve_of(signals: Signals) -> Curve:
    return score_curve(signals, WEIGHTS)


@pytest.mark.parametrize("name", ["loudness_z", "burst_z"])
def test_an_unknown_second_scores_as_the_median_second_does(name: str) -> None:
    signals = make_signals(601, moments=[200])
    seconds = slice(199, 206)
    unknown = with_audio(signals, name, seconds, None)
    known = np.array([value for value in unknown.audio_features[name].to_pylist() if value is not None])
    usual = with_audio(signals, name, seconds, float(np.median(known)))
    assert np.allclose(curve_of(unknown).score, curve_of(usual).score, atol=2e-3)
    term = {"loudness_z": "relative_loudness_term", "burst_z": "burst_term"}[name]
    imputed = curve_of(unknown).scored.imputed[term]
    assert imputed[199:206].all() and not imputed[300:].any()


def test_audio_that_ends_early_takes_no_score_of_what_was_heard() -> None:
    signals = make_signals(600, moments=[200], chat=False)
    unheard = signals
    for name in ("loudness_momentary_lufs", "loudness_short_term_lufs", "loudness_z", "burst_z", "speech_share"):
        unheard = with_audio(unheard, name, slice(300, 600), None)
    scored = curve_of(unheard).scored
    assert {"relative_loudness_term", "absolute_loudness_term", "burst_term"} <= set(scored.terms)
    kept = [row for row in find_candidates(unheard, WEIGHTS).to_pylist() if row["kept"]]
    assert any(row["start_s"] <= 200 <= row["end_s"] for row in kept)


def test_audio_of_less_than_a_fifth_of_a_video_is_left_out() -> None:
    signals = make_signals(600, moments=[50])
    short = replace(signals, audio_features=signals.audio_features.slice(0, 110))
    assert not {"relative_loudness_term", "burst_term"} & set(curve_of(short).scored.terms)
