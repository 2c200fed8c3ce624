from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from klip_assets.settings import Settings
from klip_assets_tests.made import REPOSITORY


def open_as_dagster_does(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open the instance by DAGSTER_HOME alone, without what `klip` sets."""
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs_count() == 0


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("KLIP_DAGSTER_STORAGE")
    monkeypatch.setenv("KLIP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "dagster.yaml").write_bytes((REPOSITORY / "dagster.yaml").read_bytes())
    return tmp_path / "home"


def test_dagster_finds_the_data_folder_by_itself_and_makes_a_new_one_ready(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_as_dagster_does(home, monkeypatch)
    settings = Settings()
    assert list(settings.dagster_storage_dir.rglob("runs.db")) and settings.dagster_storage_dir.name == ".dagster"
    assert settings.vod_inbox.is_dir() and settings.tweet_inbox.is_dir()


def test_an_inbox_that_is_gone_is_not_made_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_as_dagster_does(home, monkeypatch)
    Settings().vod_inbox.rmdir()
    open_as_dagster_does(home, monkeypatch)
    assert not Settings().vod_inbox.exists()


def test_the_place_of_dagsters_state_is_a_setting_also_in_a_file(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KLIP_ENV_FILE")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".env").write_text(f"KLIP_DAGSTER_STORAGE={tmp_path / 'elsewhere'}\n")
    open_as_dagster_does(home, monkeypatch)
    assert list((tmp_path / "elsewhere").rglob("runs.db"))
    assert not (tmp_path / "data" / ".dagster").exists()
