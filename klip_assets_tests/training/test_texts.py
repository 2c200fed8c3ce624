"""Nothing is learnt from that something is measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from klip_assets.contracts import EMOTIONS
from klip_assets.errors import NotFoundError
from klip_assets.training.texts import HELD_OUT, MEASURED, measured_set, normal_form, read_sets, training_set
from klip_assets_tests.training.sets import write_sets


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_sets(tmp_path)


def add(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")


def tweets(data: Path, name: str = "twitter-2016train-A.tsv") -> Path:
    return data / "tw-semeval2017" / "dataset" / "Subtask_A" / "downloaded" / name


def test_the_sets_are_read_with_their_labels(data: Path) -> None:
    add(data / "txt-goemotions/data/original/train.tsv", "both of them\t1,17\tx")
    add(data / "txt-goemotions/data/original/train.tsv", "none of the nine\t0\tx")
    add(tweets(data), "7\tneutral\tit\\u2019s a quote\\u002c too")
    sets = read_sets(data)
    both, none = sets["goemotions-train"][-2:]
    assert both.emotions is not None and none.emotions is not None
    assert [name for name, marked in zip(EMOTIONS, both.emotions, strict=True) if marked] == ["amusement", "joy"]
    assert not any(none.emotions), "rows with none of the nine are kept, all of them absent"
    assert (sets["semeval-train"][-1].text, sets["semeval-train"][-1].sentiment) == ("it’s a quote, too", 1)
    assert {text.sentiment for text in sets["tweeteval-sentiment-val"]} == {0, 1, 2}


@pytest.mark.parametrize(
    "path",
    [
        "tw-tweeteval/datasets/sentiment/val_text.txt",
        "tw-tweeteval/datasets/emotion/val_text.txt",
    ],
)
def test_a_text_that_resembles_one_that_is_measured_on_is_not_learnt_from(path: str, data: Path) -> None:
    first = (data / path).read_text().splitlines()[0]
    add(tweets(data), f"9\tpositive\t@Someone {first.upper()}!!! https://t.co/abc")
    rows = training_set(read_sets(data))
    assert normal_form(first) not in {normal_form(text) for text in rows["text"].to_pylist()}


def test_no_text_is_learnt_from_twice_and_none_that_people_disagree_on(data: Path) -> None:
    add(tweets(data), "1\tpositive\tonly once please")
    add(tweets(data), "2\tpositive\tOnly once, please.")
    add(tweets(data), "3\tpositive\tpeople disagree here")
    add(tweets(data), "4\tnegative\tpeople disagree here!")
    texts = training_set(read_sets(data))["text"].to_pylist()
    assert sum("nly once" in text for text in texts) == 1
    assert not any("disagree" in text for text in texts)


@pytest.mark.slow
def test_the_real_sets_do_not_overlap(shared_data: Path) -> None:
    sets = read_sets(shared_data)
    rows = training_set(sets)
    assert rows.num_rows > 80_000
    learnt = {normal_form(text) for text in rows["text"].to_pylist()}
    assert len(learnt) == rows.num_rows
    for name in (*MEASURED, *HELD_OUT):
        assert not learnt & {normal_form(text.text) for text in sets[name]}, name
        plainly = {" ".join(text.text.lower().split()) for text in sets[name]}
        assert not plainly & {" ".join(text.lower().split()) for text in rows["text"].to_pylist()}, name
    assert measured_set(sets).num_rows == 7426


def test_a_set_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="GoEmotions"):
        read_sets(tmp_path)
