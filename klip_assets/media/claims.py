"""What the header of a recording claims about its length, and what of the file no packet was read from."""

from __future__ import annotations

from pathlib import Path

from klip_assets.media.boxes import boxes, second_movie
from klip_assets.media.endings import read_xing, stated_bytes, tag_bytes
from klip_assets.media.probe import MediaInfo
from klip_assets.media.timeline import Timeline

#: Containers (FFmpeg's names) whose header states the length. That of the others is FFmpeg's guess from the bit rate
#: or its reading of the last timestamps, which is no claim.
_STATE_LENGTH = frozenset(
    ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "flv", "avi", "asf", "wav", "w64", "aiff", "caf", "au", "flac")
)

#: A claim that differs from what was found by no more than this is rounding or padding.
TOLERANCE_S, TOLERANCE_SHARE = 2.0, 0.01

#: Behind the last packet there may be an index, tags or pictures; a larger part of the file is content that was not
#: read.
UNREAD_BYTES, UNREAD_SHARE = 16 << 10, 0.2

#: Containers of which FFmpeg silently takes the file's own size where the header states a larger one.
_SCALED = ("wav", "aiff", "avi")

#: Files that lack fewer bytes than this have a wrong header.
_ROUNDING_BYTES = 64

#: FFmpeg takes an MP3 for several joined ones, and guesses, where it is longer by this share than its header states.
_JOINED_SHARE = 1 / 16


def tolerance_s(duration_s: float) -> float:
    """Return by how many seconds two statements of a length may differ."""
    return max(TOLERANCE_S, TOLERANCE_SHARE * duration_s)


def claimed_s(path: Path, info: MediaInfo) -> float | None:
    """Return the length in seconds that the header of a recording states, None if it states none."""
    states = info.container in _STATE_LENGTH or (info.container == "mp3" and _has_mp3_length(path))
    if not states or info.duration_s is None:
        return None
    if info.container.startswith("mov,") and any(box.kind == "moof" for box in boxes(path)):
        return None  # FFmpeg adds up the fragments that are there.
    stated = stated_bytes(path, info.container) if info.container in _SCALED else 0
    return info.duration_s * max(1.0, stated / path.stat().st_size)


def differs(claimed: float, timeline: Timeline) -> bool:
    """Return whether the header's length is neither the length of the recording nor the timestamp of its end."""
    found = timeline.duration_s
    # The timestamp at the end, as it is in the file: before jumps were closed.
    ends = {found, *(found - shifts[-1] for shifts in timeline.shifts.values())}
    return all(abs(claimed - end) > tolerance_s(max(claimed, found)) for end in ends)


def missing_bytes(path: Path, info: MediaInfo) -> int:
    """Return how many bytes at the end of a file are not there, of those that it states of itself."""
    missing = stated_bytes(path, info.container) - path.stat().st_size
    return missing if missing > _ROUNDING_BYTES else 0


def unread_bytes(path: Path, info: MediaInfo, timeline: Timeline) -> int:
    """Return how many bytes at the end of a recording hold content that no packet was read from."""
    size = path.stat().st_size
    if info.container.startswith("mov,"):
        second = second_movie(path)
        # FFmpeg goes on to the fragments of a second one.
        return size - second if second is not None and (timeline.read_bytes or 0) <= second else 0
    if timeline.read_bytes is None:
        return 0
    # A WAV may have chunks of any kind behind its samples.
    read = max(timeline.read_bytes, stated_bytes(path, info.container) if info.container == "wav" else 0)
    unread = size - read - tag_bytes(path)
    return unread if unread > max(UNREAD_BYTES, UNREAD_SHARE * size) else 0


def _has_mp3_length(path: Path) -> bool:
    """Return whether an MP3 states its length, and for all of it."""
    with path.open("rb") as file:
        xing = read_xing(file)
    if xing is None:
        return False
    return not xing.size or path.stat().st_size - xing.at - xing.size <= _JOINED_SHARE * xing.size
