"""A data folder may have any name."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from klip_assets.cli import main
from klip_assets.settings import Settings
from klip_assets_tests.processed import drop_stream, drop_tweets, point_at

pytestmark = pytest.mark.slow

NAMES = ["50% off?#x [bold] a=b", "it's * day=2020-01-01 %41 {a,b} 世界"]


def klip(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words], prog_name="klip")


@pytest.mark.parametrize("name", NAMES)
def test_every_command_works_in_a_folder_of_any_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / name
    base.mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    point_at(base, monkeypatch)
    settings = Settings()
    settings.make_folders()
    drop_stream(settings, seconds=20)
    drop_tweets(settings)
    done = json.loads(klip("process", "--json").stdout)
    assert {row["outcome"] for row in done} == {"done"} and len(done) == 4, done
    # The second version is made from the first.
    drop_stream(settings, "second", 20, seed=1)
    done = json.loads(klip("process", "--json").stdout)
    assert [row["outcome"] for row in done] == ["done", "done"], done
    assert {row["video_id"] for row in json.loads(klip("videos", "--json").stdout)} == {"stream", "second"}
    words = "SELECT count(*) AS n, count(DISTINCT video_id) AS videos FROM transcript_words"
    (row,) = json.loads(klip("sql", "--json", words).stdout)
    assert row["n"] > 10 and row["videos"] == 2, "through a view on Parquet files"
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        assert connection.execute(words).fetchone() == (row["n"], 2)
    assert klip("export", base / "all.duckdb").exit_code == 0
    with duckdb.connect(str(base / "all.duckdb"), read_only=True) as connection:
        assert connection.execute(words).fetchone() == (row["n"], 2)
    assert klip("clip", "stream", "--all", "--output", base / "clips").exit_code in (0, 1)
    assert klip("remove", "second").exit_code == 0
    assert klip("prune", "--older-than", "0").exit_code == 0
    assert {path.name for path in base.iterdir()} <= {
        "data",
        "dagster.yaml",
        "all.duckdb",
        "clips",
        "logs",
        ".logs_queue",
    }
    assert {path.name for path in tmp_path.iterdir()} <= {name, "home"}, "nothing is written beside it"
    assert len(list((base / "data" / ".dagster" / "history" / "runs").glob("*.db"))) >= 1
