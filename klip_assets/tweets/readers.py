"""Tweets from a file of any kind that Klip knows, streaming.

Put here: finding out what kind of file it is, from its content. Keep out: each kind's own reading
(`tweets.json_reader`, `tweets.csv_reader`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from klip_assets.refused import Refused
from klip_assets.textfile import BrokenRecord, bounded_lines, damage_of, open_text
from klip_assets.tweets.csv_reader import read_csv
from klip_assets.tweets.json_reader import read_json
from klip_assets.tweets.rows import now_utc

#: The longest posts of X have 25,000 characters.
MAX_TEXT_CHARS = 25_000

_HEAD = 4096


def read_tweets(path: Path, *, now: datetime | None = None) -> Iterator[dict[str, object] | Refused]:
    """Read the tweets of a file, in its order. What can't be used is yielded as `Refused` and never stops the rest.

    Known are JSON and JSON lines of the X API (flat tweets, response pages, twarc's flattened form) and delimited
    text with a header; plain, .gz or .zst. The kind is taken from the content, not from the name.

    Args:
        path: The file.
        now: Tweets from more than a day after this naive UTC time are refused; the present by default.

    Yields:
        Rows of TWEETS_RAW, or what was refused: position 'file' if the file as a whole is.
    """
    with open_text(path) as stream:
        head = stream.read(_HEAD)
    if not head.strip():
        # Blank for a whole block: look on, a file may start with empty lines.
        with open_text(path) as stream:
            lines = (line for line in bounded_lines(stream) if isinstance(line, BrokenRecord) or line.strip())
            first = next(lines, "")
            head = "" if isinstance(first, BrokenRecord) else first
    damage = damage_of(path)
    now = now or now_utc()
    if "\0" in head:
        yield Refused("file", "not a text file", "it holds NUL bytes")
    elif not head.strip():
        yield Refused("file", damage.reason if damage else "the file is empty", damage.detail if damage else "")
    else:
        read = read_json if head.lstrip()[0] in "{[" else read_csv
        yield from map(_within_length, read(path, now=now))
        if damage:
            yield Refused("end of file", damage.reason, damage.detail)


def _within_length(found: dict[str, object] | Refused) -> dict[str, object] | Refused:
    text = "" if isinstance(found, Refused) else str(found["text"])
    if isinstance(found, Refused) or len(text) <= MAX_TEXT_CHARS:
        return found
    detail = f"{len(text):,} characters; the longest posts have {MAX_TEXT_CHARS:,}"
    return Refused(f"tweet {found['tweet_id']}", "too long for a tweet", detail)
