from __future__ import annotations

import os
from pathlib import Path

import pytest

from klip_assets.settings import Settings
from klip_assets.store.processes import this_process
from klip_assets.work.sizes import KINDS, human, sizes
from klip_assets_tests.processed import publish_again

RUN = "0b54ac0e-9b7e-4ef8-8c56-7f2d0a0c1d11"


def put(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    return path


def kinds(settings: Settings) -> dict[str, int]:
    return {size.kind: size.bytes for size in sizes(settings) if size.bytes}


@pytest.fixture
def empty(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", dagster_storage=tmp_path / "data" / ".dagster")


def test_each_kind_of_file_is_told_apart(empty: Settings) -> None:
    data, dead = empty.data_dir, this_process().replace(":", "-").replace(f"{os.getpid()}-", "999999999-", 1)
    put(data / "inbox" / "vods" / "a" / "a.mp4", 1)
    put(data / "inbox" / "tweets" / "a.jsonl", 2)
    put(data / "lake" / "videos" / "video_id=a" / "part-0.parquet", 3)
    put(data / "lake" / "_generations" / "videos" / "video_id=a" / "old.parquet", 4)
    put(data / "warehouse" / ".klip-1.duckdb", 5)
    put(data / "warehouse" / ".klip-1" / "words" / "a.parquet", 10)
    put(data / "warehouse" / ".klip-12.duckdb", 6)
    (data / "warehouse" / "klip.duckdb").symlink_to(".klip-12.duckdb")
    put(data / "models" / "compact" / "model.onnx", 7)
    put(data / ".dagster" / "history" / "runs" / f"{RUN}.db", 8)
    put(data / ".dagster" / "schedules" / "schedules.db", 1)
    put(data / ".dagster" / RUN / "compute_logs" / "a.out", 9)
    put(data / "state" / "inbox.sqlite", 11)
    put(data / "state" / "llm.sqlite-wal", 12)
    put(data / "state" / "transcripts" / "a.jsonl", 20)
    put(data / "state" / "scratch" / f".scratch.{dead}-0a1b2c3d.tmp" / "1", 13)
    put(data / "notes.txt", 14)
    link = len(os.fsencode(".klip-12.duckdb"))
    assert kinds(empty) == {
        "recordings": 1, "tweet files": 2, "lake": 3, "generations": 4, "warehouse": 6 + link,
        "earlier versions": 15, "models": 7, "run history": 9, "logs": 9, "state": 11, "caches": 32, "leftovers": 13,
        "other files": 14,
    }  # fmt: skip
    assert tuple(size.kind for size in sizes(empty)) == KINDS


def test_storage_outside_the_data_folder_counts_too(empty: Settings, tmp_path: Path) -> None:
    there = empty.model_copy(update={"dagster_storage": tmp_path / "elsewhere"})
    put(tmp_path / "elsewhere" / "history" / "runs.db", 5)
    assert kinds(there) == {"run history": 5}


def test_a_file_with_several_names_counts_once(published: Settings) -> None:
    part = next((published.lake_dir / "videos").rglob("*.parquet"))
    accepted = next((published.lake_dir / "_generations" / "videos").rglob("*.parquet"))
    accepted.unlink()
    before = kinds(published)
    accepted.hardlink_to(part)
    assert kinds(published) == before
    publish_again(published)
    assert sum(size.bytes for size in sizes(published)) == disk_bytes(published.data_dir)


def test_what_is_linked_to_elsewhere_does_not_count(empty: Settings, tmp_path: Path) -> None:
    put(tmp_path / "elsewhere" / "a.mp4", 1000)
    empty.vod_inbox.mkdir(parents=True)
    (empty.vod_inbox / "more").symlink_to(tmp_path / "elsewhere")
    assert kinds(empty) == {"recordings": (empty.vod_inbox / "more").lstat().st_size}


def test_without_a_data_folder_everything_is_empty(empty: Settings) -> None:
    assert kinds(empty) == {}


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_960, "1.0 MB"), (24_100_000, "24.1 MB")],
)
def test_sizes_are_written_for_people(number: int, text: str) -> None:
    assert human(number) == text


def disk_bytes(folder: Path) -> int:
    """Return the sum of the sizes of all files, as `du` counts them: each once, whatever its names."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_symlink() or path.is_file():
            status = path.lstat()
            found[status.st_dev, status.st_ino] = status.st_size
    return sum(found.values())
