"""Ids of videos: an ASCII slug of the file's stem that can name a folder, a partition and a SQL value."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Container
from pathlib import PurePath

from klip_assets.contracts.subject import is_day

LONGEST = 80


def slug_of(stem: str) -> str:
    """Turn a file's stem into an ASCII slug, '' if nothing is left of it."""
    ascii_text = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9_]+", "-", ascii_text.lower()).strip("-_")[:LONGEST].rstrip("-_")


def video_id_for(name: PurePath, taken: Container[str]) -> str:
    """Return the id of a new recording.

    Args:
        name: Its path relative to the inbox.
        taken: Ids of other recordings.

    Returns:
        The slug of the stem; if that is taken, with the extension; if that is taken too, with six hexadecimal digits of
        the path's hash.
    """
    digits = hashlib.sha256(os.fsencode(name)).hexdigest()[:6]
    slug = slug_of(name.stem)
    if is_day(slug):
        # "2026-06-13.mp4": videos and days of tweets share the column `partition`, so their keys must differ.
        slug = f"video-{slug}"
    extension = slug_of(name.suffix)
    candidates = [slug, f"{slug}-{extension}", f"{slug}-{digits}"] if slug else [f"video-{digits}"]
    free = [candidate for candidate in candidates if candidate not in taken]
    return free[0] if free else f"{slug or 'video'}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:12]}"
