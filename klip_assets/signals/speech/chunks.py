"""Checkpoints of a recognizer: a stage that dies midway resumes from there.

One line per chunk is appended to a file as soon as it is recognized. Finished chunks are looked up by what they were
made from (recording, engine, settings: the version) and by their position.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from klip_assets.failpoints import fail_point
from klip_assets.signals.speech.words import Word


class ChunkLog:
    """Words of the chunks of one recording, in a file.

    One process works on a recording at a time (it holds the partition's lock), so there are no concurrent writers.

    Args:
        path: The file; None to keep nothing.
        version: Version of everything the words depend on. A file of another version is overwritten.
    """

    def __init__(self, path: Path | None, version: str = "") -> None:
        self._path, self._version = path, version
        self._done: dict[str, Any] = {} if path is None else self._read(path)
        self._is_begun = False

    def __len__(self) -> int:
        return len(self._done)

    def words(self, chunk: str) -> list[Word] | None:
        """Return the words of a chunk, None if it is not done yet."""
        rows = self._done.get(chunk)
        return None if rows is None else [Word(*row) for row in rows]

    def value(self, name: str) -> Any:
        """Return the value stored under a name, such as the detected language; None if there is none."""
        return self._done.get(name)

    def add(self, chunk: str, words: Sequence[Word]) -> None:
        """Store the words of a chunk."""
        self.note(chunk, [astuple(word) for word in words])

    def note(self, name: str, value: Any) -> None:
        """Store a value that JSON can hold."""
        self._done[name] = value
        if self._path is None:
            return
        fail_point("transcript.chunk", name)
        if self._is_begun:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([name, value]) + "\n")
            return
        # Rewritten without a line that a kill has truncated, or the next line would be appended to it.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        entries = [("version", self._version), *self._done.items()]
        temporary = self._path.with_suffix(".tmp")
        temporary.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
        temporary.replace(self._path)
        self._is_begun = True

    def remove(self) -> None:
        """Delete everything: the transcript is written."""
        self._done, self._is_begun = {}, False
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Any]:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
        entries = [entry for entry in map(_entry, lines) if entry is not None]
        is_ours = bool(entries) and entries[0] == ("version", self._version)
        return dict(entries[1:]) if is_ours else {}


def _entry(line: str) -> tuple[str, Any] | None:
    try:
        name, value = json.loads(line)
    except (ValueError, TypeError):
        return None
    return (name, value) if isinstance(name, str) else None
