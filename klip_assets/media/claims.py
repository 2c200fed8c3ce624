"""What the header of a recording claims about its length, and what of the file no packet was read from."""

from __future__ import annotations

from pathlib import Path

from klip_assets.media.boxes import second_movie
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

#: Sizes from here on are placeholders of writers that did not know them.
_UNKNOWN_BYTES = 0x7FFF_0000


def tolerance_s(duration_s: float) -> float:
    """Return by how many seconds two statements of a length may differ."""
    return max(TOLERANCE_S, TOLERANCE_SHARE * duration_s)


def claimed_s(path: Path, info: MediaInfo) -> float | None:
    """Return the length in seconds that the header of a recording states, None if it states none."""
    states = info.container in _STATE_LENGTH or (info.container == "mp3" and _has_mp3_length(path))
    if not states or info.duration_s is None:
        return None
    # FFmpeg silently takes the file's own size where the header states a larger one.
    return info.duration_s * max(1.0, _stated_bytes(path) / path.stat().st_size)


def differs(claimed: float, timeline: Timeline) -> bool:
    """Return whether the header's length is neither the length of the recording nor the timestamp of its end."""
    found = timeline.duration_s
    ends = {found, found + timeline.origin_s}
    return all(abs(claimed - end) > tolerance_s(max(claimed, found)) for end in ends)


def unread_bytes(path: Path, info: MediaInfo, timeline: Timeline) -> int:
    """Return how many bytes at the end of a recording hold content that no packet was read from."""
    size = path.stat().st_size
    if info.container.startswith("mov,"):
        second = second_movie(path)
        return size - second if second is not None else 0
    if timeline.read_bytes is None:
        return 0
    unread = size - timeline.read_bytes
    return unread if unread > max(UNREAD_BYTES, UNREAD_SHARE * size) else 0


def _stated_bytes(path: Path) -> int:
    """Return the size in bytes that the header of a WAV or AIFF file states, 0 if it states none."""
    with path.open("rb") as file:
        head = file.read(8)
    order = {b"RIFF": "little", b"FORM": "big"}.get(head[:4])
    size = int.from_bytes(head[4:], "big" if order == "big" else "little") if order else 0
    # Written to a pipe, the size stays at its largest value.
    return 0 if size >= _UNKNOWN_BYTES else size + 8


def _has_mp3_length(path: Path) -> bool:
    # The first frame of an MP3 with a stated length holds no sound but a Xing, Info or VBRI header.
    with path.open("rb") as file:
        head = file.read(10)
        at = 0
        if head[:3] == b"ID3":
            at = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        file.seek(at)
        first = file.read(2048)
    return any(tag in first for tag in (b"Xing", b"Info", b"VBRI"))
