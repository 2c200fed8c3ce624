"""Klip's metrics compared with published ones for the same predictions: QVHighlights and TVSum.

    python benchmarks/public_metrics.py DATA_FOLDER

DATA_FOLDER contains `hl-qvhighlights` (jayleicn/moment_detr: its sample predictions, the truth, and the figures from
its own evaluation) and `hl-tvsum` (Song et al., 2015). Otani et al. (2019) publish the human agreement on TVSum:
Kendall's tau .177 and Spearman's rho .204.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from record import table

from klip_assets.evaluation.intervals import (
    SALIENCY_LEVELS,
    THRESHOLDS,
    mean_average_precision,
    recall_at_1,
    saliency_average_precision,
    saliency_hit,
)
from klip_assets.evaluation.ranking import rank_correlation

#: Lengths of the true intervals in seconds, by name of the figure.
LENGTHS = {"full": (0, 150), "short": (0, 10), "middle": (10, 30), "long": (30, 150)}
OTANI = {"Kendall's tau": 0.177, "Spearman's rho": 0.204}


class Published:
    """Sample predictions of QVHighlights, the truth, and the figures published for them, all in percent."""

    def __init__(self, folder: Path) -> None:
        self.figures = json.loads((folder / "standalone_eval" / "sample_val_preds_metrics_raw.json").read_text())
        predictions = _lines(folder / "standalone_eval" / "sample_val_preds.jsonl")
        self.predictions = {row["qid"]: row for row in predictions}
        self.truth = _lines(folder / "data" / "highlight_val_release.jsonl")

    def areas(self, name: str) -> dict[str, float]:
        """Return mean average precision by IoU threshold, and their average."""
        found = mean_average_precision((predicted, truth) for predicted, truth, _ in self._rankings(name))
        return {
            **{f"{threshold:g}": _percent(value) for threshold, value in found.items()},
            "average": _percent(float(np.mean(list(found.values())))),
        }

    def first(self, name: str) -> dict[str, float]:
        """Return how often the top-ranked interval hits, by IoU threshold."""
        rankings = self._rankings(name)
        return {
            f"{threshold:g}": _percent(
                float(np.mean([recall_at_1(listed, truth, threshold) for _, truth, listed in rankings]))
            )
            for threshold in THRESHOLDS
        }

    def saliency(self, level: str) -> tuple[float, float]:
        """Return average precision and hit of the clips at a level of saliency."""
        at_least = SALIENCY_LEVELS[level]
        return self._over_clips(saliency_average_precision, at_least), self._over_clips(saliency_hit, at_least)

    def _rankings(self, name: str) -> list[tuple[np.ndarray, list[list[float]], np.ndarray]]:
        # Ranked intervals, true ones of some length, and the intervals as in the file.
        found, (shortest, longest) = [], LENGTHS[name]
        for row in self.truth:
            windows = [window for window in row["relevant_windows"] if shortest < window[1] - window[0] <= longest]
            if windows:
                listed = np.array(self.predictions[row["qid"]]["pred_relevant_windows"], float)
                best_first = listed[np.argsort(-listed[:, 2], kind="stable")]
                found.append((best_first[:, :2], windows, listed[:, :2]))
        return found

    def _over_clips(self, metric: Callable[[np.ndarray, np.ndarray, float], float], at_least: float) -> float:
        values = []
        for row in self.truth:
            saliency = np.zeros((int(row["duration"] / 2), 3))
            saliency[row["relevant_clip_ids"]] = np.array(row["saliency_scores"])
            scores = np.array(self.predictions[row["qid"]]["pred_saliency_scores"])[: len(saliency)]
            values.append(metric(saliency[: len(scores)], scores, at_least))
        return _percent(float(np.mean(values)))


def tvsum_agreement(folder: Path) -> tuple[float, float, int]:
    """Return tau and rho between annotators (means over videos of means over pairs), and the number of videos.

    The file is HDF5, which scipy does not read. Every tenth frame is enough: people rated intervals of two seconds.
    """
    import h5py

    with h5py.File(folder / "matlab" / "ydata-tvsum50.mat") as file:
        videos = [file[place][()][:, ::10] for place in file["tvsum50"]["user_anno"][:, 0]]
    agreement = [
        np.mean([rank_correlation(one, other) for one, other in itertools.combinations(people, 2)], axis=0)
        for people in videos
    ]
    tau, rho = np.mean(agreement, axis=0)
    return float(tau), float(rho), len(videos)


def _percent(share: float) -> float:
    return round(100 * share, 2)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def main() -> None:
    """Print each figure next to the published one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER")
    data = parser.parse_args().data
    published = Published(data / "hl-qvhighlights")
    rows: list[dict[str, object]] = []
    for name in LENGTHS:
        theirs = published.figures[name]
        for metric, mine in (("MR-mAP", published.areas(name)), ("MR-R1", published.first(name))):
            rows += [
                {"figure": f"{metric} {name} {at}", "Klip": value, "published": theirs[metric][at]}
                for at, value in mine.items()
            ]
    for level in SALIENCY_LEVELS:
        theirs = published.figures[f"HL-min-{level}"]
        area, hit = published.saliency(level)
        rows.append({"figure": f"HL-mAP {level}", "Klip": area, "published": theirs["HL-mAP"]})
        rows.append({"figure": f"HL-Hit1 {level}", "Klip": hit, "published": theirs["HL-Hit1"]})
    *agreement, _ = tvsum_agreement(data / "hl-tvsum")
    for (name, theirs), mine in zip(OTANI.items(), agreement, strict=True):
        rows.append({"figure": f"TVSum, {name} of people", "Klip": round(mine, 3), "published": theirs})
    table(rows)


if __name__ == "__main__":
    main()
