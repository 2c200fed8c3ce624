"""File names in the tweet inbox: tweet files, and the column map that may be beside one."""

from __future__ import annotations

from pathlib import Path

#: Ending of the name of a column map.
MAP_SUFFIX = ".map.json"

#: Endings of tweet files; the format is detected from the content.
TWEET_SUFFIXES = (
    *(
        kind + packed
        for kind in (".jsonl", ".ndjson", ".json", ".js", ".csv", ".tsv", ".txt")
        for packed in ("", ".gz", ".zst")
    ),
    ".parquet",
)


def map_path(path: Path) -> Path:
    """Return the path of a tweet file's column map: `tweets.csv.map.json` for `tweets.csv`."""
    return path.with_name(path.name + MAP_SUFFIX)
