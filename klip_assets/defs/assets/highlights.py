"""Group `highlights`, besides its stages: the weight sets, and weights learnt from editors' verdicts."""

import dagster as dg

from klip_assets.contracts import HIGHLIGHTS, WEIGHTS
from klip_assets.defs.assets.describe import OWNERS, describe, result_of
from klip_assets.defs.resources import Installation
from klip_assets.work.learnt_weights import learn_from_verdicts
from klip_assets.work.recorded_weights import record_weights
from klip_assets.work.stages.highlights import GROUP


@dg.asset(
    name=WEIGHTS.name,
    group_name=GROUP,
    description=f"{WEIGHTS.description}\n\nRead from `klip_assets/products/highlights/weights.toml`.",
    owners=OWNERS,
    kinds={"parquet", "toml"},
    code_version="1",
    metadata=describe(WEIGHTS),
)
def weights(context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult:
    """Every weight set that comes with Klip or was ever in use, so that published scores can be recomputed in SQL."""
    return result_of(WEIGHTS, {"": record_weights(installation.here, context.run.run_id)})


@dg.asset(
    group_name=GROUP,
    deps=[dg.AssetDep(dg.AssetKey([HIGHLIGHTS.name]), partition_mapping=dg.AllPartitionMapping())],
    owners=OWNERS,
    kinds={"toml", "scipy"},
    code_version="1",
)
def learnt_weights(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """Weights fitted to the verdicts of `klip rate`, written only if they rank unseen videos better than the default.

    With too few verdicts, the metadata says what is missing. Weights take effect once KLIP_WEIGHTS names their file.
    """
    found = learn_from_verdicts(installation.here)
    context.log.info(found.verdict)
    if found.path is None:
        return dg.MaterializeResult(metadata=found.figures)
    how = f"set KLIP_WEIGHTS={found.path}, then: klip process --stale"
    metadata = {"dagster/uri": found.path.as_uri(), "to_use_them": how}
    return dg.MaterializeResult(metadata={**found.figures, **metadata}, data_version=dg.DataVersion(found.version))
