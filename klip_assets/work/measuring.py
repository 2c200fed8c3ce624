"""Measuring golden sets and storing the figures, for both `klip eval` and Dagster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from klip_assets.contracts import EVALUATIONS
from klip_assets.evaluation.figures import Figure
from klip_assets.evaluation.sets import AnySet, figures_of, weights_of
from klip_assets.evaluation.tables import evaluation_rows
from klip_assets.store.lake.provenance import Provenance
from klip_assets.store.lake.records import write_record
from klip_assets.work.installation import Installation


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        figures: Set -> its figures.
        weights: Set -> the weight set that was measured; None for sets of labelled tweets.
        rows: The figures as `evaluations`.
        record: Provenance of the partition they were written to.
    """

    figures: Mapping[str, Sequence[Figure]]
    weights: Mapping[str, str | None]
    rows: pa.Table
    record: Provenance


def measure_sets(
    installation: Installation, sets: Sequence[AnySet], run_id: str, *, with_llm: bool = False
) -> Measured:
    """Measure golden sets and add the figures to `evaluations`; earlier figures are kept.

    Args:
        installation: Where the recordings were processed.
        sets: The sets.
        run_id: Id of the evaluation.
        with_llm: Measure the language model too, if one is configured.

    Raises:
        NotFoundError: The recording of a set has not been processed.
    """
    settings = installation.settings
    figures = {golden.name: figures_of(golden, settings, with_llm=with_llm) for golden in sets}
    weights = {golden.name: weights_of(golden, settings) for golden in sets}
    rows = evaluation_rows(run_id, figures, weights)
    record = write_record(installation.lake, EVALUATIONS, run_id, rows, run_id=run_id)
    return Measured(figures, weights, rows, record)
