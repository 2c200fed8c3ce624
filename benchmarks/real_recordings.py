"""Results on real recordings and tweets: rows and seconds per stage.

    python benchmarks/real_recordings.py [--top 3] FILE...

Without files it uses the longest recording of each speech and media set next to the checkout, and the real tweet files
(../shared/data; see docs/figures.md).
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from record import keep

from klip_assets.cli.inbox import add_path
from klip_assets.cli.process import run_process
from klip_assets.errors import UnreadableMediaError
from klip_assets.inbox.media_files import MEDIA_SUFFIXES
from klip_assets.media.probe import probe
from klip_assets.settings import Settings
from klip_assets.store.warehouse.query import run_sql

SETS = ("sp-whisper-timestamped", "sp-silero", "sp-ami-pyannote", "media-moviepy")
TWEETS = ("tw-538", "tw-twarc-v2")


def main() -> None:
    """Process the files in a separate folder and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--top", type=int, default=3)
    args = parser.parse_args()
    files = args.files or real_files(Path(__file__).resolve().parents[2] / "shared" / "data")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"KLIP_DATA_DIR": f"{folder}/data", "KLIP_DAGSTER_STORAGE": f"{folder}/dagster"}
        settings = Settings()
        settings.make_folders()
        for file in files:
            add_path(settings, file)
        report = run_process(settings)
        for row in report.rows:
            print(row)
        keep("real_recordings", **show(settings, args.top))


def real_files(data: Path) -> list[Path]:
    """Return the longest recording of each set, and every tweet file."""
    chosen = []
    for name in SETS:
        lengths = {path: _length(path) for path in (data / name).rglob("*") if path.suffix.lower() in MEDIA_SUFFIXES}
        chosen.append(max(lengths, key=lambda path: (lengths[path], str(path))))
    for name in TWEETS:
        chosen += sorted(p for p in (data / name).rglob("*") if p.suffix in (".csv", ".json", ".jsonl"))
    return chosen


def show(settings: Settings, top: int) -> dict[str, object]:
    """Print rows and seconds per stage, the top highlights, and the tweets; return the rows, and counts of tweets."""
    path = settings.warehouse_path
    statement = """
        SELECT v.video_id, v.status, round(v.duration_s, 1) AS duration_s,
               (SELECT count(*) FROM transcript_words w WHERE w.video_id = v.video_id) AS words,
               (SELECT count(*) FROM segments s WHERE s.video_id = v.video_id) AS segments,
               (SELECT count(*) FROM highlights h WHERE h.video_id = v.video_id) AS highlights,
               (SELECT string_agg(table_name || ' ' || round(seconds, 2), ', ' ORDER BY started_at) FROM stage_status
                WHERE partition = v.video_id AND seconds >= 0.05) AS seconds_by_stage
        FROM videos v ORDER BY v.video_id"""
    recordings = run_sql(path, statement).to_pylist()
    for row in recordings:
        print(row)
    best = "SELECT video_id, rank, peak_s, score, why, text FROM highlights WHERE rank <= ? ORDER BY ALL"
    for row in run_sql(path, best, [top]).to_pylist():
        print(row)
    totals = "SELECT count(*) AS tweets, count(DISTINCT day) AS days, min(day) AS first, max(day) AS last FROM tweets"
    tweets = {name: str(value) for name, value in run_sql(path, totals).to_pylist()[0].items()}
    print(tweets)
    refused = """
        SELECT source_file, table_name, count(*) AS refused, any_value(reason) AS reason
        FROM quarantine GROUP BY ALL ORDER BY ALL"""
    for row in run_sql(path, refused).to_pylist():
        print(row)
    return {"recordings": recordings, "tweets": tweets}


def _length(path: Path) -> float:
    try:
        return probe(path).duration_s or 0.0
    except UnreadableMediaError:
        return 0.0


if __name__ == "__main__":
    main()
