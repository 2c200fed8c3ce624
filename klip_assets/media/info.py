"""The metadata sidecar of a recording: `<name>.info.json`, as yt-dlp writes it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from klip_assets.errors import UnreadableSidecarError
from klip_assets.formats.text import shown_name, valid_unicode

#: Categories that are not games: YouTube's, and those of Twitch for streams without a game.
_NO_GAMES = frozenset(
    {
        "autos & vehicles", "comedy", "education", "entertainment", "film & animation", "gaming", "howto & style",
        "movies", "music", "news & politics", "nonprofits & activism", "people & blogs", "pets & animals",
        "science & technology", "shows", "sports", "trailers", "travel & events",
        "art", "asmr", "just chatting", "i'm only sleeping", "irl", "special events", "talk shows & podcasts",
    }
)  # fmt: skip

#: yt-dlp writes a few hundred kB, or a few MB with all comments.
MAX_INFO_BYTES = 32 << 20

#: No stream is longer than this; NaN and infinity are none either.
LONGEST_SECTION_S = 1e7

_LONGEST_NUMBER = 40
_FIRST_MILLISECONDS = 1e11


@dataclass(frozen=True)
class StreamInfo:
    """Metadata of a stream from its sidecar; None where it has none.

    Attributes:
        section_s: Where the recording begins in the stream, if only a section of it was downloaded (yt-dlp's
            --download-sections). Captions and chat downloaded with it are those of the whole stream.
    """

    title: str | None = None
    channel: str | None = None
    platform: str | None = None
    url: str | None = None
    started_at: datetime | None = None
    game: str | None = None
    section_s: float = 0.0


def read_info(path: Path) -> StreamInfo:
    """Read a yt-dlp info file. Entries of an unexpected type are ignored.

    Raises:
        UnreadableSidecarError: It is not a JSON object, or larger than `MAX_INFO_BYTES`.
    """
    fields = _fields(path)
    return StreamInfo(
        title=_text(fields, "title", "fulltitle"),
        channel=_text(fields, "channel", "uploader", "creator"),
        platform=_lower(_text(fields, "extractor_key", "extractor")),
        url=_text(fields, "webpage_url", "original_url"),
        started_at=_started_at(fields),
        game=_game(fields),
        section_s=_seconds(fields.get("section_start")),
    )


def write_info(path: Path, **changes: Any) -> None:
    """Create or update an info file; entries that are None change nothing.

    Raises:
        UnreadableSidecarError: The file exists and is not a JSON object.
    """
    fields = _fields(path) if path.exists() else {}
    fields |= {name: value for name, value in changes.items() if value is not None}
    path.write_text(valid_unicode(json.dumps(fields, ensure_ascii=False, indent=2)) + "\n", encoding="utf-8")


def _fields(path: Path) -> dict[str, Any]:
    name = shown_name(path.name)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_INFO_BYTES + 1)
        if len(content) > MAX_INFO_BYTES:
            raise UnreadableSidecarError(f"{name}: larger than the {MAX_INFO_BYTES >> 20} MB allowed for metadata")
        fields = json.loads(content.decode("utf-8-sig"))
    except (ValueError, OSError, RecursionError) as error:
        raise UnreadableSidecarError(f"{name}: not JSON: {_problem(error)}") from error
    if not isinstance(fields, dict):
        raise UnreadableSidecarError(f"{name}: expected a JSON object, found {type(fields).__name__}")
    return fields


def _problem(error: Exception) -> str:
    # The text of an OSError contains the whole path.
    return str(getattr(error, "strerror", None) or error) or type(error).__name__


def _text(fields: dict[str, Any], *names: str) -> str | None:
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return valid_unicode(value.strip())
    return None


def _seconds(value: object) -> float:
    number = _number(value)
    return number if number is not None and 0 <= number < LONGEST_SECTION_S else 0.0


def _number(value: object) -> float | None:
    """Return a number, also one that a program wrote as text."""
    is_text = isinstance(value, str) and len(value) <= _LONGEST_NUMBER
    if is_text or (isinstance(value, int | float) and not isinstance(value, bool)):
        with suppress(ValueError, OverflowError):
            return float(value)  # type: ignore[arg-type]
    return None


def _game(fields: dict[str, Any]) -> str | None:
    """Return the game played: `game` if set, else a category, or the longest chapter of a Twitch stream.

    yt-dlp turns the games of a Twitch recording into chapters; on other platforms chapters mean something else.
    """
    if stated := _text(fields, "game"):
        return stated
    categories = fields.get("categories")
    names = [name for name in categories if isinstance(name, str)] if isinstance(categories, list) else []
    if str(fields.get("extractor_key", "")).lower().startswith("twitch"):
        names += _by_length(fields.get("chapters"))
    return next(
        (valid_unicode(name.strip()) for name in names if name.strip() and name.strip().lower() not in _NO_GAMES),
        None,
    )


def _by_length(chapters: object) -> list[str]:
    lengths: dict[str, float] = {}
    for chapter in chapters if isinstance(chapters, list) else ():
        if isinstance(chapter, dict):
            title, start, end = chapter.get("title"), chapter.get("start_time"), chapter.get("end_time")
            if isinstance(title, str) and isinstance(start, int | float) and isinstance(end, int | float):
                lengths[title] = lengths.get(title, 0.0) + end - start
    return sorted(lengths, key=lambda title: -lengths[title])


def _lower(value: str | None) -> str | None:
    # yt-dlp's extractor keys are TwitchVod, Youtube, ...; analysts want twitch, youtube.
    # The extractor itself reads twitch:vod.
    name = (value or "").lower().partition(":")[0]
    return name.removesuffix("vod").removesuffix("stream") or name or None


def _started_at(fields: dict[str, Any]) -> datetime | None:
    for name in ("release_timestamp", "timestamp"):
        value = fields.get(name)
        with suppress(OverflowError, ValueError, OSError):
            if (number := _number(value)) is not None:
                # Unix times of this century in seconds have ten digits, in milliseconds thirteen.
                seconds = number / 1000 if number >= _FIRST_MILLISECONDS else number
                return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
            if isinstance(value, str) and len(value) <= _LONGEST_NUMBER:
                moment = datetime.fromisoformat(value)
                return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(tzinfo=None)
    return None
