"""Every path, limit and environment variable, in one place."""

from __future__ import annotations

import contextlib
import re
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from klip_assets.env_files import PREFIX, checkout, files_for, general_files, key_value, read_file
from klip_assets.errors import InputError

#: Settings that are names or a TOML file.
TOML_SETTINGS = ("weights", "llm_models", "x_queries")


def project_dir() -> Path:
    """Return the checkout this package was installed from, or the working directory if there is none."""
    return checkout() or Path.cwd()


class Settings(BaseSettings):
    """Settings of one Klip installation, read from the environment (prefix `KLIP_`) and from files.

    The files are `.env` of the checkout and, before it, `.env` of the data folder; or the one that `KLIP_ENV_FILE`
    names; if empty, none is read. That of the working directory is never read (see `klip_assets.env_files`).

    Raises:
        pydantic.ValidationError: A variable has an invalid value; the message names it.
        InputError: A settings file can't be read, or names what only the environment can.
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
        """Return the sources of values by priority; the files are read at each call."""
        named = init_settings().get("data_dir") or env_settings().get("data_dir")
        values = _from_files(settings_cls, Path(named) if named else None)
        return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=values)

    data_dir: Path = Field(
        default_factory=lambda: project_dir() / "data",
        description="Folder with the inbox, lake, warehouse and state.",
    )
    dagster_storage: Path | None = Field(
        default=None,
        description="Folder for Dagster's own state (runs, events, logs); unset: .dagster in the data folder.",
    )
    weights: str = Field(default="klip-2", description="Weight set that ranks highlights.")
    whisper_model: str | None = Field(
        default=None, description="faster-whisper model, by name or path; unset: the embedded engine."
    )
    whisper_device: str = Field(default="auto", description="Device for faster-whisper: auto, cpu or cuda.")
    whisper_compute_type: str = Field(
        default="auto", description="Compute type of faster-whisper, such as int8 or float16; auto: the fastest."
    )
    language: str | None = Field(default=None, description="Spoken language (ISO 639-1); unset: detected, or English.")
    llm_base_url: str | None = Field(
        default=None, description="OpenAI-compatible endpoint, up to and including /v1; unset: no LLM tier."
    )
    llm_api_key: SecretStr | None = Field(default=None, description="API key for it, if it requires one; never shown.")
    llm_models: str = Field(
        default="meta-llama/Meta-Llama-3.1-8B-Instruct-fast,google/gemma-2-9b-it,meta-llama/Llama-3.2-3B-Instruct",
        description="Models in the order they are tried, or a .toml file with an endpoint and price for each.",
    )
    llm_input_usd_per_mtok: float | None = Field(
        default=None, ge=0, description="Price per million tokens sent; unset: cost_usd is NULL."
    )
    llm_output_usd_per_mtok: float | None = Field(
        default=None, ge=0, description="Price per million tokens received; unset: cost_usd is NULL."
    )
    llm_budget_usd: float | None = Field(default=None, ge=0, description="Language model budget per run.")
    llm_daily_budget_usd: float | None = Field(
        default=None, ge=0, description="Language model budget for all runs per UTC day."
    )
    llm_max_concurrency: int = Field(
        default=16, ge=1, le=1000, description="Maximum concurrent requests to language models, over all processes."
    )
    llm_timeout_s: float = Field(default=60.0, gt=0, description="Timeout of a request to a model, in seconds.")
    llm_max_answer_tokens: int = Field(
        default=400, ge=50, le=1_000_000, description="Maximum tokens of a model's answer, its thoughts included."
    )
    llm_retry_answer_tokens: int = Field(
        default=1600, ge=50, le=1_000_000, description="The same for the one retry of an answer that was cut off."
    )
    text_model: str = Field(
        default="",
        description="Hugging Face text-classification models, by name or folder: one, or two separated by a comma "
        "(sentiment and emotions); unset: the compact model that comes with Klip.",
    )
    text_device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="Device for KLIP_TEXT_MODEL.")
    text_precision: Literal["auto", "float32", "bfloat16", "float16", "int8"] = Field(
        default="auto", description="Precision of KLIP_TEXT_MODEL; auto: int8 if its labels agree with float32."
    )
    lexicon: Literal["vader", "textblob"] = Field(default="vader", description="Library behind the lexicon tier.")
    segment_tiers: str = Field(default="llm,bert,lexicon", description="Tiers that read segments, best first.")
    tweet_tiers: str = Field(default="bert,lexicon", description="Tiers that read tweets, best first.")
    golden_dir: Path | None = Field(default=None, description="Folder with more golden sets for klip eval.")
    chat_lag_s: float = Field(
        default=10.0,
        ge=0,
        le=60,
        description="Seconds between a moment and the chat's reaction, where sound and chat give no estimate.",
    )
    chat_keep_names: bool = Field(
        default=False, description="Store the names of chat authors as plain text; unset: as salted hashes."
    )
    x_bearer_token: SecretStr | None = Field(
        default=None, description="Bearer token of the X API, for fetching posts; never shown."
    )
    x_base_url: str = Field(default="https://api.x.com/2", description="Base URL of the X API, version 2.")
    x_queries: str = Field(
        default="",
        description="Queries to fetch from X, separated by semicolons (one that is just from:NAME is fetched as a "
        "timeline), or a .toml file.",
    )
    x_max_posts: int = Field(
        default=100, ge=10, description="Maximum posts fetched from X per run; X charges for each."
    )
    x_every_min: int = Field(
        default=15, ge=1, le=60, description="Minutes between fetches from X; a number that divides the hour."
    )
    x_timeout_s: float = Field(default=30.0, gt=0, description="Timeout of a request to X, in seconds.")
    alert_webhook: str | None = Field(default=None, description="URL that gets a JSON POST for each failed run.")
    storage_version: str = Field(
        default="v1.4.0",
        description="DuckDB storage version of the published file; older clients can open an older one.",
    )
    keep_versions: int = Field(default=3, ge=1, description="Published versions of the warehouse to keep.")
    lock_timeout_s: float = Field(
        default=1800.0, gt=0, description="Seconds to wait for another run on the same partition."
    )
    publish_timeout_s: float = Field(default=120.0, gt=0, description="Seconds to wait for another publish.")
    max_duration_h: float = Field(
        default=100.0, gt=0, le=100, description="Maximum length of a recording in hours; a longer one is refused."
    )
    sensor_interval_s: int = Field(default=15, ge=5, description="Seconds between inbox scans.")
    sensor_batch: int = Field(
        default=50, ge=1, description="The inbox sensor requests runs until this many are queued or in progress."
    )

    @field_validator("data_dir", "dagster_storage")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().resolve()

    @field_validator(*TOML_SETTINGS)
    @classmethod
    def _absolute_file(cls, value: str) -> str:
        # Processes started elsewhere must find the same file.
        return str(Path.cwd() / Path(value.strip()).expanduser()) if is_toml_file(value) else value

    @field_validator("segment_tiers", "tweet_tiers")
    @classmethod
    def _known_tiers(cls, value: str) -> str:
        unknown = [name for name in _split(value) if name not in ("llm", "bert", "lexicon")]
        if unknown or not _split(value):
            raise ValueError(f"{value!r}: name one or more of llm, bert, lexicon, separated by commas")
        return value

    @field_validator("x_every_min")
    @classmethod
    def _divides_the_hour(cls, value: int) -> int:
        if 60 % value:
            # A cron schedule begins anew with each hour: with 45, fetches would be 45 and 15 minutes apart.
            divisors = ", ".join(str(n) for n in range(1, 61) if 60 % n == 0)
            raise ValueError(f"{value} does not divide the hour; it can be {divisors}")
        return value

    @field_validator("text_model")
    @classmethod
    def _one_or_two(cls, value: str) -> str:
        if len(_split(value)) > 2:
            raise ValueError(f"{value!r}: name one model, or two separated by a comma")
        return value

    @property
    def env_files(self) -> list[Path]:
        """Settings files of this installation, whether they exist or not; a later one wins."""
        return files_for(self.data_dir, is_named="data_dir" in self.model_fields_set)

    def key_value(self, name: str) -> str | None:
        """Return the value of a key variable, from the environment or else from the settings files."""
        return key_value(name, self.env_files)

    @property
    def fetches_from_x(self) -> bool:
        """Whether posts are fetched from X on schedule: a token is set, and there is something to fetch."""
        return bool(self.x_bearer_token and self.x_bearer_token.get_secret_value().strip() and self.x_queries.strip())

    @property
    def text_model_names(self) -> tuple[str, ...]:
        """Models of the BERT tier; empty: the compact one."""
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
        """Folder with the Parquet partitions, the system of record."""
        return self.data_dir / "lake"

    @cached_property
    def warehouse_dir(self) -> Path:
        """Folder with the published DuckDB file."""
        return self.data_dir / "warehouse"

    @cached_property
    def warehouse_path(self) -> Path:
        """The published DuckDB file (a link to its newest version)."""
        return self.warehouse_dir / "klip.duckdb"

    @cached_property
    def state_dir(self) -> Path:
        """Folder with the state shared by all runs: locks, the inbox registry, the call ledger."""
        return self.data_dir / "state"

    @cached_property
    def memory_path(self) -> Path:
        """SQLite file of the inbox registry and of attempts."""
        return self.state_dir / "inbox.sqlite"

    @cached_property
    def llm_path(self) -> Path:
        """SQLite file of language model replies, calls and budget."""
        return self.state_dir / "llm.sqlite"

    @cached_property
    def x_state_path(self) -> Path:
        """File that records how far each X query has been fetched."""
        return self.state_dir / "x_posts.json"

    @cached_property
    def chat_salt_path(self) -> Path:
        """File with the salt for hashing names of chat authors."""
        return self.state_dir / "chat_salt"

    @cached_property
    def models_dir(self) -> Path:
        """Folder with models that Klip made: trained, or quantized to int8."""
        return self.data_dir / "models"

    @cached_property
    def compact_model_dir(self) -> Path:
        """The compact model trained here that replaces the shipped one (a link to its newest version)."""
        return self.models_dir / "compact"

    @cached_property
    def dagster_storage_dir(self) -> Path:
        """Folder for Dagster's own state."""
        return self.dagster_storage or self.data_dir / ".dagster"

    @cached_property
    def scratch_dir(self) -> Path:
        """Scratch folder for data that a run can't hold in memory; empty between runs."""
        return self.state_dir / "scratch"

    def chunk_log(self, video_id: str) -> Path:
        """File with an unfinished transcript."""
        return self.state_dir / "transcripts" / f"{video_id}.jsonl"

    def make_folders(self) -> None:
        """Create the folders a fresh installation needs; an inbox that can't be made is named by who reads it."""
        for folder in (self.lake_dir, self.warehouse_dir, self.state_dir):
            folder.mkdir(parents=True, exist_ok=True)
        for inbox in (self.vod_inbox, self.tweet_inbox):
            # A link to a disk that is not there, or a folder without rights: the other inbox may be fine.
            with contextlib.suppress(OSError):
                inbox.mkdir(parents=True, exist_ok=True)


def is_toml_file(value: str) -> bool:
    """Return whether the value of a setting is a file (`FILE.toml`, or `FILE.toml#VERSION`) rather than names."""
    return re.search(r"\.toml(?:#[^\s#]*)?$", value.strip()) is not None


def _from_files(settings_cls: type[BaseSettings], data_dir: Path | None) -> dict[str, Any]:
    """Return what the settings files say, by field.

    Args:
        settings_cls: The settings.
        data_dir: The data folder that the environment or the caller names.

    Raises:
        InputError: A file can't be read, or a data folder's names another data folder.
    """
    found: dict[str, Any] = {}
    for path in general_files():
        found |= _fields(settings_cls, path)
    folder = data_dir or found.get("data_dir")
    is_named = folder is not None
    folder = (folder or project_dir() / "data").expanduser().resolve()
    for path in files_for(folder, is_named=is_named)[len(general_files()) :]:
        mine = _fields(settings_cls, path)
        if mine.pop("data_dir", folder).expanduser().resolve() != folder:
            raise InputError(f"{path} sets KLIP_DATA_DIR to another folder than its own", hint="remove the line")
        found |= mine
    return found


def _fields(settings_cls: type[BaseSettings], path: Path) -> dict[str, Any]:
    """Return the fields that a settings file sets. A relative path in it counts from the file's folder."""
    upper = {name.upper(): value for name, value in read_file(path).items()}
    found: dict[str, Any] = {}
    for name in settings_cls.model_fields:
        value = upper.get(f"{PREFIX}{name}".upper())
        if value is None:
            continue
        if name in ("data_dir", "dagster_storage", "golden_dir"):
            found[name] = path.parent / Path(value).expanduser()
        elif name in TOML_SETTINGS and is_toml_file(value):
            found[name] = str(path.parent / Path(value.strip()).expanduser())
        elif name in ("whisper_model", "text_model"):
            found[name] = ",".join(_folder_or_name(path.parent, part) for part in value.split(","))
        else:
            found[name] = value
    return found


def _folder_or_name(base: Path, model: str) -> str:
    folder = base / Path(model.strip()).expanduser()
    return str(folder) if model.strip() and folder.is_dir() else model


def _split(names: str) -> list[str]:
    return [name.strip() for name in names.split(",") if name.strip()]
