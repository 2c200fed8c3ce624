"""The chain of tiers: which are configured, and passing each text down the chain until one answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from klip_assets.errors import InputError
from klip_assets.settings import Settings
from klip_assets.signals.text import lexicon as lexicon_tier
from klip_assets.signals.text.bert import tier as bert_tier
from klip_assets.signals.text.bert.compact import SHIPPED
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.known import NOTHING_KNOWN, Known
from klip_assets.signals.text.llm.dialect import AnswerTokens
from klip_assets.signals.text.llm.models import Model, model_chain
from klip_assets.signals.text.llm.reader import LlmTier, Spent
from klip_assets.signals.text.reading import Reading, input_hash
from klip_assets.store.state.ledger import Budget, Purpose


@dataclass(frozen=True)
class TierState:
    """Whether a tier is ready, and why or why not."""

    name: str
    ready: bool
    why: str


class Tier(Protocol):
    """One tier."""

    @property
    def name(self) -> str:
        """llm, bert or lexicon."""
        ...

    @property
    def languages(self) -> frozenset[str] | None:
        """Languages that it reads (ISO 639-1), None for all."""
        ...

    @property
    def reader(self) -> str:
        """The model or library that reads, for messages."""
        ...

    def read(self, items: Sequence[Item]) -> list[Reading]:
        """Return one reading per text, in order; `failed` ones go to the next tier."""
        ...


@dataclass(frozen=True)
class LexiconTier:
    """The lexicon tier; see `klip_assets.signals.text.lexicon`."""

    lexicon: str
    known: Known = field(default_factory=dict, compare=False)
    name = lexicon_tier.TIER
    languages = lexicon_tier.LANGUAGES

    @property
    def reader(self) -> str:
        """The library with its version."""
        return lexicon_tier.model_name(self.lexicon)

    def read(self, items: Sequence[Item]) -> list[Reading]:
        """Score texts."""
        return lexicon_tier.read_texts([item.text for item in items], self.lexicon, self.known)


@dataclass(frozen=True)
class Chain:
    """The configured tiers, best first.

    Attributes:
        tiers: The tiers that are ready.
        states: All requested tiers, and why some are not configured.
    """

    tiers: Sequence[Tier]
    states: Sequence[TierState]

    def read(self, items: Sequence[Item]) -> list[Reading]:
        """Read texts, each by the best tier that answers.

        Returns:
            One reading per text, in order. One made by a lower tier because a higher one failed is a `fallback` with
            the reason; one made by no tier is `failed`, without scores. A tier is not given languages that it does not
            read; a text in a language that no tier reads is `skipped` with the reason.
        """
        if not self.tiers:
            reason = "no tier is available: " + "; ".join(f"{state.name}: {state.why}" for state in self.states)
            return [Reading("failed", input_hash("", "", item.text), error=reason) for item in items]
        readings: dict[int, Reading] = {}
        why: dict[int, list[str]] = {index: [] for index in range(len(items))}
        foreign: dict[int, list[str]] = {index: [] for index in range(len(items))}
        for tier in self.tiers:
            todo = []
            for index in range(len(items)):
                if index in readings:
                    continue
                if _reads(tier, items[index]):
                    todo.append(index)
                else:
                    foreign[index].append(f"{tier.reader} reads {', '.join(sorted(tier.languages or ()))}")
            if not todo:
                continue
            for index, reading in zip(todo, tier.read([items[index] for index in todo]), strict=True):
                if reading.status == "failed":
                    why[index].append(f"{tier.name}: {reading.error}")
                elif why[index] and reading.status != "skipped":
                    readings[index] = replace(reading, status="fallback", error="; ".join(why[index]))
                else:
                    readings[index] = reading
        for index, item in enumerate(items):
            if index not in readings:
                digest = input_hash(self.tiers[0].name, "", item.text)
                written_in = [f"written in {item.language}", *foreign[index]] if foreign[index] else []
                status = "failed" if why[index] else "skipped"
                readings[index] = Reading(status, digest, error="; ".join([*why[index], *written_in]))
        return [readings[index] for index in range(len(items))]

    @property
    def spent(self) -> Spent | None:
        """Usage of the LLM tier, None if there is none."""
        return next((tier.spent for tier in self.tiers if isinstance(tier, LlmTier)), None)


def _reads(tier: Tier, item: Item) -> bool:
    return tier.languages is None or item.language is None or item.language in tier.languages or item.is_empty


def tier_states(names: Sequence[str], settings: Settings) -> list[TierState]:
    """Return for each tier of a chain whether it is configured."""
    states = {"llm": _llm_state, "bert": _bert_state, "lexicon": _lexicon_state}
    return [states[name](settings) for name in names]


def chain_version(names: Sequence[str], settings: Settings, prompt_version: str) -> str:
    """Return the models in use, as they enter the version of a table: other models or prompts give other rows."""
    parts = []
    for state in tier_states(names, settings):
        if state.ready and state.name == "llm":
            models = ",".join(f"{model.name}@{model.endpoint.name}" for model in _models(settings))
            parts.append(f"{models}/{prompt_version}")
        elif state.ready and state.name == "bert":
            parts.append(_bert_names(settings))
        elif state.ready:
            parts.append(lexicon_tier.model_name(settings.lexicon))
    return ";".join(parts) or "none"


def build_chain(
    names: Sequence[str],
    settings: Settings,
    *,
    prompt_version: str,
    purpose: Purpose | None = None,
    notify: Callable[[str], None] = lambda _: None,
    known: Known = NOTHING_KNOWN,
) -> Chain:
    """Build the chain of configured tiers.

    Args:
        names: Tiers, best first.
        settings: Models and budgets.
        prompt_version: Version of the prompt for language models.
        purpose: Purpose of their calls.
        notify: Called with messages for the user: how each model runs, which is skipped and why.
        known: Earlier readings; language models have a cache of their own.
    """
    states = tier_states(names, settings)
    tiers: list[Tier] = []
    for state in states:
        if state.ready and state.name == "llm":
            tiers.append(
                LlmTier(
                    _models(settings),
                    prompt_version,
                    settings.llm_path,
                    purpose or Purpose(),
                    Budget(settings.llm_budget_usd, settings.llm_daily_budget_usd),
                    settings.llm_timeout_s,
                    settings.llm_max_concurrency,
                    notify,
                    tokens=AnswerTokens(settings.llm_max_answer_tokens, settings.llm_retry_answer_tokens),
                )
            )
        elif state.ready and state.name == "bert":
            tiers.append(
                bert_tier.BertTier(
                    settings.text_model_names,
                    settings.models_dir,
                    _compact_folder(settings),
                    settings.text_device,
                    settings.text_precision,
                    notify,
                    known,
                )
            )
        elif state.ready:
            tiers.append(LexiconTier(settings.lexicon, known))
    return Chain(tiers, states)


def _bert_names(settings: Settings) -> str:
    return bert_tier.model_names(
        settings.text_model_names, _compact_folder(settings), settings.text_device, settings.text_precision
    )


def _models(settings: Settings) -> list[Model]:
    return model_chain(
        settings.llm_models,
        settings.llm_base_url,
        settings.llm_api_key,
        input_usd_per_mtok=settings.llm_input_usd_per_mtok,
        output_usd_per_mtok=settings.llm_output_usd_per_mtok,
        key_value=settings.key_value,
    )


def _llm_state(settings: Settings) -> TierState:
    if not settings.llm_base_url and not settings.llm_models.strip().endswith(".toml"):
        return TierState("llm", False, "not configured: KLIP_LLM_BASE_URL is not set")
    if find_spec("openai") is None:
        return TierState("llm", False, "not configured: the package openai is not installed")
    try:
        models = _models(settings)
    except InputError as error:
        return TierState("llm", False, f"not configured: {error}")
    return TierState("llm", True, ", then ".join(f"{model.name} at {model.endpoint.name}" for model in models))


def _bert_state(settings: Settings) -> TierState:
    if settings.text_model_names:
        return TierState("bert", True, " and ".join(settings.text_model_names))
    folder = _compact_folder(settings)
    if not (folder / "model.onnx").exists():
        return TierState("bert", False, "not configured: no compact model in the package, and KLIP_TEXT_MODEL not set")
    whose = "from this package" if folder == SHIPPED else f"in {folder}"
    return TierState("bert", True, f"the compact model {whose}, sentiment and emotions")


def _compact_folder(settings: Settings) -> Path:
    return settings.compact_model_dir.resolve() if settings.compact_model_dir.exists() else SHIPPED


def _lexicon_state(settings: Settings) -> TierState:
    return TierState("lexicon", True, f"{lexicon_tier.model_name(settings.lexicon)}, offline, sentiment only")
