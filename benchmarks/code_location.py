"""Load time of the code location: a fresh interpreter, import and build of all definitions.

For comparison, in the same run, `import dagster` alone, the part Klip can't change; and both without cached byte code,
as in images that set PYTHONDONTWRITEBYTECODE and install without compiling.

    python benchmarks/code_location.py [--runs 5]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from record import keep

LOAD = "from klip_assets.definitions import defs; defs()"


def seconds(statement: str, **environment: str) -> float:
    """Time a fresh interpreter on one statement."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, env=os.environ | environment)
    return time.perf_counter() - began


def main() -> None:
    """Print the medians, and record them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--compiled-only", action="store_true", help="Leave out the loads without cached byte code.")
    arguments = parser.parse_args()
    runs = arguments.runs
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as nowhere:
        compiled = {"PYTHONDONTWRITEBYTECODE": ""}
        sources = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": nowhere}
        ways = {"": compiled} if arguments.compiled_only else {"": compiled, "_without_byte_code": sources}
        for name, environment in ways.items():
            seconds(LOAD, **environment)
            pairs = [(seconds("import dagster", **environment), seconds(LOAD, **environment)) for _ in range(runs)]
            dagster, klip = (statistics.median(column) for column in zip(*pairs, strict=True))
            how = name.replace("_", " ").strip() or "with byte code"
            print(f"{how}: import dagster {dagster:.2f} s; code location {klip:.2f} s; ratio {klip / dagster:.2f}")
            figures |= {f"dagster{name}_s": round(dagster, 2), f"klip{name}_s": round(klip, 2)}
            figures[f"ratio{name}"] = round(klip / dagster, 2)
    print(f"(medians of {runs})")
    keep("code_location", **figures)


if __name__ == "__main__":
    main()
