"""Tweets from a file of any supported format, streaming."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from klip_assets.formats.refused import Refused
from klip_assets.formats.text import BrokenRecord, bounded_lines, damage_of, open_bytes, open_text
from klip_assets.signals.tweets.clock import Clock
from klip_assets.signals.tweets.columns import read_map
from klip_assets.signals.tweets.compliance import Deletion
from klip_assets.signals.tweets.counts import Unread
from klip_assets.signals.tweets.csv_reader import read_csv
from klip_assets.signals.tweets.json_reader import read_json
from klip_assets.signals.tweets.json_values import ARCHIVE
from klip_assets.signals.tweets.parquet_reader import MAGIC, read_parquet
from klip_assets.signals.tweets.rows import Row, now_utc
from klip_assets.signals.tweets.values import MAX_TEXT_CHARS

_HEAD = 4096
_ARCHIVES_OF_TWEETS = frozenset({"tweet", "tweets"})


class TweetReader:
    """Reads one file; `kind` and `clock` are filled in on the way.

    Reads JSON from the X API, version 2 (tweets, pages, twarc's flattened form, streams, compliance) and 1.1, from
    account archives (`tweets.js`) and from snscrape, one value per line or as documents; delimited text with a header;
    all plain, .gz or .zst; and Parquet. The format is detected from the content, not the name.

    Args:
        path: The file.
        now: Tweets from more than a day after this naive UTC time are refused; the current time by default.
        column_map: Path of its column map, which may not exist.

    Attributes:
        kind: Format of the file, in a few words, once reading has begun; '' if unknown.
        clock: Statistics on the times in it.
        unread: Its counts that were made NULL.
    """

    def __init__(self, path: Path, *, now: datetime | None = None, column_map: Path | None = None) -> None:
        self.path = path
        self.column_map = column_map
        self.kind = ""
        self.clock = Clock(now or now_utc())
        self.unread = Unread()

    def read(self) -> Iterator[Row | pa.Table | Deletion | Refused]:
        """Read the file in order. Unusable entries are yielded as `Refused` and do not stop the rest.

        Yields:
            Rows of TWEETS_RAW (whole tables for plain tweets, in no particular order among the rows), tweets to delete,
            or refusals, with position 'file' if the whole file is refused.
        """
        head, raw = self._head()
        try:
            mapped = read_map(self.column_map) if self.column_map else None
        except ValueError as error:
            yield Refused("file", "the column map next to it is not valid", str(error))
            return
        damage = damage_of(self.path)
        if raw.startswith(MAGIC):
            with self.path.open("rb") as file:
                is_plain = file.read(4) == MAGIC
            self.kind = "Parquet"
            if is_plain:
                rows = read_parquet(self.path, clock=self.clock, mapped=mapped, unread=self.unread)
                yield from map(_within_length, rows)
            else:
                yield Refused("file", "a Parquet file in a compressed file", "decompress it")
        elif "\0" in head:
            yield Refused("file", "not a text file", "it contains NUL bytes")
        elif not head.strip():
            yield Refused("file", damage.reason if damage else "the file is empty", damage.detail if damage else "")
        else:
            archive = ARCHIVE.match(head)
            if archive and archive[1] not in _ARCHIVES_OF_TWEETS:
                self.kind = "account archive"
                yield Refused("file", f"an account archive's {archive[1].replace('_', ' ')}, not its tweets", "")
                return
            is_json = archive or head.lstrip()[0] in "{["
            self.kind = "account archive" if archive else "JSON" if is_json else "delimited text"
            read = read_json if is_json else read_csv
            found = read(self.path, clock=self.clock, mapped=mapped, unread=self.unread)
            yield from map(_within_length, found)
            if damage:
                yield Refused("end of file", damage.reason, damage.detail)

    def _head(self) -> tuple[str, bytes]:
        """Return the first characters of the file, and its first bytes, unpacked."""
        with open_bytes(self.path) as stream:
            raw = stream.read(_HEAD)
        with open_text(self.path) as text:
            head = text.read(_HEAD)
        if not head.strip():
            # Blank for a whole block: read on, a file may start with empty lines.
            with open_text(self.path) as text:
                lines = (line for line in bounded_lines(text) if isinstance(line, BrokenRecord) or line.strip())
                first = next(lines, "")
                head = "" if isinstance(first, BrokenRecord) else first
        return head, raw


def read_tweets(
    path: Path, *, now: datetime | None = None, column_map: Path | None = None
) -> Iterator[Row | Deletion | Refused]:
    """Read the tweets of a file as `TweetReader` does, but row by row."""
    for found in TweetReader(path, now=now, column_map=column_map).read():
        if isinstance(found, pa.Table):
            yield from found.to_pylist()
        else:
            yield found


def _within_length(found: Row | pa.Table | Deletion | Refused) -> Row | pa.Table | Deletion | Refused:
    if not isinstance(found, dict) or len(text := str(found["text"])) <= MAX_TEXT_CHARS:
        return found
    detail = f"{len(text):,} characters; the longest posts have {MAX_TEXT_CHARS:,}"
    return Refused(f"tweet {found['tweet_id']}", "too long for a tweet", detail)
