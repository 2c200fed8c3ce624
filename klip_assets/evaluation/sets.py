"""Finding golden sets, and measuring each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from klip_assets.errors import InputError
from klip_assets.evaluation.adapters import adapted_sets, tweet_sets
from klip_assets.evaluation.binned import BinnedSet
from klip_assets.evaluation.figures import Figure, binned_figures
from klip_assets.evaluation.golden import TRUTH, GoldenSet, read_set
from klip_assets.evaluation.processed import processed_figures, sample_dir, weights_made_with
from klip_assets.evaluation.tweets import TweetSet, tiers_of, tweet_figures
from klip_assets.products.highlights.weights import weight_set
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake

SAMPLE = "sample"

AnySet = GoldenSet | BinnedSet | TweetSet


def sets_of(places: Sequence[str], settings: Settings) -> Iterator[AnySet]:
    """Yield the requested sets.

    Args:
        places: `sample`, folders with a truth.json, folders of such folders, or folders with public sets; empty: the
            sample and the sets in KLIP_GOLDEN_DIR.
        settings: Settings of the installation.

    Raises:
        InputError: A place has no set, or one that can't be read.
    """
    requested = list(places) or [SAMPLE, *([str(settings.golden_dir)] if settings.golden_dir else [])]
    for place in requested:
        folder = sample_dir() if place == SAMPLE else Path(place)
        if not folder.is_dir():
            raise InputError(f"{place!r} is not a folder", hint="give `sample`, or a folder with a golden set")
        own = sorted(path.parent for path in (*folder.glob(TRUTH), *folder.glob(f"*/{TRUTH}")))
        found: list[AnySet] = [read_set(path, chat_lag_s=settings.chat_lag_s) for path in own]
        found += adapted_sets(folder, chat_lag_s=settings.chat_lag_s)
        found += tweet_sets(folder)
        if not found:
            raise InputError(f"no golden set in {place}: neither a {TRUTH} nor a public set that Klip knows")
        yield from found


def tweet_sets_of(places: Sequence[str], settings: Settings) -> list[TweetSet]:
    """Return the sets of labelled tweets in folders; without any folder, those in KLIP_GOLDEN_DIR.

    Raises:
        InputError: There is none.
    """
    folders = list(places) or ([str(settings.golden_dir)] if settings.golden_dir else [])
    found = [golden for folder in folders for golden in tweet_sets(Path(folder))]
    if not found:
        where = f"no labelled tweets in {', '.join(folders)}" if folders else "no folder with labelled tweets is given"
        raise InputError(where, hint="klip eval tweets FOLDER, or set KLIP_GOLDEN_DIR to a folder with TweetEval")
    return found


def figures_of(golden: AnySet, settings: Settings, *, with_llm: bool = False) -> list[Figure]:
    """Measure Klip and the baselines on one set.

    Args:
        golden: The set.
        settings: Settings of the installation.
        with_llm: Whether to measure the language model too, if one is configured.

    Raises:
        NotFoundError: The set has a recording that has not been processed.
    """
    if isinstance(golden, TweetSet):
        return tweet_figures(golden, tiers_of(settings, with_llm=with_llm))
    if isinstance(golden, BinnedSet):
        return binned_figures(golden, settings.weights)
    return processed_figures(golden, Lake(settings.lake_dir))


def weights_of(golden: AnySet, settings: Settings) -> str | None:
    """Return the weight set that Klip was measured with on a set, None if weights play no part.

    Raises:
        NotFoundError: The set has a recording that has not been processed.
    """
    if isinstance(golden, TweetSet):
        return None
    if isinstance(golden, BinnedSet):
        return weight_set(settings.weights).version
    return weights_made_with(golden, Lake(settings.lake_dir))
