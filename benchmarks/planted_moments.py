"""Planted moments hit by the top highlights, over new variants of the sample stream.

Generates variants with seeds not used for tuning, runs each through the real stages (with captions and chat), and
prints hits, recall and the random baseline; then the same with chat, words, or both removed from the signals. Needs
flite (Debian package flite).

    python benchmarks/planted_moments.py [--seeds 20] [--first 1000] [--duration 120] [--planted 3]
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))

from make_sample import make_sample
from record import keep, skip, table

from klip_assets.cli.inbox import add_path
from klip_assets.contracts import CHAT_ACTIVITY, TRANSCRIPT_WORDS
from klip_assets.evaluation.golden import read_golden_set
from klip_assets.evaluation.moments import Hits, hits_at_n
from klip_assets.evaluation.processed import measure, signals_of
from klip_assets.products.highlights.tables import Signals, describe_highlights, find_candidates
from klip_assets.products.highlights.weights import weight_set
from klip_assets.settings import Settings
from klip_assets.signals.speech.segments import build_segments
from klip_assets.signals.text.tables import read_segments
from klip_assets.signals.text.tiers import Chain
from klip_assets.store.lake.lake import Lake
from klip_assets_tests.worked import work

#: What is kept of a video: its words, its chat.
CONDITIONS = {
    "all signals": (True, True),
    "without chat": (True, False),
    "without words": (False, True),
    "without both": (False, False),
}


def hits_of_seeds(folder: Path, seeds: range, *, duration_s: float, planted: int) -> dict[str, dict[int, Hits]]:
    """Generate, process and measure one variant per seed, all in one installation below `folder`.

    Returns:
        Hits by condition and seed; those of "all signals" are of the highlights in the lake.
    """
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
        sets[seed] = read_golden_set(made)
        add_path(settings, sets[seed].recording.path)
    # The stages that `klip process` runs, without Dagster, which takes longer than they do.
    worked = work(settings)
    if not worked.ok or len(worked.outcomes) < len(seeds):
        raise SystemExit(f"a run failed: {worked.problems or worked.outcomes}")
    lake = Lake(settings.lake_dir)
    found: dict[str, dict[int, Hits]] = {name: {} for name in CONDITIONS}
    for seed, golden in sets.items():
        found["all signals"][seed] = measure(golden, lake)
        signals = signals_of(f"seed_{seed}", lake)
        for name, (words, chat) in list(CONDITIONS.items())[1:]:
            peaks = peaks_of(left_of(signals, words=words, chat=chat), settings.weights)
            found[name][seed] = hits_at_n(peaks, golden.moments, duration_s=golden.duration_s, decoy=golden.decoy)
    return found


def left_of(signals: Signals, *, words: bool, chat: bool) -> Signals:
    """Remove the words or the chat from a video's signals, with everything derived from them."""
    left = replace(signals, chat_activity=signals.chat_activity if chat else CHAT_ACTIVITY.empty())
    if words:
        return left
    nothing, duration_s = TRANSCRIPT_WORDS.empty(), signals.duration_s or 0.0
    segments = build_segments(
        nothing, signals.audio_features, video_id=signals.video_id, duration_s=duration_s, heard=False
    )
    sentiment = read_segments(segments, Chain([], []))
    return replace(left, transcript_words=nothing, segments=segments, segment_sentiment=sentiment)


def peaks_of(signals: Signals, weights_version: str) -> list[float]:
    """Return the peaks of the highlights, best first."""
    weights = weight_set(weights_version)
    return list(describe_highlights(find_candidates(signals, weights), signals, weights)["peak_s"].to_pylist())


def main() -> None:
    """Print the misses, the totals of each condition, and a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--duration", type=float, default=120.0)
    parser.add_argument("--planted", type=int, default=3)
    args = parser.parse_args()
    if shutil.which("flite") is None:
        skip("flite, which speaks the variants, is not installed (apt-get install flite)")
    seeds = range(args.first, args.first + args.seeds)
    with tempfile.TemporaryDirectory() as folder:
        found = hits_of_seeds(Path(folder), seeds, duration_s=args.duration, planted=args.planted)
    rows: list[dict[str, object]] = []
    for name, by_seed in found.items():
        for seed, hits in by_seed.items():
            if hits.hit < hits.moments or hits.decoy_picked:
                print(f"{name}, seed {seed}: {hits.hit} of {hits.moments}, decoy picked: {hits.decoy_picked}")
        total, hit = sum(h.moments for h in by_seed.values()), sum(h.hit for h in by_seed.values())
        chance = sum(h.random for h in by_seed.values())
        rows.append(
            {
                "variants": name,
                "hit": f"{hit} of {total}",
                "recall": f"{hit / total:.1%}",
                "random": f"{chance / total:.1%}",
                "decoy picked": f"{sum(h.decoy_picked for h in by_seed.values())} of {len(by_seed)}",
            }
        )
    table(rows)
    keep("planted_moments", first=args.first, rows=rows)


if __name__ == "__main__":
    main()
