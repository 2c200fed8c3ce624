"""One Klip installation: its settings, and what lies behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from klip_assets.contracts import Subject
from klip_assets.products.highlights.weights import WeightSet, weight_set
from klip_assets.settings import Settings
from klip_assets.signals.text.tiers import chain_version
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.tweet_sources import day_version
from klip_assets.store.state.attempts import Attempts
from klip_assets.store.state.registry import Registry


@dataclass
class Installation:
    """The settings, the lake, and the memory of inbox and attempts.

    Attributes:
        settings: What people set, as it was when this was made: work on one video sees no other halfway.
    """

    settings: Settings
    _readers: dict[tuple[str, ...], str] = field(default_factory=dict, repr=False)

    @cached_property
    def lake(self) -> Lake:
        """The Parquet partitions."""
        return Lake(self.settings.lake_dir)

    @cached_property
    def registry(self) -> Registry:
        """What is remembered of the inbox."""
        return Registry(self.settings.memory_path)

    @cached_property
    def attempts(self) -> Attempts:
        """What is remembered of runs that failed or died."""
        return Attempts(self.settings.memory_path)

    @cached_property
    def weights(self) -> WeightSet:
        """The weight set in use.

        Raises:
            InputError: KLIP_WEIGHTS names none.
        """
        return weight_set(self.settings.weights)

    def content_of(self, subject: Subject) -> str:
        """Return the version of what a video or day is made from: of its recording, or of the day's sources."""
        if subject.is_day:
            return day_version(self.lake, subject.key)
        return self.registry.fingerprint_of(subject.key)

    def readers(self, tiers: Sequence[str], prompt_version: str) -> str:
        """Name the models that these tiers would read with, as they enter the version of a table."""
        key = (*tiers, prompt_version)
        if key not in self._readers:
            self._readers[key] = chain_version(tiers, self.settings, prompt_version)
        return self._readers[key]
