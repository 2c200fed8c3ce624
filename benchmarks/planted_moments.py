"""How many planted moments the top highlights hit, over fresh variants of the sample stream.

Makes variants with seeds nobody tuned on, runs each through the real pipeline (captions given, chat beside it), and
prints hits, recall and the random baseline. Needs flite (Debian package flite).

    python benchmarks/planted_moments.py [--seeds 20] [--first 1000] [--duration 120] [--planted 3]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from make_sample import make_sample

from klip_assets.cli.inbox import add_path
from klip_assets.cli.process import run_process
from klip_assets.evaluation.golden import read_golden_set
from klip_assets.evaluation.moments import Hits
from klip_assets.evaluation.sample import measure
from klip_assets.lake.store import Lake
from klip_assets.settings import Settings


def hits_of_seeds(folder: Path, seeds: range, *, duration_s: float, planted: int, chat: bool = True) -> dict[int, Hits]:
    """Make, process and measure one variant a seed, all in one installation below `folder`."""
    os.environ |= {"KLIP_DATA_DIR": str(folder / "data"), "KLIP_DAGSTER_STORAGE": str(folder / "dagster")}
    settings = Settings()
    settings.make_folders()
    sets = {}
    for seed in seeds:
        made = folder / f"seed_{seed}"
        made.mkdir()
        make_sample(
            made, seed=seed, duration_s=duration_s, planted=planted, captions=True, name=f"seed_{seed}", video=False
        )
        if not chat:
            (made / f"seed_{seed}.chat.json").unlink()
        sets[seed] = read_golden_set(made)
        add_path(settings, sets[seed].recording.path)
    report = run_process(settings, quiet=True)
    if not report.ok:
        raise SystemExit(f"a run failed: {[row for row in report.rows if row['problem']]}")
    lake = Lake(settings.lake_dir)
    return {seed: measure(golden, lake) for seed, golden in sets.items()}


def main() -> None:
    """Print one line a seed, the totals, and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--duration", type=float, default=120.0)
    parser.add_argument("--planted", type=int, default=3)
    parser.add_argument("--no-chat", action="store_true", help="leave the chat log out")
    args = parser.parse_args()
    seeds = range(args.first, args.first + args.seeds)
    with tempfile.TemporaryDirectory() as folder:
        found = hits_of_seeds(
            Path(folder), seeds, duration_s=args.duration, planted=args.planted, chat=not args.no_chat
        )
    for seed, hits in found.items():
        print(f"seed {seed}: {hits.hit} of {hits.moments}, chance {hits.random:.2f}, decoy picked: {hits.decoy_picked}")
    total, hit = sum(h.moments for h in found.values()), sum(h.hit for h in found.values())
    chance = sum(h.random for h in found.values())
    decoys = sum(h.decoy_picked for h in found.values())
    print(f"recall {hit / total:.1%} ({hit} of {total}); random {chance / total:.1%}")
    print(f"the decoy was picked in {decoys} of {len(found)} variants")
    figures = {"hit": hit, "planted": total, "random": round(chance, 2), "decoys": decoys, "seeds": len(found)}
    print(json.dumps({"benchmark": "planted_moments", "chat": not args.no_chat, **figures}))


if __name__ == "__main__":
    main()
