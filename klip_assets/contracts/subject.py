"""What a partition is about: a video, or a UTC day of tweets."""

from __future__ import annotations

import re


def is_day(key: str) -> bool:
    """Say whether the key of a partition names a day (YYYY-MM-DD); no video id has that form."""
    return re.fullmatch(r"\d{4}-\d\d-\d\d", key, re.ASCII) is not None
