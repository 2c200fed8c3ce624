"""Sends each text down the chain of models, many concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from klip_assets.contracts import EMOTIONS
from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.channel import Channel, ForbiddenError, NotAnsweredError, OverBudgetError
from klip_assets.signals.text.llm.client import Client
from klip_assets.signals.text.llm.dialect import AnswerTokens
from klip_assets.signals.text.llm.models import Endpoint, Model
from klip_assets.signals.text.llm.pace import Slots
from klip_assets.signals.text.llm.prompt import Prompt, prompt
from klip_assets.signals.text.reading import Reading
from klip_assets.store.state.ledger import Budget, Ledger, Purpose, open_session
from klip_assets.store.state.replies import question_key

TIER = "llm"


@dataclass
class Spent:
    """What reading cost.

    Attributes:
        calls: Calls of a model that were not answered from the cache.
        cache_hits: Calls that were.
        prompt_tokens: Tokens sent, as far as endpoints report them.
        completion_tokens: Tokens received.
        cost_usd: Their price, as far as prices are known.
        closed: Model name -> why it was skipped.
    """

    calls: int = 0
    cache_hits: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    closed: dict[str, str] = field(default_factory=dict)

    def add(self, channel: Channel) -> None:
        """Add the calls of one model in one run."""
        self.calls += len(channel.calls)
        self.cache_hits += len(channel.hits)
        self.prompt_tokens += sum(call.prompt_tokens or 0 for call in channel.calls)
        self.completion_tokens += sum(call.completion_tokens or 0 for call in channel.calls)
        self.cost_usd += sum(call.cost_usd or 0.0 for call in channel.calls)
        if channel.closed:
            self.closed[channel.model.name] = channel.closed


@dataclass(frozen=True)
class LlmTier:
    """The LLM tier.

    Attributes:
        models: The chain, best first.
        prompt_version: Version of the prompt.
        state: `state/llm.sqlite`.
        purpose: Purpose of the calls.
        budget: Spending limits.
        timeout_s: Timeout of a request in seconds.
        most: Maximum concurrent requests over all processes.
        notify: Called with messages about models that are skipped.
        spent: What reading has cost.
        tokens: Limits of an answer.
    """

    models: Sequence[Model]
    prompt_version: str
    state: Path
    purpose: Purpose = field(default_factory=Purpose)
    budget: Budget = field(default_factory=Budget)
    timeout_s: float = 60.0
    most: int = 16
    notify: Callable[[str], None] = lambda _: None
    spent: Spent = field(default_factory=Spent)
    tokens: AnswerTokens = field(default_factory=AnswerTokens)

    name = TIER
    languages = None

    @property
    def reader(self) -> str:
        """The models, in the order they are tried."""
        return ", ".join(model.name for model in self.models)

    def read(self, items: Sequence[Item]) -> list[Reading]:
        """Read texts; identical ones are sent once.

        Returns:
            One reading per text, in order. Where no model answered it is `failed`, with the reason of each.
        """
        distinct = list(dict.fromkeys(items))
        if not distinct:
            return []
        readings = dict(zip(distinct, asyncio.run(self._read(distinct)), strict=True))
        return [readings[item] for item in items]

    async def _read(self, items: Sequence[Item]) -> list[Reading]:
        async with AsyncExitStack() as to_close:
            store, session = to_close.enter_context(open_session(self.state))
            slots = Slots(self.state.with_name("llm-slots"), self.most)
            to_close.callback(slots.close)
            ledger = Ledger(store, session, self.purpose, self.budget)
            asked = prompt(self.prompt_version)
            clients: dict[Endpoint, Client] = {}

            def client_of(endpoint: Endpoint) -> Client:
                # The library takes most of a second to import: only when there is something to send.
                if endpoint not in clients:
                    clients[endpoint] = Client(endpoint, self.timeout_s)
                    to_close.push_async_callback(clients[endpoint].close)
                return clients[endpoint]

            chain = _Chain(
                [
                    Channel(model, client_of, asked, store, ledger, slots, self.most, self.notify, self.tokens)
                    for model in self.models
                ],
                asked,
            )
            try:
                return await _side_by_side(chain.read, items, self.most)
            finally:
                ledger.record([hit for channel in chain.channels for hit in channel.hits])
                for channel in chain.channels:
                    self.spent.add(channel)


class _Chain:
    """The models of one run."""

    def __init__(self, channels: Sequence[Channel], asked: Prompt) -> None:
        self.channels, self._asked = channels, asked
        self._over_budget: str | None = None

    async def read(self, item: Item) -> Reading:
        if item.is_empty:
            return Reading("skipped", self._hash(item), error="no words to read", prompt_version=self._asked.version)
        reasons = []
        for channel in self.channels:
            try:
                # Cached answers cost nothing.
                kept = channel.kept(item)
                if kept is None and self._over_budget:
                    raise NotAnsweredError(self._over_budget)
                reply, digest = kept or await channel.ask(item)
            except NotAnsweredError as error:
                reasons.append(f"{channel.model.name}: {error}")
                if isinstance(error, OverBudgetError):
                    self._over_budget = str(error)
                if isinstance(error, ForbiddenError):
                    await self._close_endpoint(channel.model.endpoint, str(error))
                continue
            return Reading(
                reply.status,
                digest,
                TIER,
                channel.model.name,
                sentiment=reply.answer["sentiment"],
                emotions={name: reply.answer[name] for name in EMOTIONS},
                highlight_score=reply.answer["highlight_score"],
                prompt_version=self._asked.version,
            )
        why = self._over_budget or "; ".join(reasons)
        return Reading("failed", self._hash(item), TIER, error=why, prompt_version=self._asked.version)

    async def _close_endpoint(self, endpoint: Endpoint, reason: str) -> None:
        for channel in self.channels:
            if channel.model.endpoint == endpoint:
                await channel.close(reason)

    def _hash(self, item: Item) -> str:
        return question_key(self._asked.version, self._asked.messages(item))


async def _side_by_side(
    read: Callable[[Item], Coroutine[None, None, Reading]], items: Sequence[Item], limit: int
) -> list[Reading]:
    # As many tasks as concurrent requests, not as many as texts.
    readings: dict[int, Reading] = {}
    waiting = iter(enumerate(items))

    async def work() -> None:
        for index, item in waiting:
            readings[index] = await read(item)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(limit, len(items))):
            group.create_task(work())
    return [readings[index] for index in range(len(items))]
