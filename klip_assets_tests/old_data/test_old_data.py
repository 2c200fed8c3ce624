"""A data folder of an earlier Klip goes on working: `88ecca5.tar.gz`, as `make.py` made it with that commit."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import av
import duckdb
import pytest
from click.testing import CliRunner, Result

from klip_assets.cli import main
from klip_assets.contracts import PUBLISHED_TABLES, TABLES
from klip_assets.settings import Settings
from klip_assets_tests.old_data.make import LLM_MODEL, LLM_URL
from klip_assets_tests.processed import due, point_at, process, query
from klip_assets_tests.programs import load

ARCHIVE = Path(__file__).with_name("88ecca5.tar.gz")

#: Views name the folder that their file was published in; it is gone.
VIEWS = frozenset(name for name in PUBLISHED_TABLES if TABLES[name].published_as == "view")


def klip(*words: str | Path) -> Result:
    done = CliRunner().invoke(main, [str(word) for word in words], prog_name="klip")
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def processed_again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, processed once by the Klip of today; beside it `then.duckdb`, as it was published."""
    base = tmp_path_factory.mktemp("old")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(base, filter="tar")
    shutil.copy((base / "data" / "warehouse" / "klip.duckdb").resolve(), base / "then.duckdb")
    with pytest.MonkeyPatch.context() as environment:
        point_at(base, environment)
        report = process(Settings())
        assert report.rows == [{"what": "warehouse", "outcome": "done", "problem": None}]
    return base


@pytest.fixture
def old(processed_again: Path, isolated: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The installation on it. Tests share it: none may change what another reads."""
    point_at(processed_again, monkeypatch)
    yield Settings()


def test_everything_it_published_is_published_again_and_nothing_is_due(old: Settings, processed_again: Path) -> None:
    compare = load("scripts/compare_warehouses.py").compare
    found, _ = compare(processed_again / "then.duckdb", old.warehouse_path.resolve(), skip=VIEWS)
    assert len(found) == len(PUBLISHED_TABLES) - len(VIEWS)
    assert [entry for entry in found if not entry.same] == []
    assert query(old, "SELECT count(*) AS n FROM transcript_words") == [{"n": 17}]
    assert query(old, "SELECT count(*) AS n FROM audio_features") == [{"n": 71}]
    assert due(old) is None
    assert process(old).rows == []


def test_its_highlights_are_evaluated(old: Settings, tmp_path: Path) -> None:
    shutil.copy(old.vod_inbox / "race.mp4", tmp_path)
    truth = {"name": "race", "duration_s": 70, "planted": [{"start_s": 40.0, "end_s": 44.0, "peak_s": 42.0}]}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    figures = json.loads(klip("eval", tmp_path, "--json").stdout)
    assert {row["value"] for row in figures if row["system"] == "klip" and row["metric"].startswith("moments")} == {1.0}


def test_its_highlights_are_cut_out_and_listed(old: Settings, tmp_path: Path) -> None:
    (row,) = query(old, "SELECT start_s, end_s FROM highlights")
    (made,) = json.loads(klip("clip", "race", "1", "--output", tmp_path, "--exact", "--json").stdout)
    assert made["length_s"] == pytest.approx(row["end_s"] - row["start_s"], abs=0.3)
    with av.open(made["clip"]) as opened:
        assert opened.streams.video and opened.streams.audio
    assert "AX" in klip("highlights", "race", "--export", "edl").stdout


def test_its_warehouse_is_exported(old: Settings, tmp_path: Path) -> None:
    klip("export", tmp_path / "all.duckdb")
    with duckdb.connect(str(tmp_path / "all.duckdb"), read_only=True) as exported:
        for name in PUBLISHED_TABLES:
            (rows,) = exported.execute(f"SELECT count(*) FROM {name}").fetchone() or (0,)
            assert [{"n": rows}] == query(old, f"SELECT count(*) AS n FROM {name}"), name


def test_a_verdict_keeps_its_moment(old: Settings) -> None:
    rows = query(
        old,
        "SELECT verdict, rank FROM feedback f JOIN highlights h ON h.video_id = f.video_id "
        "AND h.start_s < f.end_s AND f.start_s < h.end_s",
    )
    assert rows == [{"verdict": "good", "rank": 1}]


def test_a_reply_that_was_paid_for_is_not_asked_for_again(
    old: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = json.loads(klip("cache", "stats", "--json").stdout)
    assert [(row["model"], row["endpoint"]) for row in kept] == [(LLM_MODEL, LLM_URL)]
    shutil.copytree(old.data_dir.parent, tmp_path / "own", symlinks=True)
    point_at(tmp_path / "own", monkeypatch)
    monkeypatch.setenv("KLIP_LLM_BASE_URL", LLM_URL)
    monkeypatch.setenv("KLIP_LLM_MODELS", LLM_MODEL)
    mine = Settings()
    before = query(old, "SELECT * FROM segment_sentiment ORDER BY ALL")
    assert process(mine, videos=["race"], force=True).ok
    assert query(mine, "SELECT * FROM segment_sentiment ORDER BY ALL") == before
    calls = query(mine, "SELECT cached, status, count(*) AS n FROM llm_calls GROUP BY ALL ORDER BY cached")
    assert [(row["cached"], row["status"]) for row in calls] == [(False, "ok"), (True, "ok")]
    assert calls[0]["n"] == calls[1]["n"] == len(before)
