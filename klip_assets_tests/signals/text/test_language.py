"""The language of a tweet: what the source says, else what its letters show, and no guess where neither tells."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from klip_assets.signals.text.language import detect, language_of, language_of_code


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("en", "en"), ("EN", "en"), ("en-GB", "en"), ("pt_BR", "pt"), ("zh-Hans-CN", "zh"), (" ja ", "ja"),
        ("in", "id"), ("iw", "he"), ("ckb", "ckb"),
        ("und", None), ("zxx", None), ("qme", None), ("qht", None), ("qst", None), ("qam", None), ("art", None),
        ("", None), (None, None), ("English", None), ("12", None), ("e", None),
    ],
)  # fmt: skip
def test_a_code_names_a_language_or_none(code: str | None, language: str | None) -> None:
    assert language_of_code(code) == language


def test_what_the_source_says_goes_before_what_the_letters_show() -> None:
    text = "Das war ja mal ein richtig guter Stream heute"
    assert language_of(text, "nl") == "nl"
    assert language_of(text, "und") == language_of(text, None) == "de"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("what a brilliant run tonight, thank you all", "en"),
        ("¡Qué jugada más increíble, no lo puedo creer!", "es"),
        ("c'est incroyable ce qu'il vient de faire", "fr"),
        ("Das war ja mal ein richtig guter Stream heute", "de"),
        ("今日の配信すごく面白かった", "ja"),
        ("草", "ja"),
        ("すごい", "ja"),
        ("这个游戏太好玩了", "zh"),
        ("ㅋㅋㅋㅋ", "ko"),
        ("https://t.co/hello @thank_you_all すごい", "ja"),
    ],
)
def test_the_letters_show_the_language(text: str, language: str) -> None:
    # Of one Chinese sign nobody knows whether it is Chinese or Japanese.
    assert detect(text) in ({language, "zh"} if text == "草" else {language})


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "gg", "LUL", "so good!!!", "omg no way", "😂😂😂", "12345", "lol lol lol lol lol lol lol lol lol",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "https://t.co/abcdefghijklmnopqrstuv @somebody_with_a_name", "#gg",
    ],
)  # fmt: skip
def test_of_a_text_too_short_to_tell_nothing_is_said(text: str) -> None:
    assert detect(text) is None


def test_english_tweets_are_hardly_ever_taken_for_another_language(shared_data: Path) -> None:
    with (shared_data / "tw-airline" / "Tweets.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][:1000]
    lost = [text for text in texts if detect(text) not in ("en", None)]
    assert len(lost) <= 1, lost
