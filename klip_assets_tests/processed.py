"""Running Klip in a test as `klip process` does, on recordings the test made."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klip_assets.cli.process import Report, run_process
from klip_assets.contracts import TABLES, VIDEO_TABLES
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.warehouse.publish import Published
from klip_assets.store.warehouse.query import run_sql
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import publish_accepted, publish_due
from klip_assets_tests.made import REPOSITORY, tweet, tweet_id_at, write_chat, write_tweets, write_vtt, write_wav

# Victims that tests kill load this module, too.
if TYPE_CHECKING:
    import pytest

CUES = [(1.0, 5.0, "So this is a calm walk to the river."), (40.0, 44.0, "Oh wow, that was amazing, what a shot!")]


def point_at(base: Path, environment: pytest.MonkeyPatch) -> None:
    """Make `base` the place of the installation: its data folder and its Dagster home."""
    shutil.copy(REPOSITORY / "dagster.yaml", base)
    environment.setenv("KLIP_DATA_DIR", str(base / "data"))
    environment.setenv("DAGSTER_HOME", str(base))
    environment.setenv("KLIP_DAGSTER_STORAGE", str(base / "data" / ".dagster"))


def drop_stream(settings: Settings, name: str = "stream", seconds: float = 70.0, *, seed: int = 0) -> Path:
    """Put a recording with captions and a chat into the inbox: something happens at 42 s."""
    path = write_wav(settings.vod_inbox / f"{name}.wav", seconds, seed=seed, loud=[(40, 44)] if seconds > 44 else [])
    write_vtt(path.with_name(f"{name}.en.vtt"), [cue for cue in CUES if cue[1] <= seconds])
    calm = [(float(t), f"viewer{t % 7}", "hello there") for t in range(0, int(seconds), 5)]
    burst = [(46 + i / 4, f"viewer{i}", "LUL what a shot") for i in range(16 if seconds > 50 else 0)]
    write_chat(path.with_name(f"{name}.chat.csv"), [*calm, *burst])
    return path


def drop_tweets(
    settings: Settings, name: str = "tweets.jsonl", days: tuple[str, ...] = ("2026-06-12", "2026-06-13")
) -> Path:
    """Put a file with two tweets per day into the inbox."""
    texts = ("I love this #speedrun", "this is terrible")
    entries = [tweet(tweet_id_at(day, n), text) for day in days for n, text in enumerate(texts)]
    return write_tweets(settings.tweet_inbox / name, entries)


def process(settings: Settings, **options: Any) -> Report:
    """Process as the command does, without bars."""
    return run_process(settings, quiet=True, **options)


def query(settings: Settings, statement: str) -> list[dict[str, Any]]:
    """Query the published warehouse."""
    return run_sql(settings.warehouse_path, statement).to_pylist()


def versions(lake: Lake, video_id: str) -> dict[str, str]:
    """Return the data versions of the tables that a video has, by table."""
    found = {name: lake.provenance(TABLES[name], video_id) for name in VIDEO_TABLES}
    return {name: provenance.data_version for name, provenance in found.items() if provenance}


def tweets_written_at(settings: Settings) -> dict[tuple[str, str], object]:
    """Return when the published tables of days were written, by table and day."""
    rows = query(settings, "SELECT table_name, partition, written_at FROM provenance WHERE table_name LIKE 'tweet%'")
    return {(row["table_name"], row["partition"]): row["written_at"] for row in rows}


def due(settings: Settings) -> str | None:
    """Ask whether a publish is due."""
    return publish_due(Installation(settings))


def publish_again(settings: Settings, keep: int = 3) -> Published:
    """Publish without Dagster."""
    return publish_accepted(Installation(settings.model_copy(update={"keep_versions": keep})))
