"""The size a file states of itself, and the tags behind its content, neither of which FFmpeg shows."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import BinaryIO

from klip_assets.media.boxes import boxes

#: Sizes of RIFF files from here on are placeholders of writers that did not know them.
_UNKNOWN_BYTES = 0x7FFF_0000

#: Boxes of an MP4 that are not inside others. What follows anything else may be text, not a size.
_BOXES = frozenset(
    ("ftyp", "styp", "moov", "moof", "mdat", "mfra", "free", "skip", "wide", "uuid", "meta", "sidx", "ssix", "prft")
)

#: An Ogg page is no longer than this.
_LONGEST_PAGE = 27 + 255 + 255 * 255


def stated_bytes(path: Path, container: str) -> int:
    """Return the size in bytes that a file states of itself, 0 if it states none.

    Args:
        path: The file.
        container: FFmpeg's name of its container.
    """
    if container.startswith("mov,"):
        known = takewhile(lambda box: box.kind in _BOXES, boxes(path))
        return max((box.at + box.size for box in known), default=0)
    with path.open("rb") as file:
        if container.startswith("matroska"):
            return _matroska_bytes(file)
        if container == "ogg":
            return _ogg_bytes(file, path.stat().st_size)
        if container == "flv":
            return _flv_bytes(file)
        if container == "mp3":
            xing = read_xing(file)
            # Some encoders count the tag before the first frame, too.
            return xing.size if xing else 0
        return _riff_bytes(file)


def tag_bytes(path: Path) -> int:
    """Return how many bytes at the end of a file are tags (ID3v1, APEv2)."""
    size = left = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, left - 128))
        if file.read(3) == b"TAG":
            left -= 128
        file.seek(max(0, left - 32))
        foot = file.read(32)
        if foot[:8] == b"APETAGEX":
            has_head = foot[23] & 0x80
            left -= int.from_bytes(foot[12:16], "little") + (32 if has_head else 0)
    return size - max(0, left)


@dataclass(frozen=True)
class Xing:
    """The header that states the length of an MP3.

    Attributes:
        at: Where the first frame begins, which holds it.
        size: Bytes from there to the end, 0 if it does not state them.
    """

    at: int
    size: int


def read_xing(file: BinaryIO) -> Xing | None:
    """Return the header that states the length of an MP3, None if it has none."""
    at = 0
    while (head := file.read(10))[:3] == b"ID3" and len(head) == 10:
        at += 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        file.seek(at)
    file.seek(at)
    first = file.read(2048)
    if (where := first.find(b"VBRI")) >= 0:
        return Xing(at, int.from_bytes(first[where + 10 : where + 14], "big"))
    where = max(first.find(b"Xing"), first.find(b"Info"))
    if where < 0 or where + 16 > len(first):
        return None
    has_frames, has_bytes = first[where + 7] & 1, first[where + 7] & 2
    start = where + (12 if has_frames else 8)
    return Xing(at, int.from_bytes(first[start : start + 4], "big") if has_bytes else 0)


def _flv_bytes(file: BinaryIO) -> int:
    """Return the size in the metadata at the start of an FLV."""
    head = file.read(4096)
    at = head.find(b"\x00\x08filesize\x00") + 11
    if at == 10 or at + 8 > len(head):
        return 0
    (size,) = struct.unpack(">d", head[at : at + 8])
    return int(size) if 0 < size < 1 << 60 else 0


def _riff_bytes(file: BinaryIO) -> int:
    head = file.read(8)
    order = {b"RIFF": "little", b"FORM": "big"}.get(head[:4])
    size = int.from_bytes(head[4:], "big" if order == "big" else "little") if order else 0
    # Written to a pipe, the size stays at its lowest or largest value.
    return 0 if size == 0 or size >= _UNKNOWN_BYTES else size + 8


def _matroska_bytes(file: BinaryIO) -> int:
    """Return the end of the segment, which is all of the file behind the EBML header."""
    head = file.read(4096)
    at, size = 4, _vint(head, 4)
    if size is None:
        return 0
    at += size[1] + size[0]
    size = _vint(head, at + 4)
    if head[at : at + 4] != b"\x18\x53\x80\x67" or size is None:
        return 0
    return at + 4 + size[1] + size[0]


def _vint(content: bytes, at: int) -> tuple[int, int] | None:
    """Return a size of EBML and its own length in bytes, None if it is unknown."""
    if at >= len(content) or not content[at]:
        return None
    length = 9 - content[at].bit_length()
    value = int.from_bytes(content[at : at + length], "big") & ((1 << 7 * length) - 1)
    return None if value == (1 << 7 * length) - 1 else (value, length)


def _ogg_bytes(file: BinaryIO, size: int) -> int:
    """Return the end of the last page."""
    start = max(0, size - _LONGEST_PAGE)
    file.seek(start)
    content = file.read()
    at = content.rfind(b"OggS\0")
    if at < 0 or at + 27 > len(content):
        return size
    lacing = content[at + 27 : at + 27 + content[at + 26]]
    return start + at + 27 + content[at + 26] + sum(lacing)
