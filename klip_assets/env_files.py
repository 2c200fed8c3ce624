"""Files of settings (`.env`): which are read, what they may name, and whose values may be sent to a server as a key.

A `.env` belongs to an installation: the checkout's and the data folder's are read, never that of the working folder,
where a stranger's file could pair the address of their server with a key of yours.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values
from dotenv.variables import Variable, parse_variables

from klip_assets.errors import InputError

PREFIX = "KLIP_"

#: Names the one settings file to read; empty: none is read.
FILE_VARIABLE = "KLIP_ENV_FILE"
#: Lists further variables whose values may be sent to a model's server. Only the real environment can: whoever writes a
#: file of settings or of models must not be able to name any secret of the person who runs Klip.
KEYS_VARIABLE = "KLIP_KEY_VARIABLES"

_SETS_KLIP = re.compile(r"^[ \t]{0,200}(?:export[ \t]{1,200})?['\"]?KLIP_\w", re.MULTILINE | re.IGNORECASE)
#: Secrets of Klip's own that belong to other servers than those of models.
_OTHER_SECRETS = {"KLIP_X_BEARER_TOKEN", "KLIP_POSTGRES_URL", "KLIP_ALERT_WEBHOOK"}
#: What a path in a file of settings may start with: not secret.
_HARMLESS = {"HOME", "USER", "LOGNAME", "HOSTNAME", "PWD", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}


def checkout() -> Path | None:
    """Return the checkout this package was installed from, None if there is none (a wheel)."""
    folder = Path(__file__).resolve().parents[1]
    return folder if (folder / "workspace.yaml").is_file() else None


def is_key_variable(name: str) -> bool:
    """Return whether the value of a variable may be sent to a model's server as its key.

    These are `*_API_KEY`, `KLIP_*` except the secrets of other servers, and what `KLIP_KEY_VARIABLES` of the
    environment lists.
    """
    listed = os.environ.get(KEYS_VARIABLE, "").replace(",", " ").split()
    is_word = name.isascii() and name.isidentifier()
    is_key = is_word and (name.endswith("_API_KEY") or (name.startswith(PREFIX) and name != PREFIX))
    return name in listed or (is_key and name not in _OTHER_SECRETS)


def named_file() -> Path | None:
    """Return the settings file that `KLIP_ENV_FILE` names, None if it names none."""
    name = os.environ.get(FILE_VARIABLE)
    return Path(name).expanduser().absolute() if name else None


def general_files() -> list[Path]:
    """Return the settings files that apply to every data folder, whether they exist or not."""
    if FILE_VARIABLE in os.environ:
        named = named_file()
        return [named] if named else []
    folder = checkout()
    return [folder / ".env"] if folder else []


def files_for(data_dir: Path, *, is_named: bool) -> list[Path]:
    """Return the settings files of an installation, whether they exist or not; a later one wins.

    Args:
        data_dir: Its data folder.
        is_named: Whether a person named this folder. Without a checkout, the default one lies in the working folder,
            and so would its `.env`.
    """
    files = general_files()
    if FILE_VARIABLE in os.environ or not (is_named or checkout()):
        return files
    return list(dict.fromkeys([*files, data_dir / ".env"]))


def read_file(path: Path) -> dict[str, str]:
    """Read a settings file; one that does not exist is empty.

    Returns:
        Variable -> value. `${NAME}` is replaced by the value of a variable that the file sets, or of one that may be a
        key or is no secret.

    Raises:
        InputError: It can't be read, uses another variable, or sets KLIP_KEY_VARIABLES or KLIP_ENV_FILE.
    """
    if not path.is_file():
        return {}
    try:
        raw = dotenv_values(path, interpolate=False, encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 (byte {error.start})", hint="save it as UTF-8") from error
    except OSError as error:
        hint = f"make it readable, or set {FILE_VARIABLE}= to read no such file"
        raise InputError(f"{path} can't be read: {error.strerror}", hint=hint) from error
    values: dict[str, str] = {}
    for name, value in raw.items():
        if name.upper() in (KEYS_VARIABLE, FILE_VARIABLE):
            raise InputError(
                f"{path} sets {name.upper()}, which only the environment can set",
                hint=f"remove the line, and export {name.upper()} where Klip is started",
            )
        if value is not None:
            values[name] = _resolved(path, name, value, values)
    return values


def read_files(files: list[Path]) -> dict[str, str]:
    """Read settings files; a later one wins.

    Raises:
        InputError: See `read_file`.
    """
    return {name: value for path in files for name, value in read_file(path).items()}


def key_value(name: str, files: list[Path]) -> str | None:
    """Return the value of a key variable from the environment or, where it is not set there, from settings files."""
    return os.environ.get(name) or read_files(files).get(name)


def stray_file(files: list[Path]) -> Path | None:
    """Return the `.env` of the working folder if it has settings of Klip and is none of these files, else None."""
    path = Path.cwd() / ".env"
    if not path.is_file() or path.resolve() in {file.resolve() for file in files}:
        return None
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return path if _SETS_KLIP.search(text) else None


def _resolved(path: Path, name: str, value: str, earlier: Mapping[str, str]) -> str:
    parts = []
    for part in parse_variables(value):
        if isinstance(part, Variable) and not (
            part.name in earlier or part.name in _HARMLESS or is_key_variable(part.name)
        ):
            raise InputError(
                f"{path}: {name} uses the variable {part.name}, which a settings file may not pass on",
                hint=f"write its value, or list it in {KEYS_VARIABLE} of the environment",
            )
        parts.append(part.resolve({**os.environ, **earlier}))
    return "".join(parts)
