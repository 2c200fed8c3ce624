"""Figures on public sets are those on record. A change of one is an edit of recorded.toml, with the reason."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from klip_assets.evaluation.adapters import adapted_sets
from klip_assets.evaluation.figures import binned_figures
from klip_assets.settings import Settings

RECORD = tomllib.loads(Path(__file__).with_name("recorded.toml").read_text("utf-8"))
FOLDERS = {
    "lol-worlds2025/vod_001": "hl-lol-worlds2025",
    "twitch-godtone/VoD_108244967_first_half": "hl-twitch-godtone",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_figures_are_those_on_record(shared_data: Path, name: str) -> None:
    settings = Settings()
    (golden,) = adapted_sets(shared_data / FOLDERS[name], chat_lag_s=settings.chat_lag_s)
    assert golden.name == name
    found: dict[str, dict[str, float]] = {}
    for figure in binned_figures(golden, settings.weights):
        found.setdefault(figure.metric, {})[figure.system] = round(figure.value, 4)
    record = RECORD["sets"][name]
    assert found.keys() == record.keys()
    for metric, systems in record.items():
        assert found[metric] == pytest.approx(systems, abs=2e-4), metric


def test_the_bars_that_were_set_are_met() -> None:
    loud, chatty = (RECORD["sets"][name] for name in sorted(FOLDERS))
    assert loud["average precision"]["klip"] >= 0.80 and loud["ROC AUC"]["klip"] >= 0.96
    assert chatty["average precision"]["klip"] >= 1.25 * 0.270 and chatty["precision at 14"]["klip"] >= 0.57
