from __future__ import annotations

import pyarrow as pa
import pytest

from klip_assets.chat.lexicon import emotes_of_words, is_bot_message, laughs
from klip_assets.chat.sentiment import vader_scores


@pytest.mark.parametrize(
    "text",
    [
        "lol", "LOOOOL", "lmao", "LMFAOOO", "haha", "AHAHAHA", "hehe", "xD", "XDDD", "KEKW", "LUL", "OMEGALUL", "kek",
        "that was so funny lol!", "ㅋㅋㅋ", "笑", "😂", "www", "草", "хахаха", "jajaja", "rofl", "streamerLUL", "lolol",
    ],
)  # fmt: skip
def test_laughter_is_known(text: str) -> None:
    assert laughs(pa.array([text])).to_pylist() == [True]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "lollipop",
        "ha",
        "www.example.com",
        "the",
        "hall of fame",
        "he",
        "exodus",
        "lullaby",
        "kekkai",
        "she",
    ],
)
def test_what_is_no_laughter_is_not(text: str) -> None:
    assert laughs(pa.array([text])).to_pylist() == [False]


def test_a_missing_text_does_not_laugh() -> None:
    assert laughs(pa.array([None], pa.string())).to_pylist() == [False]


def test_bots_and_commands_are_known_and_an_outcry_is_none() -> None:
    assert is_bot_message("hi", "Nightbot")
    assert is_bot_message("hi", None, "streamelements")
    assert is_bot_message("!drop", "ann")
    assert not is_bot_message("!!!", "ann")
    assert not is_bot_message("no way!", "ann", None)


def test_emotes_among_words_are_case_sensitive_and_in_order() -> None:
    assert emotes_of_words("PogU that clip KEKW kekw Kappa123 PogU") == ["PogU", "KEKW", "PogU"]


def test_sentiment_has_a_sign_and_blank_texts_have_none() -> None:
    good, bad, blank, missing, again = vader_scores(["I love this", "I hate this", "  ", None, "I love this"])
    assert good is not None
    assert bad is not None
    assert -1 <= bad < 0 < good <= 1
    assert blank is None
    assert missing is None
    assert again == good
