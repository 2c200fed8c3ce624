"""The compact model that comes with the package: small, described, and reading what people mean."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from klip_assets.contracts import EMOTIONS
from klip_assets.evaluation.metrics import macro_recall
from klip_assets.settings import Settings
from klip_assets.signals.text.bert.compact import SHIPPED, load
from klip_assets.training.measure import emotions_of, macro_f1, sentiment_of
from klip_assets.training.texts import measured_set, read_sets


def test_it_is_small_and_its_card_names_its_weights_and_those_it_began_with() -> None:
    about = json.loads((SHIPPED / "model.json").read_text("utf-8"))
    card = (SHIPPED / "MODEL_CARD.md").read_text("utf-8")
    assert sum((SHIPPED / name).stat().st_size for name in ("model.onnx", "tokenizer.json")) <= 25_000_000
    assert hashlib.sha256((SHIPPED / "model.onnx").read_bytes()).hexdigest() in card
    assert about["model_sha256"] in card and about["base_sha256"] in card
    assert f"{about['training_rows']:,} texts" in card


def test_a_fresh_machine_reads_with_it() -> None:
    assert not Settings().compact_model_dir.exists()
    assert load().emotions == EMOTIONS


@pytest.mark.parametrize(
    ("text", "sentiment", "emotion"),
    [
        ("thank you so much, this made my day, I am so happy", 2, "joy"),
        ("lol that is hilarious hahaha", 2, "amusement"),
        ("I am so sad, I miss him every day", 0, "sadness"),
        ("this is disgusting, eww", 0, "disgust"),
        ("I am terrified, this is so scary", 0, "fear"),
        ("shut the hell up, you make me furious", 0, "anger"),
        ("wow, I did not expect that at all!", None, "surprise"),
        ("the meeting is on tuesday at ten", 1, "neutral"),
    ],
)
def test_it_reads_plain_sentences_as_people_do(text: str, sentiment: int | None, emotion: str) -> None:
    scores = load().read([text])
    assert EMOTIONS[int(scores.emotions[0].argmax())] == emotion
    assert sentiment is None or int(scores.sentiment[0].argmax()) == sentiment


def test_a_text_is_read_alike_alone_and_among_others() -> None:
    # Activations were quantized by batch: read in one with others, a text had other scores, one in 40 another label.
    texts = ["great play", "what a long and winding road it was, my friend, " * 9, "no", "why would you do that?!"]
    texts += [" ".join(["so"] * (n % 40) + ["good", "bad", "odd"][: 1 + n % 3]) + f" {n}" for n in range(120)]
    together = load().read(texts)
    for place, text in enumerate(texts):
        alone = load().read([text])
        assert np.array_equal(alone.emotions[0], together.emotions[place])
        assert np.array_equal(alone.sentiment[0], together.sentiment[place])


def test_texts_that_differ_in_names_and_links_are_one_to_it_and_none_are_none() -> None:
    scores = load().read(["so good @a https://t.co/1", "so good @b https://t.co/2", "so bad @a https://t.co/1"])
    assert np.array_equal(scores.sentiment[0], scores.sentiment[1])
    assert not np.array_equal(scores.sentiment[0], scores.sentiment[2])
    assert load().read([]).emotions.shape == (0, 9)


def test_it_needs_no_torch() -> None:
    script = (
        "import sys; from klip_assets.signals.text.bert.compact import load; load().read(['a', 'b c']);"
        "print(sorted({'torch', 'transformers', 'sklearn'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.slow
def test_its_figures_on_the_dev_sets_are_those_of_its_card(shared_data: Path) -> None:

    measured = measured_set(read_sets(shared_data)).to_pylist()
    tweets = [row for row in measured if row["sentiment"] is not None]
    comments = [row for row in measured if row["emotions"] is not None]
    card = (SHIPPED / "MODEL_CARD.md").read_text("utf-8")
    recall = 100 * macro_recall(
        np.array([row["sentiment"] for row in tweets]), sentiment_of(load(), [row["text"] for row in tweets])
    )
    f1 = macro_f1(
        np.array([row["emotions"] for row in comments], bool), emotions_of(load(), [row["text"] for row in comments])
    )
    assert recall == pytest.approx(71.4, abs=0.5) and "71.4" in card
    assert f1 == pytest.approx(55.8, abs=0.5) and "55.8" in card
