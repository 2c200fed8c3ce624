"""An analyst who reconnects and queries in a loop, and knows what he may see.

Each recording exists in two takes: of 4 s with the words "first take", of 5 s with the words "second take".
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

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
TAKES = {4.0: (4, "first take", 4.0), 5.0: (5, "second take", 5.0)}


def main(database: str, stop: Path, report: Path) -> None:
    """Query until the file `stop` is there; then write what was seen."""
    opened = queries = 0
    wrong: list[str] = []
    last: dict[str, float] = {}
    while not stop.exists():
        if not Path(database).exists():
            if opened:
                wrong.append("klip.duckdb is gone")
            continue
        try:
            with duckdb.connect(database, read_only=True) as connection:
                opened += 1
                for _ in range(3):
                    rows = connection.execute(QUERY).fetchall()
                    queries += 1
                    wrong += wrong_rows(rows, last)
        except duckdb.Error as error:
            wrong.append(f"{type(error).__name__}: {error}")
    report.write_text(json.dumps({"opened": opened, "queries": queries, "wrong": wrong[:20], "videos": len(last)}))


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
