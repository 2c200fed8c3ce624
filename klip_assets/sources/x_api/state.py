"""How far each source has been fetched, kept between runs in one small file.

The API delivers the newest posts first. A sweep over what is new goes backwards, and `since_id` may move only once it
has reached the old end; until then the state names the part that is left.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from klip_assets.errors import InputError
from klip_assets.store.files import write_atomically


@dataclass(frozen=True)
class Progress:
    """How far one source is.

    Attributes:
        since_id: Everything up to this post was fetched; None before the first sweep is through.
        newest_id: The newest post of a sweep that is not through, else None.
        until_id: The oldest post of that sweep: what lies between `since_id` and this is left.
        user_id: Id of the user whose timeline it is.
        asked_at: When it was last asked for (UTC, ISO 8601): who waited longest is asked first.
    """

    since_id: int | None = None
    newest_id: int | None = None
    until_id: int | None = None
    user_id: str | None = None
    asked_at: str = ""


class State:
    """The memory of all sources.

    Args:
        path: The file; made when first written.

    Raises:
        InputError: It is there, but can't be understood.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[str, Progress] = {}
        try:
            content = json.loads(path.read_text("utf-8"))
            self._entries = {str(name): _progress(entry) for name, entry in content["sources"].items()}
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path} can't be read: {type(error).__name__}: {error}",
                hint="move it away: posts of the last days are fetched again, and counted once",
            ) from error

    def of(self, name: str) -> Progress:
        """Return how far a source is."""
        return self._entries.get(name, Progress())

    @property
    def version(self) -> str:
        """Name what has been fetched: the same as long as nothing new came."""
        reached = [(name, p.since_id, p.newest_id, p.until_id) for name, p in sorted(self._entries.items())]
        return hashlib.sha256(repr(reached).encode()).hexdigest()[:32]

    def keep(self, name: str, progress: Progress) -> None:
        """Remember how far a source is; a kill leaves the file as it was before or as it is after."""
        self._entries[name] = progress
        content = {"sources": {each: asdict(entry) for each, entry in sorted(self._entries.items())}}
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        write_atomically(self.path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _progress(entry: Mapping[str, Any]) -> Progress:
    known = {field.name for field in fields(Progress)}
    progress = Progress(**{name: value for name, value in entry.items() if name in known})
    for value in (progress.since_id, progress.newest_id, progress.until_id):
        if value is not None and (not isinstance(value, int) or value <= 0):
            raise ValueError(f"{value!r} is not the id of a post")
    return progress
