"""Dagster's state in PostgreSQL, as deploy/postgres has it. What the daemon does there: test_daemon."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from klip_assets.defs.instance import dagster_environment
from klip_assets.defs.partitions import VIDEOS
from klip_assets.settings import Settings
from klip_assets_tests.made import tweet, tweet_id_at

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_two_configurations_differ_in_the_storage_alone() -> None:
    ours, theirs = (
        yaml.safe_load((REPOSITORY / folder / "dagster.yaml").read_text()) for folder in (".", "deploy/postgres")
    )
    assert ours.pop("storage")["custom"]["class"] == "DataFolderSqliteStorage"
    assert theirs.pop("storage") == {"postgres": {"postgres_url": {"env": "KLIP_POSTGRES_URL"}}}
    assert ours == theirs


def test_the_folder_may_be_named_from_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setenv("DAGSTER_HOME", "deploy/postgres")
    assert dagster_environment(Settings())["DAGSTER_HOME"] == str(REPOSITORY / "deploy" / "postgres")


@pytest.mark.slow
def test_the_command_line_keeps_its_runs_in_postgres_and_everything_else_in_the_data_folder(
    make_service: Callable[..., Any], postgres: Callable[[str], str], sound: Callable[..., Path]
) -> None:
    service = make_service("command_line", deploy="deploy/postgres", KLIP_POSTGRES_URL=postgres("command_line"))
    service.settings.make_folders()
    sound(service.settings.vod_inbox / "talk.wav", 4)
    done = service.klip("process")
    assert done.returncode == 0, done.stdout + done.stderr
    assert service.sql("SELECT video_id, status FROM videos") == [{"video_id": "talk", "status": "ok"}]
    assert {record.dagster_run.status for record in service.runs()} == {dg.DagsterRunStatus.SUCCESS}
    assert {record.dagster_run.job_name for record in service.runs()} == {"process_video", "publish_warehouse"}
    kept = service.data_dir / ".dagster"
    assert kept.is_dir()
    assert list(kept.rglob("*.db")) == []
    assert [path.name for path in service.home.rglob("*") if path.is_file()] == ["dagster.yaml"]
    output = [path.parent for path in kept.glob("*/compute_logs")]
    assert len(output) == 2
    done = service.klip("prune", "--older-than", "0")
    assert "Deleted 2 finished runs" in done.stdout and re.search(r"Freed [\d.]+ k?B: [\d.]+ k?B logs", done.stdout)
    assert service.runs() == []
    assert not any(path.exists() for path in output)


@pytest.mark.slow
def test_an_installation_that_moves_to_postgres_processes_nothing_again_and_shows_its_videos(
    make_service: Callable[..., Any], postgres: Callable[[str], str], sound: Callable[..., Path]
) -> None:
    before = make_service("before_move")
    before.settings.make_folders()
    sound(before.settings.vod_inbox / "talk.wav", 4)
    (before.settings.tweet_inbox / "one.jsonl").write_text(json.dumps(tweet(tweet_id_at("2026-06-10"))) + "\n")
    done = before.klip("process")
    assert done.returncode == 0, done.stdout + done.stderr
    published = before.settings.warehouse_path.resolve()
    url = postgres("moved")
    after = make_service("after_move", deploy="deploy/postgres", KLIP_SENSOR_INTERVAL_S="5", KLIP_POSTGRES_URL=url)
    after.data_dir = before.data_dir
    began = time.time()
    after.start()
    try:
        for sensor in ("vods", "tweets", "publish"):
            after.wait_for_scans(sensor, 3, since=began)
        assert after.runs() == []
        with after.instance() as instance:
            assert instance.get_dynamic_partitions(VIDEOS.name or "") == ["talk"]
        assert after.settings.warehouse_path.resolve() == published
    finally:
        after.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({}, 'environment variable "KLIP_POSTGRES_URL" which is not set'),
        ({"KLIP_POSTGRES_URL": "postgresql+psycopg2://klip:hidden@127.0.0.1:1/klip"}, "Connection refused"),
    ],
    ids=["no address", "nobody answers"],
)
def test_a_storage_that_cannot_be_opened_is_one_sentence(
    make_service: Callable[..., Any], address: dict[str, str], said: str
) -> None:
    pytest.importorskip("dagster_postgres", reason="dagster-postgres is not installed (pip install -e .[postgres])")
    service = make_service("no_storage", deploy="deploy/postgres", **address)
    done = service.klip("process")
    assert done.returncode == 1
    told = done.stderr.partition("Error: ")[2]
    assert told.startswith("Dagster's storage can't be opened")
    assert said in " ".join(told.split())
    assert "hidden" not in done.stderr
