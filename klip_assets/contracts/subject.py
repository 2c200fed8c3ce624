"""The subject of a partition: a video, or a UTC day of tweets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, Self

#: The column that names a subject, in tables and in the names of folders.
Kind = Literal["video_id", "day"]

KINDS: tuple[Kind, ...] = ("video_id", "day")

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True, order=True)
class Subject:
    """A video or a day of tweets: processed, locked, accepted and published as a unit.

    Attributes:
        kind: Column that names it.
        key: The video id, or the day as YYYY-MM-DD.
    """

    kind: Kind
    key: str

    @classmethod
    def of(cls, key: str) -> Self:
        """Return the subject of a partition from its key; no video id looks like a day."""
        return cls("day" if is_day(key) else "video_id", key)

    @classmethod
    def video(cls, video_id: str) -> Self:
        """Return a video as a subject."""
        return cls("video_id", video_id)

    @classmethod
    def day(cls, day: str) -> Self:
        """Return a day as a subject."""
        return cls("day", day)

    @property
    def is_day(self) -> bool:
        """Whether it is a day of tweets."""
        return self.kind == "day"

    @property
    def folder(self) -> str:
        """Name of its folder in the lake: "video_id=stream"."""
        return f"{self.kind}={self.key}"

    @property
    def lock_name(self) -> str:
        """Name of its lock; all days share one, because a single ingest writes many of them."""
        return "tweet-days" if self.is_day else f"video-{self.key}"

    def __str__(self) -> str:
        """Return a name for messages."""
        return self.key if self.is_day else f"video {self.key}"


def is_day(key: str) -> bool:
    """Return whether the key of a partition is a day (YYYY-MM-DD)."""
    return _DAY.fullmatch(key) is not None


def key_of(folder: str | PurePath) -> str:
    """Return the key in the name of a partition's folder or file: "stream" for "video_id=stream"."""
    return PurePath(folder).name.partition("=")[2]
