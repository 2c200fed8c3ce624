"""Group `evaluation`: how good highlights are, measured on golden sets."""

import dagster as dg

from klip_assets.contracts import EVALUATIONS, HIGHLIGHTS
from klip_assets.defs.assets.describe import OWNERS, describe, result_of
from klip_assets.defs.resources import Installation
from klip_assets.evaluation.sets import sets_of
from klip_assets.work.measuring import measure_sets


@dg.asset(
    name=EVALUATIONS.name,
    group_name="evaluation",
    deps=[dg.AssetDep(dg.AssetKey([HIGHLIGHTS.name]), partition_mapping=dg.AllPartitionMapping())],
    owners=OWNERS,
    kinds={"parquet", "numpy"},
    code_version="4",
    metadata=describe(EVALUATIONS),
    description=f"{EVALUATIONS.description}\n\nMeasured on the sample (once processed) and sets in KLIP_GOLDEN_DIR.",
)
def evaluations(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """Measure the sample and the sets in KLIP_GOLDEN_DIR, and add the figures; earlier figures are kept."""
    here, run_id = installation.here, context.run.run_id
    measured = measure_sets(here, list(sets_of([], here.settings)), run_id)
    return result_of(EVALUATIONS, {run_id: measured.record})
