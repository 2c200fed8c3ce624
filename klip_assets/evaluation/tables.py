"""Figures as rows of `evaluations`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from klip_assets import __version__
from klip_assets.contracts import EVALUATIONS
from klip_assets.evaluation.figures import Figure


def evaluation_rows(
    run_id: str,
    sets: Mapping[str, Sequence[Figure]],
    weights_version: str | Mapping[str, str | None],
    *,
    without_weights: Collection[str] = (),
) -> pa.Table:
    """Return the figures of all sets and systems as `evaluations`.

    Args:
        run_id: Id of the evaluation.
        sets: Figures by the name of the set.
        weights_version: The weight set Klip was measured with, for all sets or by the name of the set.
        without_weights: Sets that do not depend on weights.
    """
    of_set = dict.fromkeys(sets, weights_version) if isinstance(weights_version, str) else weights_version
    evaluated_at = datetime.now(UTC).replace(tzinfo=None)
    return EVALUATIONS.from_rows(
        {
            "run_id": run_id,
            "golden_set": name,
            "metric": figure.metric,
            "system": figure.system,
            "value": _known(figure.value),
            "low": _known(figure.low),
            "high": _known(figure.high),
            "n": figure.n,
            "weights_version": None if name in without_weights else of_set[name],
            "code_version": __version__,
            "evaluated_at": evaluated_at,
        }
        for name, figures in sets.items()
        for figure in figures
    )


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
