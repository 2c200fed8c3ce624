"""The chain of tiers: which are configured, and which one reads.

This release has the lexicon tier; `llm` and `bert` have their place in the chain and say that they are not
configured.

Put here: the order and availability of tiers. Keep out: what a tier does inside (one module each).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from klip_assets.sentiment import lexicon as lexicon_tier
from klip_assets.sentiment.reading import Reading, input_hash


@dataclass(frozen=True)
class TierState:
    """Whether a tier can read, and why or why not."""

    name: str
    ready: bool
    why: str


def tier_states(names: Sequence[str], lexicon: str) -> list[TierState]:
    """Say for each tier of a chain whether it is configured."""
    states = {
        "llm": TierState("llm", False, "not configured: this release has no LLM tier yet"),
        "bert": TierState("bert", False, "not configured: this release has no BERT tier yet"),
        "lexicon": TierState("lexicon", True, f"{lexicon_tier.model_name(lexicon)}, offline, sentiment only"),
    }
    return [states[name] for name in names]


def chain_version(names: Sequence[str], lexicon: str) -> str:
    """Name what will read, as it enters the version of a table."""
    ready = [state.name for state in tier_states(names, lexicon) if state.ready]
    return ",".join(lexicon_tier.model_name(lexicon) if name == "lexicon" else name for name in ready) or "none"


def read_texts(texts: Sequence[str], names: Sequence[str], lexicon: str) -> list[Reading]:
    """Read texts with the best configured tier of a chain.

    Args:
        texts: The texts.
        names: Tiers, best first.
        lexicon: Library behind the lexicon tier.

    Returns:
        One reading a text, in order. If no tier of the chain is configured, every row is `failed` and says so.
    """
    states = tier_states(names, lexicon)
    if any(state.name == "lexicon" and state.ready for state in states):
        return lexicon_tier.read_texts(texts, lexicon)
    reason = "no tier could read: " + "; ".join(f"{state.name}: {state.why}" for state in states)
    return [Reading("failed", input_hash("", "", text), error=reason) for text in texts]
