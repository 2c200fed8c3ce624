"""Scans of an inbox with thousands of files that are none of Klip's, such as thumbnails: the first one, and later ones.

python benchmarks/unknown_files.py [--files 10000] [--scans 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from record import keep

from klip_assets.settings import Settings
from klip_assets.work.installation import Installation
from klip_assets.work.scan import scan


def main() -> None:
    """Print the seconds of the first scan and of later ones, and record them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--scans", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"KLIP_DATA_DIR": str(Path(folder) / "data"), "KLIP_ENV_FILE": ""}
        settings = Settings()
        settings.make_folders()
        for number in range(arguments.files):
            (settings.vod_inbox / f"thumbnail-{number:06d}.jpg").write_bytes(b"\xff\xd8\xff")
        first, *later = (_seconds_of_scan(settings) for _ in range(arguments.scans + 1))
    median = statistics.median(later)
    print(f"{arguments.files:,} unknown files: first scan {first:.2f} s, later ones {median:.2f} s (median)")
    keep("unknown_files", files=arguments.files, first_s=round(first, 2), later_s=round(median, 2))


def _seconds_of_scan(settings: Settings) -> float:
    began = time.perf_counter()
    scan(Installation(settings), {})
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
