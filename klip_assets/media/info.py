"""The metadata sidecar of a recording: `<name>.info.json`, as yt-dlp writes it.

Put here: reading and writing that file. Keep out: facts of the recording itself (`media.probe`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from klip_assets.errors import UnreadableSidecarError
from klip_assets.textfile import sound


@dataclass(frozen=True)
class StreamInfo:
    """What a sidecar says about a stream; None where it says nothing."""

    title: str | None = None
    channel: str | None = None
    platform: str | None = None
    url: str | None = None
    started_at: datetime | None = None


def read_info(path: Path) -> StreamInfo:
    """Read a yt-dlp info file. Entries of an unexpected type count as absent.

    Raises:
        UnreadableSidecarError: It is not a JSON object.
    """
    try:
        fields = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise UnreadableSidecarError(f"{path.name}: not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise UnreadableSidecarError(f"{path.name}: a JSON object was expected, found {type(fields).__name__}")
    return StreamInfo(
        title=_text(fields, "title", "fulltitle"),
        channel=_text(fields, "channel", "uploader", "creator"),
        platform=_lower(_text(fields, "extractor_key", "extractor")),
        url=_text(fields, "webpage_url", "original_url"),
        started_at=_started_at(fields),
    )


def write_info(path: Path, **changes: Any) -> None:
    """Write or amend an info file with what a person said; entries that are None change nothing.

    Raises:
        UnreadableSidecarError: A file is there and is not a JSON object.
    """
    fields: dict[str, Any] = {}
    if path.exists():
        read_info(path)
        fields = json.loads(path.read_bytes().decode("utf-8-sig"))
    fields |= {name: value for name, value in changes.items() if value is not None}
    path.write_text(sound(json.dumps(fields, ensure_ascii=False, indent=2)) + "\n", encoding="utf-8")


def _text(fields: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return sound(value.strip())
    return None


def _lower(value: str | None) -> str | None:
    # yt-dlp's extractor keys are TwitchVod, Youtube, ...; analysts want twitch, youtube.
    # The extractor itself reads twitch:vod.
    name = (value or "").lower().partition(":")[0]
    return name.removesuffix("vod").removesuffix("stream") or name or None


def _started_at(fields: dict[str, Any]) -> datetime | None:
    for name in ("release_timestamp", "timestamp"):
        value = fields.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            try:
                return datetime.fromtimestamp(value, UTC).replace(tzinfo=None)
            except (OverflowError, ValueError, OSError):
                continue
    return None
