from __future__ import annotations

import pytest

from klip_assets.contracts import EMOTIONS
from klip_assets.errors import EngineUnavailableError
from klip_assets.signals.text.bert.labels import meaning_of
from klip_assets_tests.signals.text.bert.tiny import EKMAN

_GOEMOTIONS = (
    "admiration amusement anger annoyance approval caring confusion curiosity desire disappointment "
    "disapproval disgust embarrassment excitement fear gratitude grief joy love nervousness optimism pride "
    "realization relief remorse sadness surprise neutral"
)
GOEMOTIONS = _GOEMOTIONS.split()


def test_the_labels_of_well_known_models_have_a_meaning() -> None:
    latest = meaning_of("cardiffnlp/twitter-roberta-base-sentiment-latest", ["negative", "neutral", "positive"])
    assert latest.sentiment == {0: -1.0, 1: 0.0, 2: 1.0}
    first = meaning_of("cardiffnlp/twitter-roberta-base-sentiment", ["LABEL_0", "LABEL_1", "LABEL_2"])
    assert first.sentiment == latest.sentiment
    sst2 = meaning_of("distilbert/distilbert-base-uncased-finetuned-sst-2-english", ["NEGATIVE", "POSITIVE"])
    assert sst2.sentiment == {0: -1.0, 1: 1.0} and not sst2.emotions
    ekman = meaning_of("j-hartmann/emotion-english-distilroberta-base", EKMAN)
    assert set(EMOTIONS) - set(ekman.emotions) == {"excitement", "amusement"}
    assert not ekman.sentiment and ekman.emotions["joy"] == 3
    many = meaning_of("SamLowe/roberta-base-go_emotions", GOEMOTIONS)
    assert set(many.emotions) == set(EMOTIONS)
    assert all(GOEMOTIONS[place] == name for name, place in many.emotions.items())


@pytest.mark.parametrize(
    "labels",
    [
        ["LABEL_0", "LABEL_1", "LABEL_2"],
        ["toxic", "clean"],
        ["negative", "neutral"],
        ["positive", "positive"],
        ["joy", "anger"],
        [],
    ],
)
def test_labels_nobody_declared_are_an_error_that_names_them(labels: list[str]) -> None:
    with pytest.raises(EngineUnavailableError) as raised:
        meaning_of("somebody/else", labels)
    assert ", ".join(labels) in str(raised.value) and "somebody/else" in str(raised.value)
