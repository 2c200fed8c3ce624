"""How long Dagster waits for the code location: a fresh interpreter, import and build of all definitions.

Beside it, in the same run, `import dagster` alone: the part Klip can't change.

    python benchmarks/code_location.py [--runs 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

from record import keep

LOAD = "from klip_assets.definitions import defs; defs()"


def seconds(statement: str) -> float:
    """Time a fresh interpreter on one statement."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the medians, and keep them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    seconds(LOAD)
    pairs = [(seconds("import dagster"), seconds(LOAD)) for _ in range(runs)]
    dagster, klip = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"import dagster {dagster:.2f} s; code location {klip:.2f} s; ratio {klip / dagster:.2f} (median of {runs})")
    figures = {"dagster_s": round(dagster, 2), "klip_s": round(klip, 2), "ratio": round(klip / dagster, 2)}
    keep("code_location", **figures)


if __name__ == "__main__":
    main()
