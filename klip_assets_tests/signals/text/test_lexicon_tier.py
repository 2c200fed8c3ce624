"""The lexicon tier: signs that make sense, and rows that say when there is nothing to read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.signals.text.lexicon import model_name, read_texts
from klip_assets.signals.text.reading import Reading

BOTH = pytest.mark.parametrize("lexicon", ["vader", "textblob"])


@BOTH
@pytest.mark.parametrize(
    "text", ["I love this, it is wonderful!", "What a great and happy day", "best stream, awesome"]
)
def test_praise_is_positive(lexicon: str, text: str) -> None:
    reading = read_texts([text], lexicon)[0]
    assert reading.status == "ok" and reading.sentiment is not None and reading.sentiment > 0.2
    assert reading.label == "positive"


@BOTH
@pytest.mark.parametrize(
    "text", ["I hate this, it is horrible", "the worst and most disgusting game", "terrible, awful"]
)
def test_scorn_is_negative(lexicon: str, text: str) -> None:
    reading = read_texts([text], lexicon)[0]
    assert reading.sentiment is not None and reading.sentiment < -0.2 and reading.label == "negative"


@BOTH
def test_a_plain_statement_is_neutral(lexicon: str) -> None:
    assert read_texts(["the table has four legs"], lexicon)[0].label == "neutral"


@BOTH
@pytest.mark.parametrize("text", ["", "   ", "12345 67", "!!! ???", "\n\t", "..."])
def test_a_text_without_words_is_skipped_not_called_neutral(lexicon: str, text: str) -> None:
    reading = read_texts([text], lexicon)[0]
    assert (reading.status, reading.sentiment, reading.label) == ("skipped", None, None)
    assert reading.error and reading.input_sha256


def test_emoji_are_read_by_the_lexicon_that_knows_them_and_skipped_by_the_other() -> None:
    assert read_texts(["😍😍"], "vader")[0].label == "positive"
    assert read_texts(["😍😍"], "textblob")[0].status == "skipped"


@BOTH
def test_readings_come_in_the_order_of_the_texts_and_say_who_read(lexicon: str) -> None:
    readings = read_texts(["good", "", "bad"], lexicon)
    assert [reading.status for reading in readings] == ["ok", "skipped", "ok"]
    assert readings[0].tier == "lexicon" and readings[0].model == model_name(lexicon)
    assert len({reading.input_sha256 for reading in readings}) == 3
    assert all(reading.emotions == {} for reading in readings)


class Breaking(str):
    """A text on which a library fails."""

    def __iter__(self):  # type: ignore[no-untyped-def]
        for place, character in enumerate(str(self)):
            if place:
                raise RuntimeError("no more of this text")
            yield character


@pytest.mark.parametrize("text", [Breaking("good grief")])
def test_a_library_that_fails_on_a_text_makes_a_failed_row_and_the_rest_is_read_k4(text: str) -> None:
    readings = read_texts(["good", text, "bad"], "vader")
    assert [reading.status for reading in readings] == ["ok", "failed", "ok"]
    assert readings[1].sentiment is None and readings[1].label is None
    assert readings[1].error == "RuntimeError: no more of this text"


@BOTH
@given(text=st.text(max_size=80))
def test_every_text_gets_a_sound_reading(lexicon: str, text: str) -> None:
    reading = read_texts([text], lexicon)[0]
    assert reading.status in ("ok", "skipped", "failed")
    assert (reading.sentiment is None) == (reading.status != "ok")
    assert reading.sentiment is None or (math.isfinite(reading.sentiment) and -1 <= reading.sentiment <= 1)
    assert (reading.error is None) == (reading.status == "ok")


@BOTH
def test_reading_is_deterministic_k1(lexicon: str) -> None:
    texts = ["what a great play", "this is so bad", "hm"] * 5
    assert read_texts(texts, lexicon) == read_texts(texts, lexicon)


@pytest.mark.parametrize(
    ("sentiment", "label"), [(0.05, "positive"), (0.049, "neutral"), (-0.05, "negative"), (0.0, "neutral")]
)
def test_labels_follow_vaders_published_bounds(sentiment: float, label: str) -> None:
    assert Reading("ok", "x", sentiment=sentiment).label == label


def test_a_text_of_countless_emoji_ends() -> None:
    (reading,) = read_texts(["so good " + "\U0001f600" * 25_000])
    assert reading.status == "ok" and reading.sentiment is not None and reading.sentiment > 0


@BOTH
def test_links_and_mentions_are_no_words(lexicon: str) -> None:
    plain, named, linked, alone = read_texts(
        ["the table", "the table @love_great_best", "the table https://love.com/great/best", "@happy www.love.com"],
        lexicon,
    )
    assert plain.sentiment == named.sentiment == linked.sentiment == 0
    assert (alone.status, alone.error) == ("skipped", "no words to read")


def test_a_mention_that_is_a_word_of_praise_is_a_name() -> None:
    # VADER takes punctuation off both ends of a word, "@" included.
    (reading,) = read_texts(["@great you lost my bag"])
    assert reading.label == "negative"
