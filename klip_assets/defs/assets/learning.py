"""Group `highlights`, on demand: weights learnt from what editors said of highlights. Nothing uses them by itself."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from klip_assets.contracts import FEEDBACK, HIGHLIGHTS
from klip_assets.defs.assets.stage import OWNERS
from klip_assets.defs.resources import Installation
from klip_assets.errors import InputError, NotFoundError
from klip_assets.evaluation.learning import Judged, Learnt, judged_moments, latest_verdicts, learn_weights
from klip_assets.evaluation.processed import signals_of
from klip_assets.products.highlights.weights import WeightSet, toml_of, weight_set, weight_sets
from klip_assets.settings import Settings
from klip_assets.store.files import write_atomically
from klip_assets.store.lake.lake import Lake


@dg.asset(
    group_name="highlights",
    deps=[dg.AssetDep(dg.AssetKey([HIGHLIGHTS.name]), partition_mapping=dg.AllPartitionMapping())],
    owners=OWNERS,
    kinds={"toml", "scipy"},
    code_version="1",
)
def learnt_weights(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """Weights fitted to the verdicts of `klip rate`, written only if they rank unknown videos better than the default.

    With too few verdicts it says what is missing. The weights are used once KLIP_WEIGHTS names their file.
    """
    settings, lake = installation.settings, installation.lake
    default = _default(settings)
    judged, passed_over = _judged(lake, default)
    metadata: dict[str, Any] = {
        "default": default.version,
        "judged_videos": len(judged),
        "good": sum(int(video.good.sum()) for video in judged),
        "bad": sum(int((~video.good).sum()) for video in judged),
        "passed_over": passed_over,
    }
    try:
        learnt = learn_weights(judged, default)
    except InputError as missing:
        context.log.info(str(missing))
        return dg.MaterializeResult(metadata={**metadata, "used": False, "verdict": str(missing)})
    context.log.info(learnt.verdict)
    metadata |= {
        "used": learnt.used,
        "verdict": learnt.verdict,
        "learnt_map": learnt.learnt_map,
        "default_map": learnt.default_map,
        "gain_low": learnt.gain[0],
        "gain_high": learnt.gain[1],
        "folds": learnt.folds,
        "strength": str(learnt.strength),
    }
    if not learnt.used:
        return dg.MaterializeResult(metadata=metadata)
    path = _write(learnt, default, settings)
    metadata |= {
        "dagster/uri": path.as_uri(),
        "weights": dict(learnt.weights.weights),
        "to_use_them": f"set KLIP_WEIGHTS={path}, then: klip process VIDEO",
    }
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(learnt.weights.version))


def _default(settings: Settings) -> WeightSet:
    # A set that was learnt here knows the verdicts it would be measured on.
    shipped = settings.weights in weight_sets()
    return weight_set(settings.weights if shipped else Settings.model_fields["weights"].default)


def _judged(lake: Lake, default: WeightSet) -> tuple[list[Judged], list[str]]:
    feedback = pa.concat_tables([FEEDBACK.empty(), *(lake.read(FEEDBACK, key) for key in lake.keys(FEEDBACK))])
    judged, passed_over = [], []
    for video_id, verdicts in latest_verdicts(feedback).items():
        try:
            moments = judged_moments(signals_of(video_id, lake), verdicts, default)
        except NotFoundError as gone:
            passed_over.append(f"{video_id}: {gone}")
            continue
        if moments is None:
            passed_over.append(f"{video_id}: no signal where its highlights were")
        else:
            judged.append(moments)
    return judged, passed_over


def _write(learnt: Learnt, default: WeightSet, settings: Settings) -> Path:
    path = settings.models_dir / "weights" / f"{learnt.weights.version}.toml"
    about = f"Learnt from {learnt.good} good and {learnt.bad} bad moments, beside {default.version}: {learnt.verdict}."
    content = toml_of(learnt.weights, about)
    write_atomically(path, lambda to: to.write_text(content, encoding="utf-8"))
    return path
