"""Tiers measured on labelled tweets."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from klip_assets.cli import main
from klip_assets.contracts import EVALUATIONS
from klip_assets.errors import InputError
from klip_assets.evaluation.adapters import tweet_sets
from klip_assets.evaluation.figures import Figure
from klip_assets.evaluation.sets import sets_of, tweet_sets_of
from klip_assets.evaluation.tweets import TweetSet, tiers_of, tweet_figures
from klip_assets.settings import Settings
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.reading import Reading
from klip_assets.store.lake.lake import Lake
from klip_assets_tests.signals.text.llm.fake_llm import FakeLlm, answers, serving

RECORD = tomllib.loads(Path(__file__).with_name("recorded.toml").read_text("utf-8"))["tweets"]
WITHOUT_VNNI = " without VNNI"


@dataclass
class Says:
    """A tier that says what it is told, by text."""

    name: str
    labels: dict[str, str]
    languages: frozenset[str] | None = None
    reader: str = "m"

    def read(self, items: Sequence[Item]) -> list[Reading]:
        return [
            Reading("ok", "0" * 64, self.name, model_label=self.labels[item.text])
            if item.text in self.labels
            else Reading("failed", "0" * 64, self.name, error="no luck")
            for item in items
        ]


def folder_with(tmp_path: Path, texts: Sequence[str], labels: Sequence[int]) -> Path:
    folder = tmp_path / "tweeteval" / "datasets" / "sentiment"
    folder.mkdir(parents=True)
    (folder / "mapping.txt").write_text("0\tnegative\n1\tneutral\n2\tpositive\n")
    (folder / "val_text.txt").write_text("".join(f"{text}\n" for text in texts))
    (folder / "val_labels.txt").write_text("".join(f"{label}\n" for label in labels))
    return tmp_path / "tweeteval"


def value(figures: Sequence[Figure], metric: str, system: str) -> float:
    (found,) = [figure.value for figure in figures if (figure.metric, figure.system) == (metric, system)]
    return found


def test_macro_recall_is_the_mean_of_the_recalls_and_what_was_not_read_is_missed() -> None:
    golden = TweetSet("s", ("a", "b", "c", "d"), np.array([0, 1, 2, 2]))
    first = Says("llm", {"a": "negative", "b": "positive", "c": "positive"}, reader="x")
    figures = tweet_figures(golden, [first, Says("bert", {})])
    assert value(figures, "macro-recall", "llm: x") == pytest.approx((1 + 0 + 0.5) / 3)
    assert value(figures, "share read", "llm: x") == 0.75
    assert value(figures, "macro-recall", "bert: m") == 0
    assert value(figures, "macro-recall", "llm: x - bert: m") == pytest.approx(0.5)
    assert [figure.n for figure in figures if figure.metric == "recall of positive"] == [2, 2]


def test_a_set_is_found_below_a_folder_and_read_as_its_tweets_were_written(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, ["so good", '"it\\u2019s ""fine"""'], [2, 1])
    (golden,) = tweet_sets(folder)
    assert (golden.name, golden.texts) == ("tweeteval-sentiment-val", ("so good", 'it’s "fine"'))
    assert golden.labels.tolist() == [2, 1]
    assert len(list(sets_of([str(folder)], Settings()))) == 1


@pytest.mark.parametrize("labels", [[2], [2, 3], [2, -1]])
def test_a_set_whose_labels_do_not_fit_is_named(tmp_path: Path, labels: list[int]) -> None:
    with pytest.raises(InputError, match=r"val_text\.txt"):
        list(tweet_sets(folder_with(tmp_path, ["a", "b"], labels)))


def test_where_there_is_no_set_the_error_says_what_to_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="klip eval tweets FOLDER"):
        tweet_sets_of([], Settings())
    with pytest.raises(InputError, match="no labelled tweets in"):
        tweet_sets_of([str(tmp_path)], Settings())


def test_the_command_prints_and_keeps_the_figures_without_a_weight_set(settings: Settings, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, ["I love this run so much", "I hate this so much", "a table"], [2, 0, 1])
    shown = CliRunner().invoke(main, ["eval", "tweets", str(folder)])
    assert shown.exit_code == 0, shown.output
    assert "macro-recall" in shown.output and "bert: klip-compact-" in shown.output and "textblob-" in shown.output
    rows = json.loads(CliRunner().invoke(main, ["eval", "tweets", str(folder), "--json"]).stdout)
    assert {row["weights_version"] for row in rows} == {None}
    lake = Lake(settings.lake_dir)
    assert sum(lake.read(EVALUATIONS, key).num_rows for key in lake.keys(EVALUATIONS)) == 2 * len(rows)


def test_the_folder_with_golden_sets_is_looked_into_if_none_is_named(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLIP_GOLDEN_DIR", str(folder_with(tmp_path, ["so good", "so bad"], [2, 0])))
    assert CliRunner().invoke(main, ["eval", "tweets"]).exit_code == 0


def test_a_language_model_is_asked_only_by_the_command_for_tweets(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_with(tmp_path, ["so good", "so bad"], [2, 0])
    with serving(FakeLlm(reply=lambda _: answers(sentiment=0.9))) as llm:
        monkeypatch.setenv("KLIP_LLM_BASE_URL", llm.base_url)
        monkeypatch.setenv("KLIP_LLM_MODELS", "first")
        assert CliRunner().invoke(main, ["eval", str(folder)]).exit_code == 0
        assert llm.asked == []
        rows = json.loads(CliRunner().invoke(main, ["eval", "tweets", str(folder), "--json"]).stdout)
        assert len(llm.asked) == 2
    found = {row["system"]: row["value"] for row in rows if row["metric"] == "macro-recall"}
    assert found["llm: first"] == 0.5


@pytest.mark.slow
def test_figures_on_tweeteval_are_those_on_record(shared_data: Path) -> None:
    (golden,) = tweet_sets(shared_data / "tw-tweeteval")
    figures = tweet_figures(golden, tiers_of(Settings(), with_llm=False))
    short = {name: key for name in {f.system for f in figures} for key in RECORD[golden.name] if _short(name) == key}
    found: dict[str, dict[str, float]] = {}
    for figure in figures:
        found.setdefault(short[figure.system], {})[figure.metric] = round(figure.value, 4)
    records = {system: record for system, record in RECORD[golden.name].items() if not system.endswith(WITHOUT_VNNI)}
    for system, record in records.items():
        here = record if has_vnni() else RECORD[golden.name].get(system + WITHOUT_VNNI, record)
        assert found[system] == pytest.approx(here, abs=2e-3), system


def has_vnni() -> bool:
    """Return whether the processor has VNNI; without, onnxruntime has other int8 kernels, so recalls differ by .005."""
    return "vnni" in Path("/proc/cpuinfo").read_text()


def _short(system: str) -> str:
    """Return the name of a system without versions."""
    parts = (part.rpartition(": ")[2] for part in system.split(" - "))
    return " - ".join(part.rpartition("-")[0] for part in parts)
