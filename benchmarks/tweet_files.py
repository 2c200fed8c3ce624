"""Accounts for every record of every tweet file below a folder: read, merged, reported as deleted, or refused.

    python benchmarks/tweet_files.py FOLDER

Searches the folders `tw-*` in FOLDER (or all of FOLDER, if it has none), prints one row per file, and fails if a record
is unaccounted for. No tweet text is printed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from record import keep

from klip_assets.inbox.tweet_files import map_path
from klip_assets.signals.tweets.staging import stage

SUFFIXES = (".json", ".jsonl", ".csv", ".tsv", ".js", ".parquet", ".gz", ".zst", ".ndjson", "_text.txt")
#: SemEval's files have no header: id, label, text.
NO_HEADER = {"tweet_id": "#1", "text": "#3"}


def look(folder: Path) -> list[dict[str, Any]]:
    """Stage every tweet file below a folder; return one row each."""
    roots = sorted(folder.glob("tw-*")) or [folder]
    paths = [path for root in roots for path in sorted(root.rglob("*")) if path.name.endswith(SUFFIXES)]
    return [look_at(path, path.relative_to(folder)) for path in paths]


def look_at(path: Path, name: Path) -> dict[str, Any]:
    """Stage one file; account for its records."""
    import tempfile

    with tempfile.TemporaryDirectory() as base:
        if "Subtask_A" in path.parts:
            # Next to a column map, as written by `klip add --map`; the folder itself may be read-only.
            link = Path(base) / path.name
            link.symlink_to(path.resolve())
            map_path(link).write_text(json.dumps(NO_HEADER))
            path = link
        staged = stage(path, column_map=map_path(path))
        out = sum(part.num_rows for part in staged.parts.values())
    assert out == staged.rows_out
    listed = [entry for entry in staged.refused if entry.position != "rest"]
    more = [int(entry.detail.split()[0].replace(",", "")) for entry in staged.refused if entry.position == "rest"]
    return {
        "file": str(name),
        "kind": staged.kind,
        "rows in": staged.rows_in,
        "rows out": out,
        "duplicates": staged.duplicates,
        "deletions": staged.deletions,
        "refused": len(listed) + sum(more),
        "time mismatches": staged.time_mismatches,
        "typical": staged.typical_offset,
    }


def main() -> None:
    """Print the table, and any problems with it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    rows = look(parser.parse_args().folder)
    heads = list(rows[0])
    print(f"| {' | '.join(heads)} |\n| {' | '.join('---' for _ in heads)} |")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row.values())} |")
    parts = ("rows out", "duplicates", "deletions", "refused")
    wrong = [row["file"] for row in rows if row["rows in"] != sum(row[part] for part in parts)]
    total = {head: sum(row[head] for row in rows) for head in ("rows in", *parts, "time mismatches")}
    print(f"\n{len(rows)} files: {', '.join(f'{count:,} {head}' for head, count in total.items())}")
    keep("tweet_files", files=len(rows), **total)
    if wrong:
        sys.exit(f"records unaccounted for in: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
