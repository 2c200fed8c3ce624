"""Sets of one signal: bins, baselines, figures, and sets in Klip's own form and in others'."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from klip_assets.contracts import EVALUATIONS
from klip_assets.errors import InputError
from klip_assets.evaluation.adapters import adapted_sets
from klip_assets.evaluation.binned import BinnedSet, bins_of
from klip_assets.evaluation.figures import binned_figures
from klip_assets.evaluation.golden import read_set
from klip_assets.evaluation.sets import sets_of
from klip_assets.evaluation.systems import KLIP, LOUDNESS, MESSAGES, RANDOM, system_scores
from klip_assets.evaluation.tables import evaluation_rows
from klip_assets.settings import Settings
from klip_assets.store.lake.validate import conform

MOMENTS = [(300.0, 330.0), (905.0, 915.0), (1500.0, 1560.0)]
DURATION_S = 1800


def heat() -> np.ndarray:
    t = np.arange(DURATION_S)
    return sum((((t >= start) & (t <= end)).astype(float) for start, end in MOMENTS), np.zeros(DURATION_S))


def loud_set(folder: Path) -> Path:
    level = -30 + np.random.default_rng(1).standard_normal(DURATION_S) + 9 * heat()
    folder.mkdir()
    lines = ["t_s,loudness", *(f"{second},{value:.3f}" for second, value in enumerate(level))]
    (folder / "loudness.csv").write_text("\n".join(lines))
    truth = {"name": "loud", "duration_s": DURATION_S, "highlights": MOMENTS, "loudness": "loudness.csv"}
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


def chat_set(folder: Path, lag_s: int = 12) -> Path:
    rng = np.random.default_rng(2)
    rate = rng.poisson(0.4 + 4 * np.concatenate([np.zeros(lag_s), heat()])[:DURATION_S])
    folder.mkdir()
    lines = [
        json.dumps({"offset_s": second, "author": f"a{rng.integers(50)}", "text": "wow"})
        for second, count in enumerate(rate)
        for _ in range(count)
    ]
    (folder / "talk.jsonl").write_text("\n".join(lines))
    truth = {
        "name": "chatty",
        "duration_s": DURATION_S,
        "highlights": MOMENTS,
        "chat": "talk.jsonl",
        "chat_lag_s": lag_s,
    }
    (folder / "truth.json").write_text(json.dumps(truth))
    return folder


def test_a_bin_is_a_highlight_if_a_range_touches_it() -> None:
    assert bins_of([(10, 10), (29, 31)], 45, 10).tolist() == [False, True, True, True, False]


@pytest.mark.parametrize(("make", "baseline"), [(loud_set, LOUDNESS), (chat_set, MESSAGES)])
def test_marked_highlights_are_ranked_first_and_the_baseline_stands_beside(
    tmp_path: Path, make: object, baseline: str
) -> None:
    golden = read_set(make(tmp_path / "set"), chat_lag_s=5)  # type: ignore[operator]
    assert isinstance(golden, BinnedSet) and golden.moments == 3
    assert golden.labels.sum() == sum(bins_of(MOMENTS, DURATION_S, 10))
    figures = {(figure.metric, figure.system): figure for figure in binned_figures(golden, "klip-2")}
    assert figures["average precision", KLIP].value > 0.9
    assert figures["precision at 3", KLIP].value == 1.0
    assert figures["average precision", baseline].value > figures["average precision", RANDOM].value
    for figure in figures.values():
        assert figure.low is not None and figure.high is not None and figure.low <= figure.high
    difference = figures["ROC AUC", f"{KLIP} - {baseline}"]
    assert difference.value == pytest.approx(figures["ROC AUC", KLIP].value - figures["ROC AUC", baseline].value)
    rows = conform(EVALUATIONS, evaluation_rows("run", {golden.name: list(figures.values())}, "klip-2"))
    assert rows.num_rows == len(figures)


def test_figures_are_the_same_in_every_run(tmp_path: Path) -> None:
    golden = read_set(loud_set(tmp_path / "set"), chat_lag_s=5)
    assert isinstance(golden, BinnedSet)
    assert binned_figures(golden, "klip-2") == binned_figures(golden, "klip-2")


def test_bins_that_nobody_judged_are_in_no_figure(tmp_path: Path) -> None:
    golden = read_set(loud_set(tmp_path / "set"), chat_lag_s=5)
    assert isinstance(golden, BinnedSet)
    judged = golden.judged.copy()
    judged[:20] = False
    some = BinnedSet(**{**vars(golden), "judged": judged})
    assert {figure.n for figure in binned_figures(some, "klip-2")} == {len(judged) - 20}
    assert len(system_scores(some, "klip-2")[KLIP]) == len(judged)


@pytest.mark.parametrize(
    "change",
    [
        {"highlights": []},
        {"highlights": [[5]]},
        {"highlights": [[20, 10]]},
        {"highlights": [[0, 99_999]]},
        {"loudness": None},
        {"loudness": "absent.csv"},
        {"duration_s": "long"},
        {"bin_s": 0},
        {"name": None, "loudness": "truth.json"},
    ],
)
def test_a_broken_truth_is_an_error_that_names_the_file(tmp_path: Path, change: dict[str, object]) -> None:
    folder = loud_set(tmp_path / "set")
    truth = {**json.loads((folder / "truth.json").read_text()), **change}
    (folder / "truth.json").write_text(json.dumps({key: value for key, value in truth.items() if value is not None}))
    with pytest.raises(InputError, match=r"truth\.json"):
        read_set(folder, chat_lag_s=5)


def test_sets_are_found_below_a_folder_in_a_fixed_order(tmp_path: Path) -> None:
    chat_set(tmp_path / "b")
    loud_set(tmp_path / "a")
    assert [golden.name for golden in sets_of([str(tmp_path)], Settings())] == ["loud", "chatty"]


def test_a_place_without_a_set_is_refused_by_name(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "absent"):
        with pytest.raises(InputError, match=place.name):
            list(sets_of([str(place)], Settings()))


def test_labels_of_5_s_are_read_however_they_are_spelled_and_blanks_are_not_judged(tmp_path: Path) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "features").mkdir()
    labels = ["Highlight", " highlight", "Near-Highlight", "Non-Highlight", "", "NON HIGHLIGHT"]
    rows = [f"vod_009,{5 * i},{5 * i + 5},{label}" for i, label in enumerate(labels)]
    (tmp_path / "annotations" / "annotations.csv").write_text("\n".join(["vod_id,start_sec,end_sec,label", *rows]))
    starts = np.arange(0, 30, 5, dtype=np.float32)
    features = np.random.default_rng(0).standard_normal((6, 128)).astype(np.float32)
    np.savez(tmp_path / "features" / "vod_009.npz", start_sec=starts, end_sec=starts + 5, X_audio=features)
    (golden,) = adapted_sets(tmp_path, chat_lag_s=10)
    assert golden.labels.tolist() == [True, True, False, False, False, False]
    assert golden.judged.tolist() == [True, True, True, True, False, True]
    assert golden.moments == 1 and golden.duration_s == 30 and golden.bin_s == 5
    assert golden.loudness is not None
    assert golden.loudness[7] == pytest.approx(features[1, :64].mean(), abs=1e-6)


def test_a_chat_with_marked_ranges_in_unix_time_is_read(tmp_path: Path) -> None:
    began = 1_482_000_000
    lines = [f"{began + second} viewer{second % 7}: hi : there {second}" for second in range(0, 600, 3)]
    (tmp_path / "VoD_1_part.txt").write_text("\n".join([*lines, "a line that is none"]))
    (tmp_path / "highlights_part.txt").write_text(f"{began + 100} {began + 119}\n{began + 400} {began + 401}\n")
    (golden,) = adapted_sets(tmp_path, chat_lag_s=7)
    assert golden.chat is not None and golden.chat.num_rows == 200
    assert golden.chat["text"][1].as_py() == "hi : there 3"
    assert np.flatnonzero(golden.labels).tolist() == [10, 11, 40] and golden.moments == 2
    assert golden.chat_lag_s == 7
    (tmp_path / "highlights_part.txt").write_text(f"{began + 100} {began + 119}\n{began + 4000} {began + 4001}\n")
    with pytest.raises(InputError, match="highlights_part"):
        list(adapted_sets(tmp_path, chat_lag_s=7))
