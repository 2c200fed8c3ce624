"""Shared by all benchmarks: the machine description, and recording figures under benchmarks/results/."""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

#: `run.py --smoke` has its figures, which mean nothing, written elsewhere.
RESULTS = Path(os.environ.get("KLIP_BENCH_RESULTS") or Path(__file__).with_name("results"))
#: Exit code of a benchmark that lacks what it needs.
SKIPPED = 77


def skip(why: str) -> NoReturn:
    """End a benchmark that lacks what it needs: a program, or public data that is not part of the project."""
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def machine() -> str:
    """Describe the machine in a few words: processor, cores, memory, Python."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[0]
    return f"{model}, {os.cpu_count()} cores, {memory_gb:.0f} GB, Python {platform.python_version()}, load {load:.1f}"


def keep(name: str, **figures: object) -> None:
    """Print the machine, and append the figures to benchmarks/results/<name>.jsonl."""
    where = machine()
    print(f"\n({where})")
    RESULTS.mkdir(exist_ok=True)
    line = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": where, **figures}
    with (RESULTS / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def table(rows: list[dict[str, object]]) -> None:
    """Print rows as a Markdown table."""
    heads = list(rows[0])
    print(f"| {' | '.join(heads)} |\n| {' | '.join('---' for _ in heads)} |")
    for row in rows:
        print(f"| {' | '.join(_shown(row.get(head, '')) for head in heads)} |", flush=True)


def _shown(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.3f}" if abs(value) < 1 else f"{value:,.1f}" if abs(value) < 100 else f"{value:,.0f}"
