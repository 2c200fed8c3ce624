"""A recording of twelve hours: peak memory and time, compared with a recording of one hour; both with captions.

    python benchmarks/long_recording.py [--source FILE] [--hours 1 12]

The recording is a shorter one (by default the shipped sample) whose packets are copied over and over, so that it has
the full length and real compression. Captions are one sentence every four seconds, the chat one message per second.
Each length is processed by `klip process` in a separate process and data folder.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made import repeat, sample
from record import keep

from klip_assets_tests.made import REPOSITORY, write_chat, write_vtt

SENTENCES = ("So we go on along the river.", "Oh wow, what a shot that was!", "I hate this corner, it is terrible.")


def main() -> None:
    """Process each length and print the rows of a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, default=sample())
    parser.add_argument("--hours", type=float, nargs="+", default=[1.0, 12.0])
    arguments = parser.parse_args()
    print("| hours | file | wall time | seconds per hour | peak memory | slowest stages |")
    print("| --- | --- | --- | --- | --- | --- |")
    rows = []
    for hours in arguments.hours:
        row = measure(arguments.source, hours)
        print(f"| {' | '.join(row.values())} |", flush=True)
        rows.append(row)
    keep("long_recording", rows=rows)


def measure(source: Path, hours: float) -> dict[str, str]:
    """Process a recording of a length; return a row of the table."""
    base = Path(tempfile.mkdtemp())
    data = base / "data"
    shutil.copy(REPOSITORY / "dagster.yaml", base)
    environment = os.environ | {
        "KLIP_DATA_DIR": str(data), "DAGSTER_HOME": str(base), "KLIP_DAGSTER_STORAGE": str(data / ".dagster"),
    }  # fmt: skip
    inbox = data / "inbox" / "vods"
    inbox.mkdir(parents=True)
    path = repeat(source, inbox / "long.mka", hours * 3600)
    times = [4.0 * n for n in range(int(hours * 900))]
    write_vtt(inbox / "long.en.vtt", [(t, t + 3.5, SENTENCES[n % 3]) for n, t in enumerate(times)])
    chat = [(float(t), f"viewer{t % 97}", "what a shot" if t % 600 < 20 else "hello") for t in range(int(hours * 3600))]
    write_chat(inbox / "long.chat.csv", chat)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _CHILD], env=environment, cwd=REPOSITORY, check=True, capture_output=True)
    seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    peak_mb = json.loads((base / "peak.json").read_text()) / 1024
    stages = subprocess.run(
        [sys.executable, "-m", "klip_assets.cli", "sql", "--json", _STAGES],
        env=environment, cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )  # fmt: skip
    slowest = ", ".join(f"{row['table_name']} {row['seconds']:.1f} s" for row in json.loads(stages.stdout))
    size_mb = path.stat().st_size / 1e6
    shutil.rmtree(base)
    return {
        "hours": f"{hours:g}",
        "file": f"{size_mb:.0f} MB",
        "wall time": f"{seconds:.1f} s ({used:.1f} s of user time)",
        "seconds per hour": f"{seconds / hours:.1f}",
        "peak memory": f"{peak_mb:.0f} MB",
        "slowest stages": slowest,
    }


_CHILD = """
import json, os, re
from pathlib import Path
from klip_assets.cli.process import run_process
from klip_assets.settings import Settings
assert run_process(Settings(), quiet=True).ok
peak_kb = int(re.findall(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[0])
Path(os.environ["DAGSTER_HOME"], "peak.json").write_text(json.dumps(peak_kb))
"""
_STAGES = "SELECT table_name, seconds FROM stage_status WHERE seconds > 0.5 ORDER BY seconds DESC LIMIT 4"

if __name__ == "__main__":
    main()
