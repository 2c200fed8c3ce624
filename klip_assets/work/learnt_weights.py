"""Weights learnt from editors' verdicts on the highlights of processed videos. Nothing uses them automatically."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from klip_assets.contracts import FEEDBACK
from klip_assets.errors import InputError, NotFoundError
from klip_assets.evaluation.learning import Judged, Learnt, judged_moments, latest_verdicts, learn_weights
from klip_assets.evaluation.processed import signals_of
from klip_assets.products.highlights.weights import WeightSet, toml_of, weight_set, weight_sets
from klip_assets.settings import Settings
from klip_assets.store.files import write_atomically
from klip_assets.store.lake.lake import Lake
from klip_assets.work.installation import Installation


@dataclass(frozen=True)
class FromVerdicts:
    """What was learnt from the verdicts.

    Attributes:
        verdict: A sentence that says what is missing, or how the learnt weights compare with the default.
        figures: The figures behind it, by name.
        path: The file of the learnt weights; None if they were not better and so not written.
        version: Version of the learnt weights, '' if there are none.
    """

    verdict: str
    figures: dict[str, Any]
    path: Path | None = None
    version: str = ""


def learn_from_verdicts(installation: Installation) -> FromVerdicts:
    """Fit weights to the verdicts on videos that still exist, and keep them if they rank unseen videos better."""
    settings, lake = installation.settings, installation.lake
    default = _default(settings)
    judged, skipped = _judged(lake, default)
    figures: dict[str, Any] = {
        "default": default.version,
        "judged_videos": len(judged),
        "good": sum(int(video.good.sum()) for video in judged),
        "bad": sum(int((~video.good).sum()) for video in judged),
        "passed_over": skipped,
    }
    try:
        learnt = learn_weights(judged, default)
    except InputError as missing:
        return FromVerdicts(str(missing), {**figures, "used": False, "verdict": str(missing)})
    figures |= {
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
        return FromVerdicts(learnt.verdict, figures)
    path = _write(learnt, default, settings)
    figures["weights"] = dict(learnt.weights.weights)
    return FromVerdicts(learnt.verdict, figures, path, learnt.weights.version)


def _default(settings: Settings) -> WeightSet:
    # A set that was learnt here has seen the verdicts it would be measured on.
    shipped = settings.weights in weight_sets()
    return weight_set(settings.weights if shipped else Settings.model_fields["weights"].default)


def _judged(lake: Lake, default: WeightSet) -> tuple[list[Judged], list[str]]:
    feedback = pa.concat_tables([FEEDBACK.empty(), *(lake.read(FEEDBACK, key) for key in lake.keys(FEEDBACK))])
    judged, skipped = [], []
    for video_id, verdicts in latest_verdicts(feedback).items():
        try:
            moments = judged_moments(signals_of(video_id, lake), verdicts, default)
        except NotFoundError as gone:
            skipped.append(f"{video_id}: {gone}")
            continue
        if moments is None:
            skipped.append(f"{video_id}: no signal where its highlights were")
        else:
            judged.append(moments)
    return judged, skipped


def _write(learnt: Learnt, default: WeightSet, settings: Settings) -> Path:
    path = settings.models_dir / "weights" / f"{learnt.weights.version}.toml"
    about = f"Learnt from {learnt.good} good and {learnt.bad} bad moments, against {default.version}: {learnt.verdict}."
    content = toml_of(learnt.weights, about)
    write_atomically(path, lambda to: to.write_text(content, encoding="utf-8"))
    return path
