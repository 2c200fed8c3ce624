"""Names in the tweet inbox: of tweet files, and of the map of columns that may lie beside one."""

from __future__ import annotations

from pathlib import Path

#: What the name of a map of columns ends in.
MAP_SUFFIX = ".map.json"

#: Names that tweet files go by; what a file is shows its content.
TWEET_SUFFIXES = (
    *(
        kind + packed
        for kind in (".jsonl", ".ndjson", ".json", ".js", ".csv", ".tsv", ".txt")
        for packed in ("", ".gz", ".zst")
    ),
    ".parquet",
)


def map_path(path: Path) -> Path:
    """Return where the map of a tweet file's columns lies: `tweets.csv.map.json` beside `tweets.csv`."""
    return path.with_name(path.name + MAP_SUFFIX)
