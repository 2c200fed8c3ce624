"""Golden sets: read with their truth, or refused with the file's name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from klip_assets.errors import InputError, NotFoundError
from klip_assets.evaluation.golden import read_golden_set
from klip_assets.evaluation.processed import measure, sample_dir
from klip_assets.store.lake.lake import Lake

TRUTH: dict[str, Any] = {
    "name": "talk",
    "duration_s": 60,
    "planted": [{"peak_s": 10}, {"peak_s": 40.5}],
    "decoy": {"start_s": 20, "end_s": 25},
}


def folder_with(tmp_path: Path, truth: object, recording: str = "talk.mp4") -> Path:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / recording).write_bytes(b"x")
    text = truth if isinstance(truth, str) else json.dumps(truth)
    (tmp_path / "set" / "truth.json").write_text(text)
    return tmp_path / "set"


def test_a_set_is_read_with_its_truth(tmp_path: Path) -> None:
    golden = read_golden_set(folder_with(tmp_path, TRUTH))
    assert (golden.name, golden.duration_s, golden.moments, golden.decoy) == ("talk", 60.0, (10.0, 40.5), (20.0, 25.0))
    assert golden.recording.path.name == "talk.mp4"


def test_a_set_needs_no_decoy(tmp_path: Path) -> None:
    assert read_golden_set(folder_with(tmp_path, {**TRUTH, "decoy": None})).decoy is None


@pytest.mark.parametrize(
    "truth",
    [
        "",
        "{",
        "[]",
        "7",
        {},
        {**TRUTH, "planted": [{"start_s": 1}]},
        {**TRUTH, "planted": None},
        {**TRUTH, "duration_s": "long"},
        {**TRUTH, "decoy": {"start_s": 1}},
        {**TRUTH, "decoy": [1, 2]},
    ],
)
def test_a_broken_truth_is_an_error_that_names_the_file(tmp_path: Path, truth: object) -> None:
    with pytest.raises(InputError, match=r"truth\.json"):
        read_golden_set(folder_with(tmp_path, truth))


def test_a_folder_without_a_truth_is_not_a_golden_set(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"truth\.json"):
        read_golden_set(tmp_path)


def test_a_set_without_its_recording_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="talk"):
        read_golden_set(folder_with(tmp_path, TRUTH, recording="other.mp4"))


def test_the_sample_is_a_golden_set_with_moments_inside_it() -> None:
    golden = read_golden_set(sample_dir())
    assert golden.moments and all(0 < moment < golden.duration_s for moment in golden.moments)


def test_a_set_that_was_not_processed_can_not_be_measured(tmp_path: Path, lake: Lake) -> None:
    with pytest.raises(NotFoundError, match="talk"):
        measure(read_golden_set(folder_with(tmp_path, TRUTH)), lake)
