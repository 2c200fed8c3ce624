"""Run the benchmarks of docs/figures.md that need neither a service nor hours, one after another, to the end.

    python benchmarks/run.py           # make bench: the figures, appended to benchmarks/results
    python benchmarks/run.py --smoke   # make bench-smoke: each of them small, to see that it runs

One that lacks a program, or public data that is not part of the project, says so and is skipped. Ends with 1 if one
failed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from made import repeat, sample
from record import SKIPPED

#: Benchmark -> what makes it small. {sound}: ten seconds of sound; {nothing}: an empty folder in place of public data.
BENCHMARKS = {
    "text_models": "--texts 16 --rounds 1 --layers 1 --ways compact --together",
    "planted_moments": "--seeds 1 --duration 60 --planted 1",
    "recognizer": "{nothing} --seconds 2.5 --only-speed",
    "code_location": "--runs 1 --compiled-only",
    "audio_speed": "--hours 0.005 --plain-minutes 0 --source {sound}",
    "decode_speed": "--minutes 0.3 --runs 1 --source {sound}",
    "tweet_ingest": "--rows 500 --days 2",
    "highlights_speed": "--hours 0.1 0.2",
    "unknown_files": "--files 200 --scans 1",
    "llm_throughput": "--segments 20 --latency-ms 10 --concurrency 10",
    "marts_speed": "--tweets 2000 --streams 5",
    "caption_readers": "--data {nothing}",
    "voice": "{nothing}",
    "shout": "{nothing}",
}

#: What the small benchmarks write at one time is less than half of it.
ROOM_BYTES = 2 << 30


@dataclass(frozen=True)
class Outcome:
    """How a benchmark ended.

    Attributes:
        name: The benchmark.
        code: Its exit code.
        seconds: Its wall time.
        output: What it printed; empty if it went to the terminal.
    """

    name: str
    code: int
    seconds: float
    output: str = ""

    @property
    def ended(self) -> str:
        """How it ended, in a word."""
        return {0: "done", SKIPPED: "skipped"}.get(self.code, f"failed ({self.code})")


def main() -> int:
    """Run them, print how each ended, and return the exit code."""
    # A figure must not depend on the settings of whoever measures.
    os.environ["KLIP_ENV_FILE"] = ""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="Each of them small; nothing is recorded.")
    outcomes = smoke() if parser.parse_args().smoke else [run(name) for name in BENCHMARKS]
    print()
    for outcome in outcomes:
        print(f"{outcome.ended:12} {outcome.name} ({outcome.seconds:.0f} s)")
    return int(any(outcome.code not in (0, SKIPPED) for outcome in outcomes))


def run(name: str, *arguments: str, captured: bool = False) -> Outcome:
    """Run one benchmark in a process of its own."""
    if not captured:
        print(f"\n== {name}\n", flush=True)
    began = time.monotonic()
    command = [sys.executable, str(Path(__file__).with_name(f"{name}.py")), *arguments]
    to = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if captured else {}
    done = subprocess.run(command, text=True, check=False, **to)  # type: ignore[call-overload]
    return Outcome(name, done.returncode, time.monotonic() - began, done.stdout or "")


def in_memory() -> None:
    """Keep temporary files in memory if there is room: no figure is taken, and databases wait long for a busy disk."""
    shared = Path("/dev/shm")
    if "TMPDIR" not in os.environ and shared.is_dir() and shutil.disk_usage(shared).free >= ROOM_BYTES:
        os.environ["TMPDIR"] = str(shared)


def smoke() -> list[Outcome]:
    """Run each benchmark small, two at a time; show what those that failed printed."""
    in_memory()
    with tempfile.TemporaryDirectory(prefix="klip-bench-", dir=os.environ.get("TMPDIR")) as folder:
        nothing, sound = Path(folder, "nothing"), Path(folder, "sound.mp4")
        nothing.mkdir()
        repeat(sample(), sound, 10, container="mp4")
        os.environ["KLIP_BENCH_RESULTS"] = str(Path(folder, "results"))

        def small(name: str) -> Outcome:
            arguments = BENCHMARKS[name].format(nothing=nothing, sound=sound).split()
            outcome = run(name, *arguments, captured=True)
            print(f"{outcome.ended:12} {name}", flush=True)
            return outcome

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(small, BENCHMARKS))
    for outcome in outcomes:
        if outcome.code not in (0, SKIPPED):
            print(f"\n== {outcome.name}\n\n{outcome.output}")
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
