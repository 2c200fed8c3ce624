"""Group `evaluation`: how good the highlights are, measured on golden sets."""

import dagster as dg

from klip_assets import __version__
from klip_assets.contracts import EVALUATIONS, HIGHLIGHTS
from klip_assets.defs.assets.stage import OWNERS, describe, result_of
from klip_assets.defs.resources import Installation
from klip_assets.evaluation.sets import figures_of, sets_of
from klip_assets.evaluation.tables import evaluation_rows
from klip_assets.evaluation.tweets import TweetSet
from klip_assets.products.highlights.weights import weight_set
from klip_assets.store.lake.provenance import Provenance


@dg.asset(
    name=EVALUATIONS.name,
    group_name="evaluation",
    deps=[dg.AssetDep(dg.AssetKey([HIGHLIGHTS.name]), partition_mapping=dg.AllPartitionMapping())],
    owners=OWNERS,
    kinds={"parquet", "numpy"},
    code_version="3",
    metadata=describe(EVALUATIONS),
    description=f"{EVALUATIONS.description}\n\nMeasured on the sample (once processed), and sets in KLIP_GOLDEN_DIR.",
)
def evaluations(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """Measure the sample and the sets in KLIP_GOLDEN_DIR, and add the figures; earlier figures stay."""
    settings, run_id = installation.settings, context.run.run_id
    sets = list(sets_of([], settings))
    measured = {golden.name: figures_of(golden, settings) for golden in sets}
    tweets = [golden.name for golden in sets if isinstance(golden, TweetSet)]
    rows = evaluation_rows(run_id, measured, weight_set(settings.weights).version, without_weights=tweets)
    written = installation.lake.write(EVALUATIONS, run_id, rows, Provenance(run_id, f"{__version__}/3"))
    return result_of(EVALUATIONS, {run_id: written})
