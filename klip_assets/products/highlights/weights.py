"""Weight sets: versioned data in `weights.toml` or in a file of the same format."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa

from klip_assets.contracts import WEIGHTS
from klip_assets.errors import InputError

MODEL = "model_score"


@dataclass(frozen=True)
class WeightSet:
    """One weight set.

    Attributes:
        version: Its name, e.g. klip-1.
        emotion: Rule of the emotion term; see `scoring.emotion_term`.
        weights: Weight by term; `model_score` is the model's share of the score.
    """

    version: str
    emotion: str
    weights: Mapping[str, float]

    @property
    def fingerprint(self) -> str:
        """The version and a digest of the content, since a file may be edited without a new version."""
        content = json.dumps([self.emotion, dict(self.weights)], sort_keys=True)
        return f"{self.version}/{hashlib.sha256(content.encode()).hexdigest()[:8]}"

    @property
    def terms(self) -> dict[str, float]:
        """Weights of the terms of the base score."""
        return {term: weight for term, weight in self.weights.items() if term != MODEL}


@cache
def weight_sets() -> dict[str, WeightSet]:
    """Return every weight set shipped with Klip, by version."""
    sets = tomllib.loads(files("klip_assets.products.highlights").joinpath("weights.toml").read_text())
    return {version: WeightSet(version, entry["emotion"], entry["weights"]) for version, entry in sets.items()}


def weight_set(name: str) -> WeightSet:
    """Return one weight set.

    Args:
        name: A version shipped with Klip, or a file in the format of `weights.toml`: `FILE.toml`, or
            `FILE.toml#VERSION` if it holds several sets.

    Raises:
        InputError: It does not exist, or the file can't be used.
    """
    known = weight_sets()
    if name in known:
        return known[name]
    path, _, version = name.partition("#")
    if not path.endswith(".toml"):
        raise InputError(
            f"unknown weight set {name!r}", hint=f"KLIP_WEIGHTS can be {', '.join(known)}, or a .toml file"
        )
    found = read_weights(Path(path).expanduser())
    if version in found:
        return found[version]
    if version or len(found) > 1:
        wrong = f"{path} contains no weight set {version!r}" if version else f"{path} contains several weight sets"
        raise InputError(wrong, hint=f"KLIP_WEIGHTS can be {', '.join(f'{path}#{each}' for each in found)}")
    return next(iter(found.values()))


def read_weights(path: Path) -> dict[str, WeightSet]:
    """Return the weight sets of a file, by version.

    Raises:
        InputError: The file is missing or not valid TOML, or has no set or an invalid one; the message says which.
    """
    try:
        sets = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror or error}", hint="see KLIP_WEIGHTS") from None
    except ValueError as error:
        raise InputError(
            f"{path} is not valid TOML: {error}", hint="see klip_assets/products/highlights/weights.toml"
        ) from None
    if not sets:
        raise InputError(f"{path} contains no weight set", hint="see klip_assets/products/highlights/weights.toml")
    found = {}
    for version, entry in sets.items():
        if (wrong := _wrong(version, entry)) is not None:
            raise InputError(
                f"{path}, weight set {version!r}: {wrong}", hint="see klip_assets/products/highlights/weights.toml"
            )
        weights = {term: float(weight) for term, weight in entry["weights"].items()}
        found[version] = WeightSet(version, entry["emotion"], weights)
    return found


def toml_of(entry: WeightSet, *comments: str) -> str:
    """Return a weight set as text in the format of `weights.toml`, below comment lines."""
    head = [f"# {line}" for comment in comments for line in comment.splitlines()]
    # A JSON string is a TOML string, and quoted keys take any version.
    version = json.dumps(entry.version)
    weights = [f"{term} = {weight!r}" for term, weight in entry.weights.items()]
    return "\n".join(
        [*head, f"[{version}]", f"emotion = {json.dumps(entry.emotion)}", f"[{version}.weights]", *weights, ""]
    )


def weights_table(*others: WeightSet) -> pa.Table:
    """Return all sets as in the contract `weights`: those shipped with Klip, and others in use."""
    return WEIGHTS.from_rows(
        {"weights_version": entry.version, "term": term, "weight": weight}
        for entry in {**weight_sets(), **{entry.version: entry for entry in others}}.values()
        for term, weight in entry.weights.items()
    )


def _wrong(version: str, entry: Any) -> str | None:
    if not isinstance(entry, dict) or set(entry) != {"emotion", "weights"} or not isinstance(entry["weights"], dict):
        return "it needs `emotion` and a table `weights`, and nothing else"
    known = weight_sets()
    if version in known:
        return "Klip ships a set of this version; choose another"
    rules = sorted({shipped.emotion for shipped in known.values()})
    if entry["emotion"] not in rules:
        return f"emotion is {entry['emotion']!r}; it can be {', '.join(rules)}"
    terms = sorted({term for shipped in known.values() for term in shipped.weights})
    for term, weight in entry["weights"].items():
        if term not in terms:
            return f"unknown term {term!r}; the terms are {', '.join(terms)}"
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            return f"{term} is {weight!r}; a weight must be a number of at least 0"
    if entry["weights"].get(MODEL, 0) > 1:
        return f"{MODEL} is the model's share of the score, 0 to 1"
    if not any(weight > 0 for weight in entry["weights"].values()):
        return "no weight is above 0"
    return None
