"""An analyst who reconnects and queries in a loop, and knows what may be seen.

Each recording exists in two takes: of 4 s with the words "first take", of 5 s with the words "second take".
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb

QUERY = """
    SELECT video_id, duration_s, f.seconds, w.words, s.ends, r.versions
    FROM videos
    LEFT JOIN (SELECT video_id, count(*) AS seconds FROM audio_features GROUP BY ALL) f USING (video_id)
    LEFT JOIN (SELECT video_id, string_agg(lower(word), ' ' ORDER BY word_index) AS words
               FROM transcript_words GROUP BY ALL) w USING (video_id)
    LEFT JOIN (SELECT video_id, max(end_s) AS ends FROM segments GROUP BY ALL) s USING (video_id)
    LEFT JOIN (SELECT partition AS video_id, count(*) AS versions FROM provenance
               WHERE table_name <> 'stage_status' GROUP BY ALL) r USING (video_id)
"""
PAUSE_S = 1.0
TAKES = {4.0: (4, "first take", 4.0), 5.0: (5, "second take", 5.0)}


def main(database: str, stop: Path, report: Path) -> None:
    """Query until the file `stop` is there, and write what was seen so far."""
    queries: Counter[str] = Counter()
    versions: set[str] = set()
    wrong: list[str] = []
    last: dict[str, float] = {}
    while not stop.exists():
        if not Path(database).exists():
            if versions:
                wrong.append("klip.duckdb is gone")
            continue
        try:
            versions.add(Path(database).resolve().name)
            with duckdb.connect(database, read_only=True) as connection:
                for _ in range(3):
                    rows = connection.execute(QUERY).fetchall()
                    queries[phase_of(rows)] += 1
                    wrong += wrong_rows(rows, last)
        except duckdb.Error as error:
            wrong.append(f"{type(error).__name__}: {error}")
        # A person thinks between two queries, and the runs need the processor, too.
        time.sleep(PAUSE_S)
        write_report(report, {"queries": queries, "versions": len(versions), "wrong": wrong[:20], "videos": len(last)})


def phase_of(rows: list[tuple[str, float, int, str, float, int]]) -> str:
    """Return what is published: first takes, second takes, or some of each."""
    takes = {words for _, _, _, words, _, _ in rows}
    return takes.pop() if len(takes) == 1 else "both"


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write what was seen so far; whoever reads it finds it whole."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps(report))
    new.replace(path)


def wrong_rows(rows: list[tuple[str, float, int, str, float, int]], last: dict[str, float]) -> list[str]:
    """Say which rows are missing, mixed from two generations, or older than what was seen before."""
    wrong = [f"{video} is missing" for video in last.keys() - {row[0] for row in rows}]
    for video, duration, *others, _ in rows:
        if tuple(others) != TAKES.get(round(duration, 3)):
            wrong.append(f"{video} mixes generations: {duration} {others}")
        if duration < last.get(video, 0.0):
            wrong.append(f"{video} went back")
        last[video] = duration
    if len({row[5] for row in rows}) > 1:
        wrong.append("some video has not all its tables")
    return wrong


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
