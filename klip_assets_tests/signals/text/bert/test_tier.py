"""The BERT tier through the real libraries, on small encoders made for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from klip_assets.contracts import EMOTIONS
from klip_assets.signals.text.bert import hub, quantized
from klip_assets.signals.text.bert.batches import BUDGET_TOKENS
from klip_assets.signals.text.bert.tier import BertTier
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.tiers import Chain, LexiconTier
from klip_assets_tests.signals.text.bert.tiny import EKMAN, SENTIMENT, make_encoder, relabel

pytestmark = pytest.mark.slow

TEXTS = ["I love this game", "what a terrible day", "the door is a door", "oh no! " * 60, "", "12 34"]


@pytest.fixture(scope="module")
def sentiment_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("sentiment") / "model", SENTIMENT)


@pytest.fixture(scope="module")
def emotion_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_encoder(tmp_path_factory.mktemp("emotion") / "model", EKMAN, seed=1)


def items(*texts: str) -> list[Item]:
    return [Item(text) for text in texts]


def test_sentiment_and_emotions_may_be_two_models(sentiment_model: Path, emotion_model: Path, tmp_path: Path) -> None:
    tier = BertTier((str(sentiment_model), str(emotion_model)), tmp_path, precision="float32")
    readings = tier.read(items(*TEXTS))
    assert [reading.status for reading in readings] == ["ok"] * 4 + ["skipped"] * 2
    for reading in readings[:4]:
        assert reading.sentiment is not None and -1 <= reading.sentiment <= 1
        assert reading.label in SENTIMENT and reading.confidence is not None and reading.confidence >= 1 / 3
        assert set(reading.emotions) == set(EKMAN) < set(EMOTIONS), "what a model can't tell is left out"
        assert sum(reading.emotions.values()) == pytest.approx(1, abs=1e-4)
        assert reading.model == f"{_name(sentiment_model)}+{_name(emotion_model)}"


def test_probabilities_are_those_of_the_library_whatever_the_batch(sentiment_model: Path) -> None:
    from transformers import pipeline

    loaded = hub.load(str(sentiment_model))
    one_by_one = pipeline("text-classification", model=loaded.network, tokenizer=loaded.tokenizer, top_k=None)
    texts = [text for text in TEXTS if text][:3] + [f"we play level {n} " * n for n in range(1, 9)]
    found = loaded.probabilities(texts, hub.torch_runner(loaded, "cpu", "float32"), BUDGET_TOKENS)
    for text, row in zip(texts, found, strict=True):
        expected = {each["label"]: each["score"] for each in one_by_one([text], truncation=True)[0]}
        if len(loaded.tokenizer(text)["input_ids"]) <= 64:
            assert row.tolist() == pytest.approx([expected[label] for label in SENTIMENT], abs=1e-5)


def test_a_long_text_is_read_to_its_end(sentiment_model: Path) -> None:
    loaded = hub.load(str(sentiment_model))
    run = hub.torch_runner(loaded, "cpu", "float32")
    start = "the door is a door . " * 30
    same, other = loaded.probabilities([start, start + "i hate this awful terrible game ! " * 30], run, BUDGET_TOKENS)
    assert not np.allclose(same, other, atol=1e-3)


def test_the_int8_model_is_used_where_it_agrees_and_its_agreement_is_kept(
    sentiment_model: Path, tmp_path: Path
) -> None:
    told: list[str] = []
    tier = BertTier((str(sentiment_model),), tmp_path, device="cpu", notify=told.append)
    full = BertTier((str(sentiment_model),), tmp_path, device="cpu", precision="float32")
    small = tier.read(items(*TEXTS))
    (noted,) = tmp_path.rglob("agreement.json")
    assert f"{len(quantized.check_texts())}" in noted.read_text()
    assert any("int8 by onnxruntime" in line and "% of labels" in line for line in told)
    assert [reading.label for reading in small] == [reading.label for reading in full.read(items(*TEXTS))]
    made_at = noted.stat().st_mtime_ns
    tier.read(items("again"))
    assert noted.stat().st_mtime_ns == made_at, "made once"


def test_an_int8_model_reads_a_text_alike_in_any_company_and_what_it_read_can_be_taken_over(
    sentiment_model: Path, emotion_model: Path, tmp_path: Path
) -> None:
    models = (str(sentiment_model), str(emotion_model))
    told: list[str] = []
    together = BertTier(models, tmp_path, device="cpu", precision="int8", notify=told.append).read(items(*TEXTS))
    assert all("int8" in line for line in told)
    known = {reading.input_sha256: reading for reading in together[:2]}
    told.clear()
    again = BertTier(models, tmp_path, device="cpu", precision="int8", notify=told.append, known=known)
    assert again.read(items(*reversed(TEXTS))) == together[::-1]
    assert all("reads 2 texts" in line for line in told)


def test_an_int8_model_that_says_something_else_is_not_used(
    sentiment_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quantized, "ENOUGH", 1.01)
    told: list[str] = []
    readings = BertTier((str(sentiment_model),), tmp_path, device="cpu", notify=told.append).read(items(*TEXTS))
    assert readings[0].status == "ok"
    assert "is not used" in told[0] and "float32" in told[1]


@pytest.mark.parametrize("precision", ["bfloat16"])
def test_other_precisions_say_nearly_the_same(sentiment_model: Path, precision: str) -> None:
    loaded = hub.load(str(sentiment_model))
    found = quantized.compare(loaded, hub.torch_runner(loaded, "cpu", precision))
    assert found.same > 0.9 and found.largest < 0.2


def test_a_model_that_can_not_be_had_falls_to_the_next_tier_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    chain = Chain([BertTier((str(tmp_path / "nowhere"),), tmp_path), LexiconTier("vader")], [])
    (reading,) = chain.read(items("what a wonderful day"))
    assert (reading.status, reading.tier) == ("fallback", "lexicon")
    assert "bert: the model" in (reading.error or "") and "can't be loaded" in (reading.error or "")


def test_a_model_whose_labels_nobody_declared_falls_to_the_next_tier_and_names_them(tmp_path: Path) -> None:
    model = relabel(make_encoder(tmp_path / "model", SENTIMENT), ["red", "green", "blue"])
    chain = Chain([BertTier((str(model),), tmp_path, precision="float32"), LexiconTier("vader")], [])
    (reading,) = chain.read(items("what a wonderful day"))
    assert reading.status == "fallback" and "red, green, blue" in (reading.error or "")


def test_code_that_comes_with_a_model_is_not_run(tmp_path: Path) -> None:
    model = make_encoder(tmp_path / "model", SENTIMENT)
    ran = tmp_path / "ran"
    (model / "evil.py").write_text(f"open({str(ran)!r}, 'w')\nclass Evil: pass\n")
    config = (model / "config.json").read_text()
    (model / "config.json").write_text(
        config.replace("{", '{"auto_map": {"AutoModelForSequenceClassification": "evil.Evil"},', 1)
    )
    BertTier((str(model),), tmp_path, precision="float32").read(items("hello there"))
    assert not ran.exists()


def _name(folder: Path) -> str:
    return f"{folder}@{hub.load(str(folder)).version[:8]}"
