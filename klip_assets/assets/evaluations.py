"""Group `evaluation`: how good the highlights are, measured on golden sets."""

import dagster as dg

from klip_assets import __version__
from klip_assets.assets.stage import OWNERS, describe, result_of
from klip_assets.contracts import EVALUATIONS, HIGHLIGHTS
from klip_assets.evaluation.golden import read_golden_set
from klip_assets.evaluation.sample import measure, sample_dir
from klip_assets.evaluation.tables import evaluation_rows
from klip_assets.lake.provenance import Provenance
from klip_assets.resources import Installation


@dg.asset(
    name=EVALUATIONS.name,
    group_name="evaluation",
    deps=[dg.AssetDep(dg.AssetKey([HIGHLIGHTS.name]), partition_mapping=dg.AllPartitionMapping())],
    owners=OWNERS,
    kinds={"parquet", "numpy"},
    code_version="1",
    metadata=describe(EVALUATIONS),
    description=f"{EVALUATIONS.description}\n\nMeasured on the sample (it must have been processed).",
)
def evaluations(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """Measure the sample and add the figures; earlier figures stay."""
    golden = read_golden_set(sample_dir())
    hits = measure(golden, installation.lake)
    run_id = context.run.run_id
    rows = evaluation_rows(run_id, golden.name, hits, installation.settings.weights)
    written = installation.lake.write(EVALUATIONS, run_id, rows, Provenance(run_id, f"{__version__}/1"))
    return result_of(EVALUATIONS, {run_id: written})
