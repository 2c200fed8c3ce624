"""Run each test file that waits for something five times, with two busy processes in the background.

    python scripts/tests_under_load.py --log LOG
    python scripts/tests_under_load.py --log LOG service/test_ui.py --times 20

A test that waits by the clock passes on a quiet machine and fails on a busy one. Each run is appended to the log as a
line of JSON, and runs that are already in the log are not repeated, so the script can be interrupted and restarted at
any time. At the end it prints one line per file, and exits with 1 if a run failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
TESTS = REPOSITORY / "klip_assets_tests"
#: What appears in a test that waits for another thread, another process or a service.
WAITS = re.compile(r"\buntil\(|\bwait_for_|\.wait\(|\bmake_service\b|\bwaitpid\(|\bthreading\.|\bmultiprocessing\b")
_LAST_LINES = 40


def files_with_waits() -> list[str]:
    """Return the test files that wait for something, the slowest first."""
    found = [path for path in sorted(TESTS.rglob("test_*.py")) if WAITS.search(path.read_text(encoding="utf-8"))]
    return [str(path.relative_to(TESTS)) for path in sorted(found, key=lambda path: "service" not in path.parts)]


@contextmanager
def busy(number: int) -> Iterator[None]:
    """Keep this many processes busy while the block runs."""
    endless = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(endless) for _ in range(number)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def run(file: str, number: int) -> dict[str, Any]:
    """Run a test file; return the outcome, with the last lines of output if it failed."""
    began, load = time.monotonic(), os.getloadavg()[0]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS / file)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    result = {
        "file": file, "run": number, "passed": done.returncode == 0, "seconds": round(time.monotonic() - began, 1),
        "load": [round(load, 1), round(os.getloadavg()[0], 1)], "commit": commit(), "said": done.stdout.split("\n")[-2],
    }  # fmt: skip
    return result if result["passed"] else result | {"output": (done.stdout + done.stderr).splitlines()[-_LAST_LINES:]}


def commit() -> str:
    """Return the commit under test, with a plus if there are uncommitted changes."""
    described = subprocess.run(
        ["git", "describe", "--always", "--exclude=*", "--dirty=+"], cwd=REPOSITORY, capture_output=True, text=True
    )
    return described.stdout.strip()


def read_log(log: Path) -> list[dict[str, Any]]:
    """Return the runs in a log."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()] if log.exists() else []


def report(runs: Sequence[dict[str, Any]]) -> None:
    """Print one line per file."""
    print("| file | runs | failed | seconds | load |\n| --- | --- | --- | --- | --- |")
    for file in dict.fromkeys(entry["file"] for entry in runs):
        mine = [entry for entry in runs if entry["file"] == file]
        seconds, loads = [entry["seconds"] for entry in mine], [load for entry in mine for load in entry["load"]]
        failed = sum(not entry["passed"] for entry in mine)
        spread = f"{min(seconds):.0f} to {max(seconds):.0f} | {min(loads):.1f} to {max(loads):.1f}"
        print(f"| {file} | {len(mine)} | {failed} | {spread} |")


def main() -> int:
    """Run what is missing from the log, then print a summary."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("files", nargs="*", help="test files, relative to klip_assets_tests (default: all that wait)")
    parser.add_argument("--log", type=Path, required=True, help="file to append the runs to, one JSON object per line")
    parser.add_argument("--times", type=int, default=5, help="runs per file (default: 5)")
    parser.add_argument("--busy", type=int, default=2, help="busy processes in the background (default: 2)")
    parser.add_argument("--at-once", type=int, default=1, help="files to run at the same time (default: 1)")
    arguments = parser.parse_args()
    files = arguments.files or files_with_waits()
    done = {(entry["file"], entry["run"]) for entry in read_log(arguments.log)}
    missing = [(file, n) for n in range(1, arguments.times + 1) for file in files if (file, n) not in done]
    with busy(arguments.busy), ThreadPoolExecutor(arguments.at_once) as pool, arguments.log.open("a") as log:
        for result in pool.map(lambda entry: run(*entry), missing):
            print(json.dumps(result), file=log, flush=True)
            print(f"{result['file']} ({result['run']}): {result['said']}", flush=True)
    runs = [entry for entry in read_log(arguments.log) if entry["file"] in files]
    report(runs)
    return int(not all(entry["passed"] for entry in runs))


if __name__ == "__main__":
    sys.exit(main())
