"""Every path, limit and environment variable, once."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict


def project_dir() -> Path:
    """Return the checkout this package was installed from, or the working folder if it was not."""
    checkout = Path(__file__).resolve().parents[1]
    return checkout if (checkout / "workspace.yaml").is_file() else Path.cwd()


class Settings(BaseSettings):
    """Settings of one Klip installation, read from the environment (prefix `KLIP_`) and from a file.

    The file is `.env` in the working folder, or the one `KLIP_ENV_FILE` names; empty: none.

    Raises:
        pydantic.ValidationError: A variable holds a value that can't be used; the message names it.
    """

    model_config = SettingsConfigDict(env_prefix="KLIP_", extra="ignore", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where values come from, first one first; which file is read is asked at each call."""
        named = os.environ.get("KLIP_ENV_FILE", ".env") or None
        return init_settings, env_settings, DotEnvSettingsSource(settings_cls, env_file=named)

    data_dir: Path = Field(
        default_factory=lambda: project_dir() / "data",
        description="Inbox, lake, warehouse and state live here.",
    )
    dagster_storage: Path | None = Field(
        default=None,
        description="Dagster's own state (runs, events, logs) lives here; unset: .dagster in the data folder.",
    )
    weights: str = Field(default="klip-2", description="The weight set that ranks highlights.")
    whisper_model: str | None = Field(
        default=None, description="faster-whisper model, by name or path; unset: the offline engine."
    )
    whisper_device: str = Field(default="auto", description="Device for faster-whisper: auto, cpu or cuda.")
    whisper_compute_type: str = Field(
        default="auto", description="Numbers faster-whisper computes with, such as int8 or float16; auto: the fastest."
    )
    language: str | None = Field(default=None, description="Spoken language (ISO 639-1); unset: detected or English.")
    llm_base_url: str | None = Field(
        default=None, description="OpenAI-compatible endpoint, up to and including /v1; unset: no LLM tier."
    )
    llm_api_key: SecretStr | None = Field(default=None, description="Its key, where it wants one; shown nowhere.")
    llm_models: str = Field(
        default="meta-llama/Meta-Llama-3.1-8B-Instruct-fast,google/gemma-2-9b-it,meta-llama/Llama-3.2-3B-Instruct",
        description="Models in the order they are asked, or a .toml file that gives each its endpoint and price.",
    )
    llm_input_usd_per_mtok: float | None = Field(
        default=None, ge=0, description="Price of a million tokens sent; unset: cost_usd is NULL."
    )
    llm_output_usd_per_mtok: float | None = Field(
        default=None, ge=0, description="Price of a million tokens received; unset: cost_usd is NULL."
    )
    llm_budget_usd: float | None = Field(default=None, ge=0, description="What a run may spend on language models.")
    llm_daily_budget_usd: float | None = Field(
        default=None, ge=0, description="What all runs may spend on language models in a day (UTC)."
    )
    llm_max_concurrency: int = Field(
        default=16, ge=1, le=1000, description="Requests to language models under way, in all processes together."
    )
    llm_timeout_s: float = Field(default=60.0, gt=0, description="Seconds until a request to a model is given up.")
    text_model: str = Field(
        default="",
        description="Text-classification models of Hugging Face, by name or folder: one, or two separated by a comma "
        "(sentiment and emotions); unset: the compact model of the package.",
    )
    text_device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="Device for KLIP_TEXT_MODEL.")
    text_precision: Literal["auto", "float32", "bfloat16", "float16", "int8"] = Field(
        default="auto", description="Numbers KLIP_TEXT_MODEL computes with; auto: int8 where it says the same."
    )
    lexicon: Literal["vader", "textblob"] = Field(default="vader", description="Library behind the lexicon tier.")
    segment_tiers: str = Field(default="llm,bert,lexicon", description="Tiers that read segments, best first.")
    tweet_tiers: str = Field(default="bert,lexicon", description="Tiers that read tweets, best first.")
    golden_dir: Path | None = Field(default=None, description="Folder with golden sets that klip eval measures too.")
    chat_lag_s: float = Field(
        default=10.0,
        ge=0,
        le=60,
        description="Seconds between a moment and the chat's reaction to it, where sound and chat don't tell.",
    )
    chat_keep_names: bool = Field(
        default=False, description="Store the names of chat authors as they are; unset: salted hashes of them."
    )
    x_bearer_token: SecretStr | None = Field(
        default=None, description="Token of the X API, with which posts are fetched; shown nowhere."
    )
    x_base_url: str = Field(default="https://api.x.com/2", description="Address of the X API, version 2.")
    x_queries: str = Field(
        default="",
        description="What is fetched from X: queries separated by semicolons, where one that is only from:NAME means "
        "a timeline, or a .toml file.",
    )
    x_max_posts: int = Field(
        default=100, ge=10, description="Posts that one run may fetch from X: X wants money for each."
    )
    x_every_min: int = Field(default=15, ge=1, le=60, description="Minutes between two runs that fetch from X.")
    x_timeout_s: float = Field(default=30.0, gt=0, description="Seconds until a request to X is given up.")
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

    @field_validator("data_dir", "dagster_storage")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().resolve()

    @field_validator("segment_tiers", "tweet_tiers")
    @classmethod
    def _known_tiers(cls, value: str) -> str:
        unknown = [name for name in _split(value) if name not in ("llm", "bert", "lexicon")]
        if unknown or not _split(value):
            raise ValueError(f"{value!r}: name one or more of llm, bert, lexicon, separated by commas")
        return value

    @field_validator("text_model")
    @classmethod
    def _one_or_two(cls, value: str) -> str:
        if len(_split(value)) > 2:
            raise ValueError(f"{value!r}: name one model, or two separated by a comma")
        return value

    @property
    def fetches_from_x(self) -> bool:
        """Whether posts are fetched from X by themselves: there are a token and something to fetch."""
        return bool(self.x_bearer_token and self.x_bearer_token.get_secret_value().strip() and self.x_queries.strip())

    @property
    def text_model_names(self) -> tuple[str, ...]:
        """Models of the BERT tier; none: the compact one."""
        return tuple(_split(self.text_model))

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
    def llm_path(self) -> Path:
        """File of the replies, calls and budget of language models."""
        return self.state_dir / "llm.sqlite"

    @cached_property
    def x_state_path(self) -> Path:
        """File in which Klip remembers how far each query of X is."""
        return self.state_dir / "x_posts.json"

    @cached_property
    def chat_salt_path(self) -> Path:
        """File of the salt with which names of chat authors are hashed."""
        return self.state_dir / "chat_salt"

    @cached_property
    def models_dir(self) -> Path:
        """Folder of models that Klip made: trained, or brought to int8."""
        return self.data_dir / "models"

    @cached_property
    def compact_model_dir(self) -> Path:
        """A compact model trained here and in use in place of the package's (a link to its newest version)."""
        return self.models_dir / "compact"

    @cached_property
    def dagster_storage_dir(self) -> Path:
        """Folder of Dagster's own state."""
        return self.dagster_storage or self.data_dir / ".dagster"

    @cached_property
    def scratch_dir(self) -> Path:
        """Folder for what a run can't hold in memory; empty between runs."""
        return self.state_dir / "scratch"

    def chunk_log(self, video_id: str) -> Path:
        """File in which an unfinished transcript is kept."""
        return self.state_dir / "transcripts" / f"{video_id}.jsonl"

    def make_folders(self) -> None:
        """Create the folders a fresh installation needs."""
        for folder in (self.vod_inbox, self.tweet_inbox, self.lake_dir, self.warehouse_dir, self.state_dir):
            folder.mkdir(parents=True, exist_ok=True)


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]
