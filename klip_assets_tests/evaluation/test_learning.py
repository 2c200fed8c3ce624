"""Learning to rank: it finds what people go by, else keeps the default, and stays monotone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad

from klip_assets.contracts import (
    AUDIO_FEATURES,
    CHAT_ACTIVITY,
    FEEDBACK,
    SEGMENT_SENTIMENT,
    SEGMENTS,
    TRANSCRIPT_WORDS,
    VIDEOS,
    WEIGHTS,
)
from klip_assets.defs.build import build_defs
from klip_assets.errors import InputError
from klip_assets.evaluation.learning import (
    MIN_PART,
    Judged,
    _numbers,
    _prepared,
    judged_moments,
    latest_verdicts,
    learn_weights,
)
from klip_assets.products.highlights.scoring import score_rows
from klip_assets.products.highlights.tables import Signals, score_curve
from klip_assets.products.highlights.weights import (
    MODEL,
    WeightSet,
    read_weights,
    toml_of,
    weight_set,
    weight_sets,
    weights_table,
)
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.lake.validate import conform
from klip_assets_tests.products.highlights.conftest import make_signals

DEFAULT = weight_set("klip-2")
TERMS = tuple(DEFAULT.terms)
UNIT = st.floats(0, 1)


def make_judged(
    truth: Mapping[str, float], *, videos: int = 6, moments: int = 12, terms: Sequence[str] = TERMS, seed: int = 0
) -> list[Judged]:
    """Videos in which what people call good follows some terms and a little noise; no term: noise alone."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(videos):
        values = {term: rng.uniform(0, 1, moments) for term in terms}
        heat = sum((weight * values[term] for term, weight in truth.items()), 0.1 * rng.standard_normal(moments))
        found.append(Judged(f"video{number}", values, heat > np.quantile(heat, 0.6)))
    return found


@pytest.mark.parametrize("term", ["burst_term", "emotion_term", "chat_term"])
def test_the_weight_goes_to_the_term_that_people_go_by(term: str) -> None:
    learnt = learn_weights(make_judged({term: 1.0}), DEFAULT)
    assert learnt.used and learnt.learnt_map > learnt.default_map + 0.1 and learnt.gain[0] > 0
    assert learnt.weights.weights[term] > 0.6 * sum(learnt.weights.terms.values())
    assert learnt.weights.version.startswith("learnt-") and len(learnt.weights.version) == len("learnt-") + 8
    assert learnt.weights.emotion == DEFAULT.emotion
    assert (learnt.videos, learnt.folds, learnt.good + learnt.bad) == (6, 6, 72)
    assert learnt.verdict.startswith("better; ")


@pytest.mark.slow
def test_two_terms_that_count_alike_get_like_weights() -> None:
    weights = learn_weights(make_judged({"speech_rate_term": 0.5, "burst_term": 0.5}, videos=10), DEFAULT).weights
    assert weights.weights["burst_term"] == pytest.approx(weights.weights["speech_rate_term"], rel=0.35)
    assert weights.weights["burst_term"] > 5 * weights.weights["chat_term"]


def test_the_share_of_the_model_is_learnt_too() -> None:
    weights = learn_weights(make_judged({MODEL: 1.0}, terms=[*TERMS, MODEL]), DEFAULT).weights
    assert DEFAULT.weights[MODEL] < weights.weights[MODEL] <= 1 - MIN_PART
    weights = learn_weights(make_judged({"chat_term": 1.0}, terms=[*TERMS, MODEL]), DEFAULT).weights
    assert weights.weights[MODEL] < DEFAULT.weights[MODEL]


@pytest.mark.slow
def test_noise_gives_the_default_back() -> None:
    kept = [learn_weights(make_judged({}, videos=5, moments=8, seed=seed), DEFAULT) for seed in range(8)]
    assert sum(learnt.used for learnt in kept) <= 1
    assert all(learnt.weights is DEFAULT for learnt in kept if not learnt.used)
    assert "the default is kept" in next(learnt for learnt in kept if not learnt.used).verdict


def test_people_who_go_by_the_default_weights_get_them_back() -> None:
    learnt = learn_weights(make_judged(DEFAULT.terms, moments=20), DEFAULT)
    assert not learnt.used and learnt.weights is DEFAULT


def test_nobody_is_taught_to_rank_quiet_above_loud() -> None:
    # What people like is what has little of a term: no weight goes below 0, or to it.
    learnt = learn_weights(make_judged({"voice_term": -1.0, "chat_term": 0.3}), DEFAULT)
    assert learnt.used
    for term, weight in learnt.weights.weights.items():
        assert weight >= MIN_PART * DEFAULT.weights[term] - 1e-6 > 0
    assert learnt.weights.weights["voice_term"] < 0.2 * DEFAULT.weights["voice_term"]


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(*[UNIT] * len(TERMS)), min_size=2, max_size=6), st.sampled_from(TERMS), st.floats(0, 0.5))
def test_learnt_scores_rise_with_every_term(rows: list[tuple[float, ...]], term: str, more: float) -> None:
    weights = _LEARNT.weights
    terms = {name: np.array(values) for name, values in zip(TERMS, zip(*rows, strict=True), strict=True)}
    raised = {**terms, term: np.minimum(terms[term] + more, 1.0)}
    assert (score_rows(raised, weights).score >= score_rows(terms, weights).score - 1e-12).all()


def test_terms_that_no_judged_video_has_keep_their_default_weight_and_the_rest_its_sum() -> None:
    known = ("speech_rate_term", "relative_loudness_term", "burst_term")
    learnt = learn_weights(make_judged({"burst_term": 1.0}, terms=known), DEFAULT)
    assert learnt.used
    for term in set(DEFAULT.weights) - set(known):
        assert learnt.weights.weights[term] == DEFAULT.weights[term]
    assert sum(learnt.weights.weights[term] for term in known) == pytest.approx(
        sum(DEFAULT.weights[term] for term in known), abs=1e-5
    )


def test_learning_is_the_same_to_the_bit_in_any_order_of_videos() -> None:
    judged = make_judged({"chat_term": 1.0, "burst_term": 0.5})
    first = learn_weights(judged, DEFAULT)
    assert learn_weights(judged[::-1], DEFAULT) == first == learn_weights(iter(judged), DEFAULT)


def test_videos_with_other_signals_are_learnt_from_together() -> None:
    sound = make_judged({"burst_term": 1.0}, terms=("relative_loudness_term", "burst_term"), videos=4)
    chat = make_judged({"chat_term": 1.0}, terms=("relative_loudness_term", "chat_term"), videos=4, seed=1)
    learnt = learn_weights([*sound, *(replace(video, video_id=f"{video.video_id}-chat") for video in chat)], DEFAULT)
    assert learnt.used
    weights = learnt.weights.weights
    assert min(weights["burst_term"], weights["chat_term"]) > 2 * weights["relative_loudness_term"]


@settings(deadline=None)
@given(
    st.lists(st.tuples(*[st.one_of(UNIT, st.just(float("nan")))] * (len(TERMS) + 1)), min_size=2, max_size=12),
    st.lists(st.floats(0.01, 1), min_size=len(TERMS) + 1, max_size=len(TERMS) + 1),
)
def test_fitting_scores_as_the_curve_does_missing_values_included(
    rows: list[tuple[float, ...]], numbers: list[float]
) -> None:
    names = [*TERMS, MODEL]
    terms = {name: np.array(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    video = _prepared(Judged("v", terms, np.arange(len(rows)) % 2 == 0), DEFAULT)
    weights = WeightSet("w", DEFAULT.emotion, dict(zip(names, numbers, strict=True)))
    if video is None:
        assert not np.isfinite(score_rows(terms, DEFAULT).score).any()
    else:
        assert video.score(_numbers(weights))[0] == pytest.approx(score_rows(terms, weights).score, abs=1e-9)


def test_the_slope_of_the_loss_is_its_slope() -> None:
    for names in (TERMS, TERMS[:3], [*TERMS, MODEL], [MODEL]):
        video = _prepared(make_judged({names[-1]: 1.0}, terms=names, videos=1)[0], DEFAULT)
        assert video is not None
        start = _numbers(DEFAULT) * 0.9 + 0.01
        assert check_grad(lambda x, v=video: v.loss(x)[0], lambda x, v=video: v.loss(x)[1], start) < 1e-5


def test_too_little_says_what_is_needed() -> None:
    judged = make_judged({"chat_term": 1.0}, videos=2)
    with pytest.raises(InputError, match=r"at least 3 videos; there are 10 good and 14 bad ones in 2 videos"):
        learn_weights(judged, DEFAULT)
    praised = [replace(video, good=np.ones(12, bool)) for video in make_judged({}, videos=4)]
    with pytest.raises(
        InputError, match=r"48 good and 0 bad ones in 4 videos, and both, with a signal, in 0 .*klip rate"
    ):
        learn_weights(praised, DEFAULT)
    with pytest.raises(InputError, match="0 good and 0 bad"):
        learn_weights([], DEFAULT)
    silent = [replace(video, terms={}) for video in make_judged({}, videos=4)]
    with pytest.raises(InputError, match="with a signal, in 0"):
        learn_weights(silent, DEFAULT)
    with pytest.raises(ValueError, match="twice"):
        learn_weights([*judged, *judged], DEFAULT)


def test_a_verdict_finds_its_moment_by_overlap_whatever_its_id_says() -> None:
    moved = {**_verdict("a", 13, "bad", minute=5), "highlight_id": "a@13"}
    beside = _verdict("a", 29, "good", minute=6)
    found = latest_verdicts(FEEDBACK.from_rows([_verdict("a", 10, "good", minute=1), moved, beside]))
    assert [(row["start_s"], row["verdict"]) for row in found["a"]] == [(1.0, "bad"), (17.0, "good")]


def test_the_latest_verdict_on_a_highlight_counts() -> None:
    table = FEEDBACK.from_rows(
        [
            _verdict("a", 10, "good", minute=1),
            _verdict("a", 10, "bad", minute=3),
            _verdict("a", 10, "good", minute=2),
            _verdict("a", 50, "good", minute=1),
            _verdict("b", 10, "good", minute=9),
        ]
    )
    found = {video: [row["verdict"] for row in rows] for video, rows in latest_verdicts(table).items()}
    assert found == {"a": ["bad", "good"], "b": ["good"]}


def test_a_judged_moment_has_the_terms_at_its_peak() -> None:
    signals = make_signals(moments=[120, 300])
    curve = score_curve(signals, DEFAULT)
    good, bad = _verdict("v", 122, "good"), {**_verdict("v", 300, "bad"), "highlight_id": "of another hand"}
    behind = _verdict("v", 9000, "good")
    judged = judged_moments(signals, [good, behind, bad], DEFAULT)
    assert judged is not None and judged.good.tolist() == [True, False]
    best = [first + int(np.argmax(curve.score[first : first + 20])) for first in (110, 288)]
    for term, values in curve.scored.terms.items():
        assert judged.terms[term].tolist() == values[best].tolist()
    assert judged_moments(signals, [behind], DEFAULT) is None
    assert judged_moments(replace(signals, duration_s=None), [good], DEFAULT) is None


def test_a_weight_set_written_and_read_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(toml_of(_LEARNT.weights, "how it\ncame about"))
    assert weight_set(str(path)) == _LEARNT.weights == weight_set(f"{path}#{_LEARNT.weights.version}")
    other = WeightSet('odd "name"', "not_neutral", {"burst_term": 1.0, MODEL: 0.25})
    path.write_text(path.read_text() + toml_of(other))
    assert read_weights(path) == {_LEARNT.weights.version: _LEARNT.weights, other.version: other}
    with pytest.raises(InputError, match=r"several weight sets .*mine.toml#learnt-"):
        weight_set(str(path))
    with pytest.raises(InputError, match="contains no weight set 'nope'"):
        weight_set(f"{path}#nope")
    table = conform(WEIGHTS, weights_table(_LEARNT.weights))
    assert set(table["weights_version"].to_pylist()) == {*weight_sets(), _LEARNT.weights.version}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read"),
        ("a = = 1", "not valid TOML"),
        ("", "contains no weight set"),
        ("[x]\nemotion = 'not_neutral'", "it needs `emotion` and a table `weights`"),
        ("[x]\nemotion = 'calm'\nweights = {burst_term = 1}", "emotion is 'calm'; it can be high_arousal"),
        (
            "[x]\nemotion = 'not_neutral'\nweights = {luck = 1}",
            "unknown term 'luck'; the terms are absolute_loudness_term",
        ),
        ("[x]\nemotion = 'not_neutral'\nweights = {burst_term = -1}", "burst_term is -1; a weight must be a number"),
        ("[x]\nemotion = 'not_neutral'\nweights = {burst_term = nan}", "burst_term is nan"),
        ("[x]\nemotion = 'not_neutral'\nweights = {burst_term = true}", "burst_term is True"),
        ("[x]\nemotion = 'not_neutral'\nweights = {burst_term = 1, model_score = 2}", "the model's share"),
        ("[x]\nemotion = 'not_neutral'\nweights = {burst_term = 0}", "no weight is above 0"),
        ("[klip-1]\nemotion = 'not_neutral'\nweights = {burst_term = 1}", "Klip ships a set"),
    ],
)
def test_a_file_of_weights_that_cant_be_used_says_why(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=re.escape(message)) as raised:
        weight_set(str(path))
    assert str(path) in str(raised.value)


def test_the_asset_writes_weights_that_can_be_used_at_once(
    lake: Lake, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The editor goes by the chat: what is loud without it is bad.
    for number in range(4):
        loud, talked_about = [100 + number, 300, 500], [200, 400 - number, 550]
        _process(lake, f"stream{number}", loud, talked_about, seed=number)
        for at in talked_about:
            _rate(lake, f"stream{number}", at, "bad", minute=1)
            _rate(lake, f"stream{number}", at, "good", minute=2)
        for at in loud:
            _rate(lake, f"stream{number}", at, "bad")
    _rate(lake, "removed", 40, "good")
    metadata = _materialize(instance)
    assert metadata["used"] is True and metadata["learnt_map"] > metadata["default_map"]
    assert (metadata["good"], metadata["bad"], metadata["judged_videos"]) == (12, 12, 4)
    assert len(metadata["passed_over"]) == 1 and metadata["passed_over"][0].startswith("removed: ")
    (path,) = (Settings().models_dir / "weights").glob("*.toml")
    assert f"KLIP_WEIGHTS={path}" in metadata["to_use_them"]
    monkeypatch.setenv("KLIP_WEIGHTS", str(path))
    learnt = weight_set(Settings().weights)
    assert path.name == f"{learnt.version}.toml" and dict(learnt.weights) == metadata["weights"]
    assert learnt.weights["chat_term"] > DEFAULT.weights["chat_term"]
    # With learnt weights in use it begins from the default again, and comes to the same.
    assert _materialize(instance)["weights"] == metadata["weights"]
    assert [path] == list(path.parent.iterdir())


def test_the_asset_says_what_is_missing_and_writes_nothing(lake: Lake, instance: dg.DagsterInstance) -> None:
    assert "0 good and 0 bad" in _materialize(instance)["verdict"]
    _process(lake, "stream", [100], [200])
    _rate(lake, "stream", 200, "good")
    metadata = _materialize(instance)
    assert metadata["used"] is False and "at least 3 videos; there are 1 good and 0 bad" in metadata["verdict"]
    assert not (Settings().models_dir / "weights").exists()


def _materialize(instance: dg.DagsterInstance) -> dict[str, Any]:
    job = build_defs().resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=instance, asset_selection=[dg.AssetKey(["learnt_weights"])])
    (event,) = result.asset_materializations_for_node("learnt_weights")
    return {name: value.value for name, value in event.metadata.items()}


def _process(lake: Lake, video_id: str, loud: Sequence[float], talked_about: Sequence[float], *, seed: int = 0) -> None:
    sound, chat = make_signals(moments=loud, seed=seed), make_signals(moments=talked_about, seed=seed)
    signals = _renamed(replace(sound, chat_activity=chat.chat_activity), video_id)
    video = VIDEOS.from_rows([{"video_id": video_id, "duration_s": signals.duration_s, "status": "ok"}])
    for table, rows in (
        (VIDEOS, video),
        (TRANSCRIPT_WORDS, signals.transcript_words),
        (AUDIO_FEATURES, signals.audio_features),
        (CHAT_ACTIVITY, signals.chat_activity),
        (SEGMENTS, signals.segments),
        (SEGMENT_SENTIMENT, signals.segment_sentiment),
    ):
        lake.write(table, video_id, rows, Provenance("run", "test"))


def _renamed(signals: Signals, video_id: str) -> Signals:
    tables = {name: value for name, value in vars(signals).items() if isinstance(value, pa.Table)}
    names = {name: pa.array([video_id] * table.num_rows, pa.string()) for name, table in tables.items()}
    changed = {
        name: table.set_column(table.schema.get_field_index("video_id"), table.schema.field("video_id"), names[name])
        for name, table in tables.items()
    }
    return replace(signals, video_id=video_id, **changed)


def _rate(lake: Lake, video_id: str, at: int, verdict: str, minute: int = 0) -> None:
    row = _verdict(video_id, at, verdict, minute)
    lake.write(FEEDBACK, row["feedback_id"], FEEDBACK.from_rows([row]), Provenance("rate", "test"))


def _verdict(video_id: str, at: int, verdict: str, minute: int = 0) -> dict[str, Any]:
    return {
        "feedback_id": f"{video_id}-{at}-{minute}",
        "video_id": video_id,
        "highlight_id": f"{video_id}@{at}",
        "start_s": at - 12.0,
        "end_s": at + 8.0,
        "verdict": verdict,
        "weights_version": DEFAULT.version,
        "given_at": datetime(2026, 6, 1) + timedelta(minutes=minute),
    }


_LEARNT = learn_weights(make_judged({"chat_term": 1.0}), DEFAULT)
