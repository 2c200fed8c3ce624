"""Make odd files, rows and replies of every kind, process them, and print how many come out right.

    python scripts/odd_texts.py [--only KIND ...] [--keep FOLDER] [--verbose]

The modules of `odd_text/` list them, each with what is right.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby
from pathlib import Path

import duckdb
import odd_text
from odd_text.case import Odd, Outcome

from klip_assets.settings import Settings
from klip_assets_tests.worked import work


def cases() -> Iterator[Odd]:
    """Yield the inputs of every module of `odd_text` that has `cases`."""
    for found in pkgutil.iter_modules(odd_text.__path__):
        module = import_module(f"odd_text.{found.name}")
        if hasattr(module, "cases"):
            yield from module.cases()


def main() -> int:
    """Print the table, and what is wrong; return 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="KIND", help="Only these kinds, or inputs of these names.")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="Data folder to keep.")
    parser.add_argument("--verbose", action="store_true", help="Also print what is said of each input.")
    arguments = parser.parse_args()
    only = arguments.only
    chosen = [odd for odd in cases() if only is None or odd.kind in only or odd.name in only]
    if len({odd.name.lower() for odd in chosen}) < len(chosen):
        raise SystemExit("two inputs have the same name")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.keep.absolute() if arguments.keep else Path(scratch, "data")
        os.environ |= {"KLIP_DATA_DIR": str(folder), "KLIP_ENV_FILE": ""}
        settings = Settings()
        settings.make_folders()
        said = {odd.name: _place(odd, settings, Path(scratch)) for odd in chosen}
        work(settings)
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
            outcomes = [Outcome(odd.name, connection, said[odd.name]) for odd in chosen]
            results = [(odd, outcome, _judge(odd, outcome)) for odd, outcome in zip(chosen, outcomes, strict=True)]
            for kind, group in groupby(results, lambda result: result[0].kind):
                found = list(group)
                print(f"{kind:44} {len(found):4} inputs {sum(not wrong for _, _, wrong in found):4} right")
            for odd, outcome, wrong in results:
                failed += bool(wrong)
                if wrong or arguments.verbose:
                    print(f"  {odd.kind}, {odd.name}: {'; '.join(wrong) or 'right'} | {outcome.said}{outcome.reasons}")
    print(f"{len(results)} inputs, {len(results) - failed} right")
    return 1 if failed else 0


def _place(odd: Odd, settings: Settings, scratch: Path) -> str:
    if not odd.is_added:
        odd.write(settings.vod_inbox if odd.inbox == "vods" else settings.tweet_inbox)
        return ""
    folder = scratch / "to-add" / odd.name
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "klip_assets.cli", "add", str(odd.write(folder))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _judge(odd: Odd, outcome: Outcome) -> list[str]:
    try:
        return odd.judge(outcome)
    except duckdb.Error as error:
        return [str(error)]
    except Exception as error:  # noqa: BLE001 (an older version may lack what is asked for)
        return [f"{type(error).__name__}: {error}"]


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        raise SystemExit(main())
