"""Progress of each source, kept between runs in one small file.

The API returns the newest posts first. A sweep over new posts goes backwards, and `since_id` may advance only once the
sweep has reached it; until then the state records the remaining part.
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
    """Progress of one source.

    Attributes:
        since_id: Everything up to this post was fetched; None before the first sweep is complete.
        newest_id: The newest post of an incomplete sweep, else None.
        until_id: The oldest post of that sweep: posts between `since_id` and this are still to be fetched.
        user_id: Id of the user whose timeline it is.
        asked_at: When it was last requested (UTC, ISO 8601): the longest-waiting source goes first.
    """

    since_id: int | None = None
    newest_id: int | None = None
    until_id: int | None = None
    user_id: str | None = None
    asked_at: str = ""


class State:
    """Stored progress of all sources.

    Args:
        path: The file; created when first written.

    Raises:
        InputError: It exists but can't be parsed.
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
                hint="move it away: posts from the last few days are then fetched again, but counted once",
            ) from error

    def of(self, name: str) -> Progress:
        """Return the progress of a source."""
        return self._entries.get(name, Progress())

    @property
    def version(self) -> str:
        """Identifies what has been fetched; unchanged as long as nothing new has come in."""
        reached = [(name, p.since_id, p.newest_id, p.until_id) for name, p in sorted(self._entries.items())]
        return hashlib.sha256(repr(reached).encode()).hexdigest()[:32]

    def keep(self, name: str, progress: Progress) -> None:
        """Store the progress of a source, atomically."""
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
