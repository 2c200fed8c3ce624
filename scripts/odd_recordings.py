"""Make odd recordings of every kind and container, process them, and print how many come out right.

    python scripts/odd_recordings.py [--only KIND ...] [--keep FOLDER]

Each has a burst and, where it has a picture, a flash at one known second. Right means: a row in `videos` with the
expected status and length, the loudest second and a highlight where the burst is, and a sentence in `error`,
`video_error` or `quarantine` wherever something is missing or odd. `odd_media/kinds.py` lists the recordings.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import duckdb
from odd_media.kinds import Odd, recordings

from klip_assets.settings import Settings
from klip_assets_tests.worked import work


def judge(odd: Odd, connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Return what is wrong with how a recording came out, [] if nothing is."""
    rows = connection.execute(
        "SELECT video_id, status, duration_s, error, video_error FROM videos WHERE source_path = ?", [odd.name]
    ).fetchall()
    if not rows:
        return ["no row in videos"]
    ((key, status, length, error, video_error),) = rows
    wrong = [] if status in odd.statuses else [f"status {status}: {error}"]
    if odd.length_s is not None and (length is None or abs(length - odd.length_s) > 0.35):
        wrong.append(f"length {length}, not {odd.length_s}")
    stem = Path(odd.name).stem
    (refused,) = connection.execute(
        "SELECT count(*) FROM quarantine WHERE starts_with(source_file, ?)", [f"{stem}."]
    ).fetchone() or (0,)
    if odd.says and not (error or video_error or refused):
        wrong.append("nothing is said")
    if odd.burst_s is not None:
        (loudest,) = connection.execute(
            "SELECT arg_max(t_s, rms_dbfs) FROM audio_features WHERE video_id = ?", [key]
        ).fetchone() or (None,)
        if loudest is None or abs(loudest - odd.burst_s) > 0.6:  # A burst may lie in two seconds.
            wrong.append(f"loudest second {loudest}, not {odd.burst_s}")
        (found,) = connection.execute(
            "SELECT count(*) FROM highlights WHERE video_id = ? AND start_s <= ? + 0.5 AND end_s >= ? + 0.5",
            [key, odd.burst_s, odd.burst_s],
        ).fetchone() or (0,)
        if not found:
            wrong.append("no highlight holds the burst")
    return wrong


def main() -> int:
    """Print the table, and what is wrong; return 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="KIND", help="Only these kinds, or files of these names.")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="Data folder to keep, or one that was kept.")
    parser.add_argument("--verbose", action="store_true", help="Also print what Klip says of each recording.")
    arguments = parser.parse_args()
    only = arguments.only
    chosen = [odd for odd in recordings() if only is None or odd.kind in only or odd.name in only]
    if len({odd.name for odd in chosen}) < len(chosen):
        raise SystemExit("two recordings have the same name")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep.absolute() if arguments.keep else Path(scratch, "data")
        os.environ |= {"KLIP_DATA_DIR": str(folder), "KLIP_ENV_FILE": ""}
        settings = Settings()
        settings.make_folders()
        for odd in chosen:
            if not (path := settings.vod_inbox / odd.name).exists():
                odd.make(path)
        work(settings)
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            results = [(odd, judge(odd, connection)) for odd in chosen]
            said = {name: line for name, *line in connection.execute(_SAID).fetchall()}
    for kind in dict.fromkeys(odd.kind for odd in chosen):
        mine = [wrong for odd, wrong in results if odd.kind == kind]
        print(f"{kind:44} {len(mine):4} files {sum(not wrong for wrong in mine):4} right")
    for odd, wrong in results:
        failed += bool(wrong)
        if wrong or arguments.verbose:
            print(f"  {odd.kind}, {odd.name}: {'; '.join(wrong) or 'right'}", *said.get(odd.name, []), sep=" | ")
    print(f"{len(results)} files, {len(results) - failed} right")
    return 1 if failed else 0


_SAID = "SELECT source_path, status, round(duration_s, 2), error, video_error FROM videos"


if __name__ == "__main__":
    raise SystemExit(main())
