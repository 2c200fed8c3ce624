"""Which sets there are, and the figures of each.

Put here: from a name or folder to figures. Keep out: forms of sets (`golden`, `adapters`) and metrics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from klip_assets.errors import InputError
from klip_assets.evaluation.adapters import adapted_sets
from klip_assets.evaluation.binned import BinnedSet
from klip_assets.evaluation.figures import Figure, binned_figures
from klip_assets.evaluation.golden import TRUTH, GoldenSet, read_set
from klip_assets.evaluation.processed import processed_figures, sample_dir
from klip_assets.lake.store import Lake
from klip_assets.settings import Settings

SAMPLE = "sample"


def sets_of(places: Sequence[str], settings: Settings) -> Iterator[GoldenSet | BinnedSet]:
    """Yield the sets that are asked for.

    Args:
        places: `sample`, folders with a truth.json or with such folders, or that hold public sets; none at all asks for
            the sample and whatever KLIP_GOLDEN_DIR holds.
        settings: Of the installation.

    Raises:
        InputError: A place holds no set, or one that can't be read.
    """
    asked = list(places) or [SAMPLE, *([str(settings.golden_dir)] if settings.golden_dir else [])]
    for place in asked:
        folder = sample_dir() if place == SAMPLE else Path(place)
        if not folder.is_dir():
            raise InputError(f"{place!r} is no folder", hint="name `sample`, or a folder that holds a golden set")
        own = sorted(path.parent for path in (*folder.glob(TRUTH), *folder.glob(f"*/{TRUTH}")))
        found: list[GoldenSet | BinnedSet] = [read_set(path, chat_lag_s=settings.chat_lag_s) for path in own]
        found += adapted_sets(folder, chat_lag_s=settings.chat_lag_s)
        if not found:
            raise InputError(f"{place} is no golden set and holds none: no {TRUTH}, no public set that Klip knows")
        yield from found


def figures_of(golden: GoldenSet | BinnedSet, settings: Settings) -> list[Figure]:
    """Measure Klip and the baselines on one set.

    Raises:
        NotFoundError: The set has a recording that has not been processed.
    """
    if isinstance(golden, BinnedSet):
        return binned_figures(golden, settings.weights)
    return processed_figures(golden, Lake(settings.lake_dir))
