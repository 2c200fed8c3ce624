"""`klip eval`: how good the highlights are on golden sets, beside simple systems."""

from __future__ import annotations

import uuid

import click

from klip_assets.cli.output import json_option, show_rows
from klip_assets.settings import Settings


@click.command("eval")
@click.argument("sets", nargs=-1, metavar="[SET]...")
@json_option
def evaluate(sets: tuple[str, ...], as_json: bool) -> None:
    """Measure the highlights on golden SETs, with 95 % intervals, beside baselines.

    A SET is `sample`, a folder with a truth.json (docs/evaluation.md), or a folder with public sets that Klip knows.
    Without any: the sample, and the sets in KLIP_GOLDEN_DIR. Recordings must have been processed (klip demo does that
    for the sample). The figures are added to the table `evaluations`.
    """
    from klip_assets import __version__
    from klip_assets.contracts import EVALUATIONS
    from klip_assets.evaluation.sets import figures_of, sets_of
    from klip_assets.evaluation.tables import evaluation_rows
    from klip_assets.highlights.weights import weight_set
    from klip_assets.lake.provenance import Provenance
    from klip_assets.lake.store import Lake

    settings = Settings()
    measured = {golden.name: figures_of(golden, settings) for golden in sets_of(sets, settings)}
    run_id = f"eval-{uuid.uuid4().hex[:12]}"
    version = weight_set(settings.weights).version
    rows = evaluation_rows(run_id, measured, version)
    Lake(settings.lake_dir).write(EVALUATIONS, run_id, rows, Provenance(run_id, __version__))
    if as_json:
        show_rows(rows.to_pylist(), as_json=True)
        return
    for name, figures in measured.items():
        shown = [
            {
                "metric": figure.metric,
                "system": figure.system,
                "value": f"{figure.value:.4g}",
                "95 % interval": "-" if figure.low is None else f"{figure.low:.3f} to {figure.high:.3f}",
                "n": figure.n,
            }
            for figure in figures
        ]
        show_rows(shown, as_json=False, title=f"{name} ({version})")
