"""Figures as rows of `evaluations`. Put here: that form. Keep out: measuring."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from klip_assets import __version__
from klip_assets.contracts import EVALUATIONS
from klip_assets.evaluation.moments import Hits

METRIC = "moments hit by the top N (N = number planted, within 5 s)"


def evaluation_rows(run_id: str, golden_set: str, hits: Hits, weights_version: str) -> pa.Table:
    """Return what was measured on one set, Klip and the random baseline side by side."""
    shared = {
        "run_id": run_id,
        "golden_set": golden_set,
        "n": hits.moments,
        "weights_version": weights_version,
        "code_version": __version__,
        "evaluated_at": datetime.now(UTC).replace(tzinfo=None),
    }
    figures = [
        (METRIC, "klip", float(hits.hit)),
        (METRIC, "random", hits.random),
        ("decoy among the top N", "klip", float(hits.decoy_picked)),
    ]
    return EVALUATIONS.from_rows({**shared, "metric": m, "system": s, "value": v} for m, s, v in figures)
