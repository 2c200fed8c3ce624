"""Which models are used, in which order, at which endpoints and prices."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from klip_assets.env_files import KEYS_VARIABLE, is_key_variable
from klip_assets.errors import InputError

#: Sent to endpoints that need no key, since the client requires one.
NO_KEY = "none"


@dataclass(frozen=True)
class Endpoint:
    """An API endpoint.

    Attributes:
        base_url: URL up to and including /v1, as the OpenAI client expects it.
        api_key: The key; it is never shown.
    """

    base_url: str
    api_key: SecretStr

    @property
    def name(self) -> str:
        """The URL without user, password and query, safe for tables and messages."""
        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        return urlunsplit((parts.scheme, host + port, parts.path.rstrip("/"), "", ""))


@dataclass(frozen=True)
class Model:
    """One model of the chain.

    Attributes:
        name: Its name at the endpoint.
        endpoint: The endpoint that serves it.
        input_usd_per_mtok: Price per million tokens sent, None where unknown.
        output_usd_per_mtok: Price per million tokens received.
    """

    name: str
    endpoint: Endpoint
    input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None

    def cost_usd(self, prompt_tokens: int | None, completion_tokens: int | None) -> float | None:
        """Return the price of a call, None where price or tokens are unknown."""
        prices = self.input_usd_per_mtok, self.output_usd_per_mtok
        if prices[0] is None or prices[1] is None or prompt_tokens is None or completion_tokens is None:
            return None
        return (prompt_tokens * prices[0] + completion_tokens * prices[1]) / 1e6


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    base_url: str | None = None
    api_key_env: str | None = None
    input_usd_per_mtok: float | None = Field(default=None, ge=0)
    output_usd_per_mtok: float | None = Field(default=None, ge=0)


def model_chain(
    models: str,
    base_url: str | None,
    api_key: SecretStr | None,
    *,
    input_usd_per_mtok: float | None = None,
    output_usd_per_mtok: float | None = None,
    key_value: Callable[[str], str | None] = os.environ.get,
) -> list[Model]:
    """Read the chain of models.

    Args:
        models: Comma-separated names, or the path of a TOML file with one table `[[model]]` per model: name and, where
            they differ from the arguments below, base_url, api_key_env (the variable that holds the key; see
            `klip_assets.env_files.is_key_variable`), input_usd_per_mtok, output_usd_per_mtok.
        base_url: Default endpoint.
        api_key: Its key; None for endpoints that need none.
        input_usd_per_mtok: Default price in USD per million tokens sent.
        output_usd_per_mtok: The same for tokens received.
        key_value: Returns the value of the variable that holds a key, None if it is not set.

    Raises:
        InputError: The file can't be read, has an unknown key, names a variable that is not for keys, or a model has no
            endpoint.
    """
    entries = _entries(models)
    endpoints: dict[tuple[str, str], Endpoint] = {}
    chain = []
    for entry in entries:
        url = entry.base_url or base_url
        if not url or urlsplit(url).scheme not in ("http", "https"):
            raise InputError(
                f"the model {entry.name} has no endpoint: {url!r} is not an HTTP URL",
                hint="KLIP_LLM_BASE_URL=https://.../v1, or base_url in the file of models",
            )
        key = _key(entry, api_key, models.strip(), key_value)
        endpoint = endpoints.setdefault((url, key.get_secret_value()), Endpoint(url, key))
        input_price = input_usd_per_mtok if entry.input_usd_per_mtok is None else entry.input_usd_per_mtok
        output_price = output_usd_per_mtok if entry.output_usd_per_mtok is None else entry.output_usd_per_mtok
        chain.append(Model(entry.name, endpoint, input_price, output_price))
    return chain


def _entries(models: str) -> list[_Entry]:
    if not models.strip().endswith(".toml"):
        names = [name.strip() for name in models.split(",") if name.strip()]
        if not names:
            raise InputError("KLIP_LLM_MODELS contains no model")
        return [_Entry(name=name) for name in names]
    path = Path(models.strip()).expanduser()
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text())
        entries = [_Entry.model_validate(entry) for entry in found.get("model", [])]
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}", hint="set in KLIP_LLM_MODELS") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if not entries:
        raise InputError(f"{path} contains no model", hint="one table [[model]] per model, with a name")
    return entries


def _key(entry: _Entry, api_key: SecretStr | None, file: str, key_value: Callable[[str], str | None]) -> SecretStr:
    if entry.api_key_env is None:
        # A key belongs to one endpoint and is not sent to another.
        return api_key or SecretStr(NO_KEY) if entry.base_url is None else SecretStr(NO_KEY)
    if not is_key_variable(entry.api_key_env):
        # Otherwise whoever wrote the file could have any secret of the environment sent to a server of their own.
        raise InputError(
            f"{file}: api_key_env of {entry.name} names the variable {entry.api_key_env}, which is not sent anywhere",
            hint=f"keys are in *_API_KEY or KLIP_* variables, or where {KEYS_VARIABLE} of the environment says",
        )
    value = key_value(entry.api_key_env)
    if not value:
        raise InputError(
            f"{file}: the variable {entry.api_key_env}, which holds the key of {entry.name}, is not set",
            hint="export it, or set it in the .env of the data folder",
        )
    return SecretStr(value)
