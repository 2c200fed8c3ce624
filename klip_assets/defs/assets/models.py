"""Group `models`: the compact model of the BERT tier, from labelled texts to the model in use.

Needs the extra `train`; docs/training.md says where the texts come from.
"""

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from klip_assets.contracts import EVALUATIONS
from klip_assets.defs.assets.describe import OWNERS
from klip_assets.defs.resources import Installation
from klip_assets.evaluation.tables import evaluation_rows
from klip_assets.settings import Settings
from klip_assets.signals.text.bert import compact
from klip_assets.store.files import file_sha256, point_link, write_atomically
from klip_assets.store.lake.records import write_record
from klip_assets.training import texts
from klip_assets.training.export import export
from klip_assets.training.fit import Recipe, learn
from klip_assets.training.measure import as_markdown, main_figures, measure
from klip_assets.training.network import base_sha256

GROUP = "models"

#: Names of systems in `evaluations`.
CANDIDATE, IN_USE = "klip-compact (candidate)", "klip-compact (in use)"

_TRAINING, _MEASURED, _CANDIDATE, _FIGURES = "training_set.parquet", "measured_set.parquet", "candidate", "figures.json"


class TextsConfig(dg.Config):
    """Where the labelled texts are."""

    data_dir: str = ""
    """Folder with the public sets; empty: data/training."""
    most: int = 0
    """About this many texts to learn from, evenly spaced; 0: all."""


class RecipeConfig(dg.Config):
    """How to learn; see `klip_assets.training.fit.Recipe`."""

    base: str = Recipe.base
    epochs: int = Recipe.epochs
    learning_rate: float = Recipe.learning_rate
    batch: int = Recipe.batch
    seed: int = Recipe.seed
    device: str = Recipe.device


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"parquet"}, code_version="1")
def emotion_training_set(config: TextsConfig, installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult:
    """Labelled public texts for training, without duplicates and without near-copies of evaluation texts."""
    settings = installation.here.settings
    sets = texts.read_sets(Path(config.data_dir) if config.data_dir else settings.data_dir / "training")
    learnt, measured = texts.training_set(sets), texts.measured_set(sets)
    if config.most:
        learnt = learnt.take(pa.array(range(0, learnt.num_rows, max(1, learnt.num_rows // config.most))))
    write_atomically(settings.models_dir / _TRAINING, lambda to: pq.write_table(learnt, to))
    write_atomically(settings.models_dir / _MEASURED, lambda to: pq.write_table(measured, to))
    sources = learnt["source"].value_counts().to_pylist()
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": learnt.num_rows,
            "sources": {row["values"]: row["counts"] for row in sources},
            "measured": measured.num_rows,
        },
        data_version=dg.DataVersion(file_sha256(settings.models_dir / _TRAINING)),
    )


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"pytorch", "onnx"}, code_version="2", deps=[emotion_training_set])
def emotion_model(
    context: dg.AssetExecutionContext, config: RecipeConfig, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """A MiniLM encoder fine-tuned for sentiment and the nine emotions, quantized to int8; not yet in use."""
    folder = installation.here.settings.models_dir
    rows = pq.read_table(folder / _TRAINING)
    recipe = Recipe(**config.model_dump())
    learnt = learn(rows, recipe, context.log.info)
    shutil.rmtree(folder / _CANDIDATE, ignore_errors=True)
    notes = {"training_rows": rows.num_rows, "base_sha256": base_sha256(recipe.base)}
    made = export(learnt, folder / _CANDIDATE, notes, sample=rows["text"].to_pylist())
    model = compact.CompactModel(made)
    return dg.MaterializeResult(
        metadata={
            "model": model.name,
            "bytes": sum(path.stat().st_size for path in made.iterdir()),
            "training_seconds": learnt.seconds,
            "recipe": asdict(recipe),
        },
        data_version=dg.DataVersion(model.sha256),
    )


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"onnx", "parquet"}, code_version="1", deps=[emotion_model])
def emotion_model_evaluation(
    context: dg.AssetExecutionContext, installation: dg.ResourceParam[Installation]
) -> dg.MaterializeResult:
    """The candidate, the model in use, both lexicons and a linear model, measured on texts unseen in training."""
    settings, folder = installation.here.settings, installation.here.settings.models_dir
    candidate = compact.CompactModel(folder / _CANDIDATE)
    models = {CANDIDATE: candidate}
    if (in_use := _in_use(settings)) is not None:
        models[IN_USE] = compact.CompactModel(in_use)
    figures = measure(pq.read_table(folder / _MEASURED), models, pq.read_table(folder / _TRAINING))
    run_id = context.run.run_id
    rows = evaluation_rows(run_id, figures, "", without_weights=figures)
    write_record(installation.here.lake, EVALUATIONS, run_id, rows, run_id=run_id)
    values = {
        system: {metric: figure.value for metric, figure in found.items()}
        for system, found in main_figures(figures).items()
    }
    text = json.dumps({"model_sha256": candidate.sha256, "figures": values}, indent=1)
    write_atomically(folder / _FIGURES, lambda to: to.write_text(text))
    return dg.MaterializeResult(
        metadata={"figures": dg.MetadataValue.md(as_markdown(figures))},
        data_version=dg.DataVersion(hashlib.sha256(text.encode()).hexdigest()),
    )


@dg.asset_check(asset=emotion_model_evaluation, blocking=True)
def emotion_model_is_not_worse(installation: dg.ResourceParam[Installation]) -> dg.AssetCheckResult:
    """Reject a candidate that scores below the model in use in either task, or that is not the model measured."""
    folder = installation.here.settings.models_dir
    noted = json.loads((folder / _FIGURES).read_text())
    figures, problems = noted["figures"], []
    if noted["model_sha256"] != compact.CompactModel(folder / _CANDIDATE).sha256:
        problems.append("the candidate is not the model that was measured: materialize the evaluation again")
    for metric, new in figures[CANDIDATE].items():
        if IN_USE in figures and new < (old := figures[IN_USE][metric]):
            problems.append(f"{metric} is {new:.2f}, below the {old:.2f} of the model in use")
    return dg.AssetCheckResult(passed=not problems, description="; ".join(problems) or "not worse in either task")


@dg.asset(group_name=GROUP, owners=OWNERS, kinds={"onnx"}, code_version="1", deps=[emotion_model_evaluation])
def emotion_model_in_use(installation: dg.ResourceParam[Installation]) -> dg.MaterializeResult:
    """The candidate becomes the model in use; the previous one is kept beside it."""
    settings = installation.here.settings
    candidate = settings.models_dir / _CANDIDATE
    model = compact.CompactModel(candidate)
    folder = settings.models_dir / model.name
    if not folder.exists():
        shutil.copytree(candidate, folder)
    beside = settings.models_dir / f".compact-{os.getpid()}"
    point_link(settings.compact_model_dir, folder.name, temporary=beside)
    return dg.MaterializeResult(metadata={"model": model.name}, data_version=dg.DataVersion(model.sha256))


MODEL_CHECKS = [emotion_model_is_not_worse]


def _in_use(settings: Settings) -> Path | None:
    for folder in (settings.compact_model_dir, compact.SHIPPED):
        if (folder / "model.onnx").exists():
            return folder
    return None
