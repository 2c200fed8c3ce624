"""What model cards say: languages, and how texts are written for a model."""

from __future__ import annotations

import pytest

from klip_assets.signals.text.bert.cards import languages_of, written_for

CARDIFF = "cardiffnlp/twitter-roberta-base-sentiment-latest"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("@bob look: https://t.co/x http://y.z ok", "@user look: http http ok"),
        ("mail me a@b.com @ home", "mail me a@b.com @ home"),
        ("no names here", "no names here"),
        ("", ""),
    ],
)
def test_mentions_and_links_are_written_as_the_cards_of_cardiffnlp_show(text: str, written: str) -> None:
    assert written_for(CARDIFF, text) == written
    assert written_for("/models/twitter-xlm-roberta-base-sentiment", text) == written


def test_other_models_get_the_text_as_it_is() -> None:
    assert written_for("SamLowe/roberta-base-go_emotions", "@bob https://t.co/x") == "@bob https://t.co/x"


def test_a_model_that_nobody_declared_is_taken_to_read_english() -> None:
    assert languages_of("someone/some-model") == languages_of(CARDIFF) == {"en"}
    assert {"en", "es", "ar"} <= languages_of("cardiffnlp/twitter-xlm-roberta-base-sentiment-multilingual")
