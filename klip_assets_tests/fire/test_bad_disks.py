"""A full disk, a lake that can't be written to, recordings that go or change while they are read."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from klip_assets.contracts import TABLES
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.stage_status import read_stages
from klip_assets.store.state.attempts import Attempts
from klip_assets_tests.fire.copies import copy_installation
from klip_assets_tests.fire.victims import Victims
from klip_assets_tests.processed import drop_stream, drop_tweets, query
from klip_assets_tests.suite import missing

pytestmark = pytest.mark.slow


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """Mount something on a folder; skip where this is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    missing.mount(*options, str(folder))
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def home(tmp_path: Path, dagster_storage: Path) -> Path:
    """An installation whose data folder is still to be made."""
    shutil.copy(dagster_storage.parents[1] / "dagster.yaml", tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def start(victim: Victims, tmp_path_factory: pytest.TempPathFactory, dagster_storage: Path) -> Path:
    """An installation in which a stream and tweets are published; to be copied to `home`, where it was made."""
    home = tmp_path_factory.mktemp("disk") / "home"
    settings = prepare(home, dagster_storage)
    shutil.copy(dagster_storage.parents[1] / "dagster.yaml", home)
    drop_stream(settings, seconds=20)
    drop_tweets(settings)
    assert victim.run(home)["code"] == 0, output(home)
    output(home)
    return home.rename(home.with_name("start"))


@contextmanager
def on_a_small_disk(start: Path, where: str) -> Iterator[Path]:
    """Copy an installation to where it was made, one of its folders on a disk of 40 MB; give its path."""
    home = start.with_name("home")
    shutil.rmtree(home, ignore_errors=True)
    copy_installation(start, home)
    with mounted(home / where, "-t", "tmpfs", "-o", "size=40m", "tmpfs"):
        copy_installation(start / where, home / where)
        yield home


def prepare(home: Path, storage: Path) -> Settings:
    settings = Settings(data_dir=home / "data")
    settings.make_folders()
    if not settings.dagster_storage_dir.exists():
        shutil.copytree(storage, settings.dagster_storage_dir)
    return settings


def output(home: Path) -> str:
    text = (home / "output.txt").read_text()
    (home / "output.txt").unlink()
    return text


def is_whole(settings: Settings) -> bool:
    """Read every partition of the lake, and look for what a write left behind."""
    lake = Lake(settings.lake_dir)
    for table in TABLES.values():
        if table.published_as != "nothing":
            for key in lake.keys(table):
                lake.read(table, key)
    return not list(settings.data_dir.rglob("*.tmp")) + list(settings.data_dir.rglob(".building*"))


def fill(folder: Path, leave_bytes: int) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        file.truncate(0)
        left = shutil.disk_usage(folder).free - leave_bytes
        block = bytes(1 << 16)
        while left > 0:
            left -= file.write(block[: min(left, len(block))])
    return ballast


@pytest.mark.parametrize("where", ["data", "data/lake", "data/warehouse"])
@pytest.mark.parametrize("room_kb", [0, 40, 100])
def test_a_full_disk_is_a_clear_error_and_loses_nothing(start: Path, victim: Victims, where: str, room_kb: int) -> None:
    with on_a_small_disk(start, where) as home:
        settings = Settings(data_dir=home / "data")
        before = query(settings, "SELECT duration_s FROM videos")
        ballast = fill(home / where, 900_000 + room_kb * 1024 if where == "data" else room_kb * 1024)
        drop_stream(settings, seconds=12, seed=4)
        drop_tweets(settings, "more.jsonl", ("2026-06-14",))
        ended = victim.run(home)
        said = output(home)
        assert ended["code"] == 1, said
        assert "Traceback" not in said
        assert "No space left on device" in said or f"the disk that holds {home / where} is full" in said, said
        assert query(settings, "SELECT duration_s FROM videos") == before
        assert is_whole(settings)
        ballast.unlink()
        assert victim.run(home)["code"] == 0, output(home)
        assert query(settings, "SELECT duration_s FROM videos") == [{"duration_s": 12.0}]
        assert query(settings, "SELECT count(*) AS n FROM tweet_daily") == [{"n": 3}]
        assert Attempts(settings.memory_path).all() == {}


def test_a_lake_that_is_read_only_is_a_clear_error_and_loses_nothing(
    home: Path, victim: Victims, dagster_storage: Path
) -> None:
    settings = prepare(home, dagster_storage)
    drop_stream(settings, seconds=20)
    assert victim.run(home)["code"] == 0, output(home)
    before = query(settings, "SELECT duration_s FROM videos")
    lake = str(settings.lake_dir)
    with mounted(settings.lake_dir, "--bind", lake):
        subprocess.run(["mount", "-o", "remount,bind,ro", lake], check=True)
        drop_stream(settings, seconds=12, seed=4)
        ended = victim.run(home)
        said = output(home)
        assert ended["code"] == 1, said
        assert "Read-only file system" in said and "Traceback" not in said, said
        assert query(settings, "SELECT duration_s FROM videos") == before
    assert is_whole(settings)
    assert victim.run(home)["code"] == 0, output(home)
    assert query(settings, "SELECT duration_s FROM videos") == [{"duration_s": 12.0}]


def stop_in_the_middle(victim: Victims, home: Path) -> int:
    log = home / "points.txt"
    stopped = victim.run(home, KLIP_FAILPOINT="stop stage.begin audio_features/stream", KLIP_FAILPOINT_LOG=str(log))
    assert stopped.get("stopped"), output(home)
    return int(stopped["pid"])


#: Videos that are published with their content, not only with the reason why they aren't.
PUBLISHED = "SELECT video_id FROM videos WHERE status = 'ok' ORDER BY ALL"


def withheld(settings: Settings, video_id: str) -> str:
    """Return the reason that stands in the row of a video that is not published."""
    (row,) = query(settings, f"SELECT status, error FROM videos WHERE video_id = '{video_id}'")
    assert row["status"] == "partial" and str(row["error"]).startswith("not published: ")
    return str(row["error"])


def test_a_recording_that_is_removed_while_it_is_processed_is_named_and_comes_back(
    home: Path, victim: Victims, dagster_storage: Path
) -> None:
    settings = prepare(home, dagster_storage)
    path = drop_stream(settings, seconds=20)
    drop_stream(settings, "other", seconds=8, seed=2)
    pid = stop_in_the_middle(victim, home)
    path.rename(home / "aside.wav")
    assert victim.resume(pid)["code"] == 1
    said = output(home)
    assert "stream.wav is gone from the inbox" in said and "Traceback" not in said
    assert query(settings, PUBLISHED) == [{"video_id": "other"}]
    assert "stream.wav is gone" in withheld(settings, "stream")
    assert is_whole(settings)
    (home / "aside.wav").rename(path)
    assert victim.run(home)["code"] == 0, output(home)
    assert query(settings, PUBLISHED) == [{"video_id": "other"}, {"video_id": "stream"}]


def replace(path: Path, settings: Settings) -> None:
    drop_stream(settings, "new", seconds=12, seed=7)
    (settings.vod_inbox / "new.wav").rename(path)
    for sidecar in settings.vod_inbox.glob("new.*"):
        sidecar.unlink()


def overwrite_in_place(path: Path, settings: Settings) -> None:
    drop_stream(settings, seconds=12, seed=7)


@pytest.mark.parametrize("change", [replace, overwrite_in_place])
def test_a_recording_that_changes_while_it_is_processed_never_mixes_two_contents(
    home: Path, victim: Victims, dagster_storage: Path, change: Callable[[Path, Settings], None]
) -> None:
    settings = prepare(home, dagster_storage)
    path = drop_stream(settings, seconds=20)
    pid = stop_in_the_middle(victim, home)
    change(path, settings)
    assert victim.resume(pid)["code"] == 1
    assert "changed while it was being processed" in output(home)
    assert query(settings, PUBLISHED) == [] == query(settings, "SELECT * FROM audio_features")
    assert "changed while it was being processed" in withheld(settings, "stream")
    assert victim.run(home)["code"] == 0, output(home)
    assert query(settings, "SELECT duration_s FROM videos") == [{"duration_s": 12.0}]
    assert query(settings, "SELECT max(t_s) AS t FROM audio_features") == [{"t": 11}]


def test_a_recording_that_is_only_touched_while_it_is_processed_goes_on(
    home: Path, victim: Victims, dagster_storage: Path
) -> None:
    settings = prepare(home, dagster_storage)
    path = drop_stream(settings, seconds=20)
    pid = stop_in_the_middle(victim, home)
    path.touch()
    assert victim.resume(pid)["code"] == 0, output(home)


def test_a_content_on_which_processes_die_is_left_alone_after_the_third_and_stops_no_other(
    home: Path, victim: Victims, dagster_storage: Path
) -> None:
    settings = prepare(home, dagster_storage)
    drop_stream(settings, "deadly", seconds=8)
    drop_stream(settings, "good", seconds=8, seed=2)
    deadly = {"KLIP_FAILPOINT": "kill stage.begin audio_features/deadly"}
    assert [victim.run(home, **deadly)["code"] for _ in range(4)] == [-9, -9, -9, 0]
    assert "deadly skipped: 3 processes died while working on it" in output(home)
    assert query(settings, PUBLISHED) == [{"video_id": "good"}]
    assert "3 processes died" in withheld(settings, "deadly")
    (error,) = [row["error"] for row in read_stages(Lake(settings.lake_dir), "deadly") if row["status"] == "failed"]
    assert error.startswith("3 processes died while working on deadly.wav")
    assert query(settings, "SELECT count(*) AS n FROM stage_status WHERE status = 'failed'") == [{"n": 1}]
    drop_stream(settings, "deadly", seconds=9, seed=5)
    assert victim.run(home)["code"] == 0, output(home)
    assert query(settings, "SELECT count(*) AS n FROM videos") == [{"n": 2}]
