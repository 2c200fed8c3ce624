"""Top-level boxes of MP4 and MOV files, which FFmpeg does not show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Box:
    """A top-level box of an MP4 or MOV file: its type, where it begins and how long it says it is."""

    kind: str
    at: int
    size: int


def boxes(path: Path) -> Iterator[Box]:
    """Yield the top-level boxes of an MP4 or MOV file (ISO/IEC 14496-12), as far as they make sense."""
    end = path.stat().st_size
    at = 0
    with path.open("rb") as file:
        while at + 8 <= end:
            file.seek(at)
            head = file.read(16)
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if size == 1 and len(head) == 16:
                size = int.from_bytes(head[8:], "big")
            elif size == 0:
                size = end - at
            if size < 8 or not all(32 <= byte < 127 for byte in kind):
                return
            yield Box(kind.decode("ascii"), at, size)
            at += size


def lacks_index(path: Path) -> bool:
    """Return whether a file is an MP4 or MOV recording whose index is not all there, as in one never finished."""
    found = list(boxes(path))
    end = path.stat().st_size
    whole = any(box.kind == "moov" and box.at + box.size <= end for box in found)
    return any(box.kind == "mdat" for box in found) and not whole


def second_movie(path: Path) -> int | None:
    """Return where a second MP4 appended to the first one begins, None if there is none."""
    return next((box.at for box in boxes(path) if box.kind == "ftyp" and box.at > 0), None)
