"""Weight sets: data with a version, kept in `weights.toml`.

Put here: reading the sets. Keep out: what the terms mean (`scoring`, `curve`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import pyarrow as pa

from klip_assets.contracts import WEIGHTS
from klip_assets.errors import InputError

MODEL = "model_score"


@dataclass(frozen=True)
class WeightSet:
    """One weight set.

    Attributes:
        version: Its name, e.g. klip-1.
        emotion: How the emotion term is made: mean_of_five or not_neutral.
        weights: Weight by term; `model_score` is the share of the model in the whole.
    """

    version: str
    emotion: str
    weights: Mapping[str, float]

    @property
    def terms(self) -> dict[str, float]:
        """Weights of the terms of the base score."""
        return {term: weight for term, weight in self.weights.items() if term != MODEL}


@cache
def weight_sets() -> dict[str, WeightSet]:
    """Return every known weight set by version."""
    sets = tomllib.loads(files("klip_assets.highlights").joinpath("weights.toml").read_text())
    return {version: WeightSet(version, entry["emotion"], entry["weights"]) for version, entry in sets.items()}


def weight_set(version: str) -> WeightSet:
    """Return one weight set.

    Raises:
        InputError: There is none of that name.
    """
    known = weight_sets()
    if version not in known:
        raise InputError(f"there is no weight set {version!r}", hint=f"KLIP_WEIGHTS can be {', '.join(known)}")
    return known[version]


def weights_table() -> pa.Table:
    """Return all sets by the contract `weights`."""
    return WEIGHTS.from_rows(
        {"weights_version": entry.version, "term": term, "weight": weight}
        for entry in weight_sets().values()
        for term, weight in entry.weights.items()
    )
