"""One Klip installation: its settings, lake and state."""

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
        settings: The settings at the time this was created, so that they don't change halfway through a video.
    """

    settings: Settings
    _readers: dict[tuple[str, ...], str] = field(default_factory=dict, repr=False)

    @cached_property
    def lake(self) -> Lake:
        """The Parquet partitions."""
        return Lake(self.settings.lake_dir)

    @cached_property
    def registry(self) -> Registry:
        """The registry of the inbox."""
        return Registry(self.settings.memory_path)

    @cached_property
    def attempts(self) -> Attempts:
        """The memory of runs that failed or died."""
        return Attempts(self.settings.memory_path)

    @cached_property
    def weights(self) -> WeightSet:
        """The weight set in use.

        Raises:
            InputError: KLIP_WEIGHTS does not name one.
        """
        return weight_set(self.settings.weights)

    def content_of(self, subject: Subject) -> str:
        """Return the version of a subject's content: of the recording of a video, or the sources of a day."""
        if subject.is_day:
            return day_version(self.lake, subject.key)
        return self.registry.fingerprint_of(subject.key)

    def readers(self, tiers: Sequence[str], prompt_version: str) -> str:
        """Return the version of the models that these tiers would use, as an input of a table."""
        key = (*tiers, prompt_version)
        if key not in self._readers:
            self._readers[key] = chain_version(tiers, self.settings, prompt_version)
        return self._readers[key]
