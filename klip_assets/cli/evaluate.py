"""`klip eval`: how many known moments the highlights hit, beside chance."""

from __future__ import annotations

import uuid
from pathlib import Path

import click

from klip_assets.cli.output import json_option, show_rows
from klip_assets.settings import Settings


@click.command("eval")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@json_option
def evaluate(folder: Path | None, as_json: bool) -> None:
    """Measure the highlights on a golden set: the sample, or a FOLDER with a recording and its truth.json.

    The recording must have been processed. The figures are added to the table `evaluations`.
    """
    from klip_assets import __version__
    from klip_assets.contracts import EVALUATIONS
    from klip_assets.evaluation.golden import read_golden_set
    from klip_assets.evaluation.sample import measure, sample_dir
    from klip_assets.evaluation.tables import evaluation_rows
    from klip_assets.lake.provenance import Provenance
    from klip_assets.lake.store import Lake

    settings = Settings()
    golden = read_golden_set(folder or sample_dir())
    lake = Lake(settings.lake_dir)
    hits = measure(golden, lake)
    run_id = f"eval-{uuid.uuid4().hex[:12]}"
    rows = evaluation_rows(run_id, golden.name, hits, settings.weights)
    lake.write(EVALUATIONS, run_id, rows, Provenance(run_id, __version__))
    shown = [
        {
            "set": row["golden_set"],
            "metric": row["metric"],
            "system": row["system"],
            "value": row["value"],
            "of": row["n"],
        }
        for row in rows.to_pylist()
    ]
    show_rows(rows.to_pylist() if as_json else shown, as_json=as_json)
