"""From texts to the model in use, on an encoder made for the test: every step, and what may not happen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from klip_assets.contracts import EMOTIONS, EVALUATIONS
from klip_assets.defs.build import build_defs
from klip_assets.errors import EngineUnavailableError
from klip_assets.evaluation.metrics import macro_recall
from klip_assets.settings import Settings
from klip_assets.signals.text.bert.compact import CompactModel
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.prompt import SEGMENT
from klip_assets.signals.text.tiers import build_chain
from klip_assets.store.lake.lake import Lake
from klip_assets.training.export import export
from klip_assets.training.fit import Recipe, best_cut, best_offsets, learn, logits_of
from klip_assets.training.measure import f1, macro_f1
from klip_assets.training.texts import read_sets, training_set
from klip_assets_tests.signals.text.bert.tiny import make_encoder
from klip_assets_tests.training.sets import write_sets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("sets"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("encoder"), size=64)


def train(instance: dg.DagsterInstance, data: Path, encoder: Path, **recipe: Any) -> dg.ExecuteInProcessResult:
    config = {"base": str(encoder), "learning_rate": 3e-3, "epochs": 3, "device": "cpu"} | recipe
    ops = {
        "emotion_training_set": {"config": {"data_dir": str(data)}},
        "emotion_model": {"config": config},
    }
    job = build_defs().resolve_job_def("train_emotion_model")
    return job.execute_in_process(run_config={"ops": ops}, instance=instance, raise_on_error=False)


def test_a_model_is_learnt_measured_and_put_to_use_and_a_worse_one_is_refused(
    settings: Settings, lake: Lake, instance: dg.DagsterInstance, data: Path, encoder: Path
) -> None:
    assert train(instance, data, encoder).success
    first = CompactModel(settings.compact_model_dir)
    (run_id,) = lake.keys(EVALUATIONS)
    figures = {(row["metric"], row["system"]): row["value"] for row in lake.read(EVALUATIONS, run_id).to_pylist()}
    assert figures["macro_recall", "klip-compact (candidate)"] > 90
    assert {system for metric, system in figures if metric == "macro_recall"} >= {
        "vader", "textblob", "tf-idf + logistic regression"
    }  # fmt: skip
    chain = build_chain(["bert"], settings, prompt_version=SEGMENT)
    bad, good, nothing = chain.read(
        [Item("bad terrible awful worst game"), Item("great best wonderful song"), Item("")]
    )
    assert (bad.tier, bad.status, bad.label, good.label) == ("bert", "ok", "negative", "positive")
    assert bad.model == first.name and set(bad.emotions) == set(EMOTIONS) and nothing.status == "skipped"

    # Not a step is learnt: the candidate is measured, and the one in use stays.
    worse = train(instance, data, encoder, learning_rate=1e-9, epochs=1)
    assert not worse.success
    assert CompactModel(settings.compact_model_dir).sha256 == first.sha256
    (event,) = [event for event in worse.all_events if event.event_type_value == "ASSET_CHECK_EVALUATION"]
    assert "of the model in use" in (event.asset_check_evaluation_data.description or "")


def test_the_exported_model_says_what_the_network_says(data: Path, encoder: Path, tmp_path: Path) -> None:
    rows = training_set(read_sets(data))
    learnt = learn(rows, Recipe(base=str(encoder), learning_rate=3e-3, epochs=2, device="cpu"))
    made = export(learnt, tmp_path / "made", {}, sample=rows["text"].to_pylist())
    assert sorted(path.name for path in made.iterdir()) == ["model.json", "model.onnx", "tokenizer.json"]
    texts = rows["text"].to_pylist()[:200:7]
    logits = logits_of(learnt.network, learnt.tokenizer(texts)["input_ids"])
    scores = CompactModel(made).read(texts)
    expected = 1 / (1 + np.exp(-logits[:, : len(EMOTIONS)]))
    assert np.abs(scores.emotions - expected).max() < 0.1
    assert np.mean(scores.sentiment.argmax(axis=1) == logits[:, len(EMOTIONS) :].argmax(axis=1)) > 0.95


def test_a_compact_model_reads_long_and_odd_texts_each_by_itself(data: Path, encoder: Path, tmp_path: Path) -> None:
    rows = training_set(read_sets(data))
    learnt = learn(rows, Recipe(base=str(encoder), learning_rate=3e-3, epochs=2, device="cpu"))
    model = CompactModel(export(learnt, tmp_path / "made", {}, sample=rows["text"].to_pylist()))
    texts = ["great best wonderful song " * 200, "", "😂", "bad", "x" * 5000, "\x00 \ud800"[:1]]
    together = model.read(texts)
    assert np.isfinite(together.emotions).all() and np.allclose(together.sentiment.sum(axis=1), 1, atol=1e-4)
    for place, text in enumerate(texts):
        alone = model.read([text])
        assert np.array_equal(alone.emotions[0], together.emotions[place])


def test_files_that_do_not_belong_together_are_refused(data: Path, encoder: Path, tmp_path: Path) -> None:
    learnt = learn(training_set(read_sets(data)), Recipe(base=str(encoder), epochs=1))
    made = export(learnt, tmp_path / "made", {}, sample=["good game", "bad game"])
    about = json.loads((made / "model.json").read_text())
    (made / "model.json").write_text(json.dumps({**about, "model_sha256": "0" * 64}))
    with pytest.raises(EngineUnavailableError, match="is not the file"):
        CompactModel(made)
    with pytest.raises(EngineUnavailableError, match="no compact model"):
        CompactModel(tmp_path / "nowhere")


def test_measures_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score, recall_score

    draw = np.random.default_rng(0)
    labels, guesses = draw.integers(0, 3, 300), draw.integers(0, 3, 300)
    assert macro_recall(labels, guesses) == pytest.approx(recall_score(labels, guesses, average="macro"))
    flags, found = draw.random((200, 9)) > 0.8, draw.random((200, 9)) > 0.7
    assert macro_f1(flags, found) == pytest.approx(100 * f1_score(flags, found, average="macro"))
    assert f1(flags[:, 0] & False, found[:, 0] & False) == 0


def test_cuts_are_the_best_there_are() -> None:
    draw = np.random.default_rng(1)
    there = draw.random(500) > 0.9
    logits = (draw.normal(size=500) + 2 * there).astype(np.float32)
    cut = best_cut(logits, there)

    def score(at: float) -> float:
        return f1(there, logits > at)

    assert score(cut) >= max(score(at) for at in np.linspace(-3, 5, 400)) - 1e-9
    labels = draw.integers(0, 3, 400)
    three = (draw.normal(size=(400, 3)) + np.eye(3)[labels] + [0.0, 1.5, 0.0]).astype(np.float32)
    offsets = best_offsets(three, labels)
    assert recall(three + offsets, labels) > recall(three, labels)


def recall(logits: Any, labels: Sequence[int] | Any) -> float:
    return 100 * macro_recall(labels, logits.argmax(axis=1))
