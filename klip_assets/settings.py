"""Every path, limit and environment variable, once.

Put here: what a person may set (`KLIP_...`) and the folders that follow from it. Keep out: values that belong
to an algorithm (they stand beside it) and reading of any file.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def project_dir() -> Path:
    """Return the checkout this package was installed from, or the working folder if it was not."""
    checkout = Path(__file__).resolve().parents[1]
    return checkout if (checkout / "workspace.yaml").is_file() else Path.cwd()


class Settings(BaseSettings):
    """Settings of one Klip installation, read from the environment (prefix `KLIP_`) and from `.env`.

    Raises:
        pydantic.ValidationError: A variable holds a value that can't be used; the message names it.
    """

    model_config = SettingsConfigDict(env_prefix="KLIP_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(
        default_factory=lambda: project_dir() / "data",
        description="Inbox, lake, warehouse and state live here.",
    )
    weights: str = Field(default="klip-1", description="The weight set that ranks highlights.")
    whisper_model: str | None = Field(
        default=None, description="faster-whisper model, by name or path; unset: the offline engine."
    )
    whisper_device: str = Field(default="auto", description="Device for faster-whisper: auto, cpu or cuda.")
    language: str | None = Field(default=None, description="Spoken language (ISO 639-1); unset: detected or English.")
    lexicon: Literal["vader", "textblob"] = Field(default="vader", description="Library behind the lexicon tier.")
    segment_tiers: str = Field(default="llm,bert,lexicon", description="Tiers that read segments, best first.")
    tweet_tiers: str = Field(default="bert,lexicon", description="Tiers that read tweets, best first.")
    chat_lag_s: float = Field(
        default=5.0, ge=0, le=60, description="Seconds between a moment and the chat's reaction to it."
    )
    alert_webhook: str | None = Field(default=None, description="URL that gets a JSON POST for each failed run.")
    storage_version: str = Field(
        default="v1.4.0",
        description="DuckDB storage version of the published file (older clients can open it).",
    )
    keep_versions: int = Field(default=3, ge=1, description="Published versions of the warehouse that are kept.")
    lock_timeout_s: float = Field(
        default=1800.0, gt=0, description="How long to wait for another run on the same partition."
    )
    publish_timeout_s: float = Field(default=120.0, gt=0, description="How long to wait for another publisher.")
    max_duration_h: float = Field(
        default=100.0, gt=0, le=100, description="Hours a recording may last; a longer one is unreadable."
    )
    sensor_interval_s: int = Field(default=15, ge=5, description="Seconds between two looks at the inbox.")
    sensor_batch: int = Field(default=50, ge=1, description="Runs that one look at the inbox may ask for.")

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("segment_tiers", "tweet_tiers")
    @classmethod
    def _known_tiers(cls, value: str) -> str:
        unknown = [name for name in _split(value) if name not in ("llm", "bert", "lexicon")]
        if unknown or not _split(value):
            raise ValueError(f"{value!r}: name one or more of llm, bert, lexicon, separated by commas")
        return value

    @property
    def segment_tier_names(self) -> list[str]:
        """Tiers that read segments, best first."""
        return _split(self.segment_tiers)

    @property
    def tweet_tier_names(self) -> list[str]:
        """Tiers that read tweets, best first."""
        return _split(self.tweet_tiers)

    @cached_property
    def vod_inbox(self) -> Path:
        """Folder where recordings and their sidecars are dropped."""
        return self.data_dir / "inbox" / "vods"

    @cached_property
    def tweet_inbox(self) -> Path:
        """Folder where tweet files are dropped."""
        return self.data_dir / "inbox" / "tweets"

    @cached_property
    def lake_dir(self) -> Path:
        """Folder of the Parquet partitions, the system of record."""
        return self.data_dir / "lake"

    @cached_property
    def warehouse_dir(self) -> Path:
        """Folder of the published DuckDB file."""
        return self.data_dir / "warehouse"

    @cached_property
    def warehouse_path(self) -> Path:
        """The published DuckDB file (a link to its newest version)."""
        return self.warehouse_dir / "klip.duckdb"

    @cached_property
    def state_dir(self) -> Path:
        """Folder of what many runs write: locks, the inbox registry, the call ledger."""
        return self.data_dir / "state"

    @cached_property
    def memory_path(self) -> Path:
        """File in which Klip remembers the inbox and its attempts."""
        return self.state_dir / "inbox.sqlite"

    @cached_property
    def dagster_storage_dir(self) -> Path:
        """Folder of Dagster's own state."""
        return self.data_dir / ".dagster"

    def make_folders(self) -> None:
        """Create the folders a fresh installation needs."""
        for folder in (self.vod_inbox, self.tweet_inbox, self.lake_dir, self.warehouse_dir, self.state_dir):
            folder.mkdir(parents=True, exist_ok=True)


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]
