"""One odd input, and what became of it."""

from __future__ import annotations

import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

#: Length in seconds of the recording beside a sidecar, and where its burst begins.
SECONDS, BURST_S = 20.0, 10


@dataclass(frozen=True)
class Outcome:
    """What became of an input after `klip process`.

    Attributes:
        name: Its name.
        connection: The published warehouse.
        said: What `klip add` printed, "" if its files were placed in the inbox.
    """

    name: str
    connection: duckdb.DuckDBPyConnection
    said: str = ""

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query; `$id` in it stands for the id of the input's recording."""
        found = self.connection.execute(
            "SELECT video_id FROM videos WHERE starts_with(source_path, ?)", [f"{self.name}."]
        ).fetchone()
        key = found[0].replace("'", "''") if found else ""
        return self.connection.execute(sql.replace("$id", f"'{key}'"), list(values)).fetchall()

    @property
    def reasons(self) -> str:
        """What `quarantine` and `videos` say of its files, in one text."""
        sql = "SELECT reason FROM quarantine WHERE starts_with(source_file, ?) UNION ALL SELECT error FROM videos "
        found = self.rows(sql + "WHERE video_id = $id AND error IS NOT NULL", f"{self.name}.")
        return " | ".join(str(row[0]) for row in found)


#: Returns what is wrong with an outcome, [] if nothing is.
Judge = Callable[[Outcome], list[str]]


@dataclass(frozen=True)
class Odd:
    """One input.

    Attributes:
        kind: What is odd about it.
        name: Stem of its recording; letters, digits, hyphens; unique.
        judge: Says what is wrong with the outcome.
        files: Its files: name -> content.
        inbox: The inbox they are placed in: "vods" or "tweets".
        seconds: Length of the recording made beside them; None: they need none.
        is_added: Whether `klip add NAME.wav` takes them from a folder, instead of their being placed in the inbox.
    """

    kind: str
    name: str
    judge: Judge
    files: Mapping[str, bytes] = field(default_factory=dict)
    inbox: str = "vods"
    seconds: float | None = SECONDS
    is_added: bool = False

    def write(self, folder: Path) -> Path:
        """Write the files, and return the path of the recording, or of the folder if there is none."""
        for name, content in self.files.items():
            folder.joinpath(name).write_bytes(content)
        if self.seconds is None:
            return folder
        path = folder / f"{self.name}.wav"
        write_hiss(path, self.seconds)
        return path


def write_hiss(path: Path, seconds: float = SECONDS) -> None:
    """Write a hiss at about -40 dBFS with a second of -12 dBFS in its middle, 8 kHz; no two names sound the same."""
    rate, generator = 8000, np.random.default_rng(list(path.stem.encode()))
    samples = generator.uniform(-0.017, 0.017, int(seconds * rate))
    middle = len(samples) // 2
    samples[middle : middle + rate] *= 25
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
