"""One model of the chain during one run: cache, budget, retries, repair, and circuit breaker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.answer import AnswerError, json_schema, read_answer
from klip_assets.signals.text.llm.client import Client, Reply, RequestFailedError, Verdict
from klip_assets.signals.text.llm.models import Endpoint, Model
from klip_assets.signals.text.llm.pace import Gate, Slots
from klip_assets.signals.text.llm.prompt import Message, Prompt
from klip_assets.store.state.ledger import Call, Ledger, max_tokens
from klip_assets.store.state.replies import Store, StoredReply, question_key

#: Requests one call may make for the same question; a repair counts as another question.
MAX_ATTEMPTS = 3
#: Consecutive failed requests after which a model is skipped for the rest of the run, ...
BREAK_AFTER = 5
#: ... likewise for rate-limit refusals, and for replies without a valid answer.
BREAK_AFTER_REFUSALS, BREAK_AFTER_INVALID = 10, 20
#: Seconds before the second request; doubled for each further one, with 50 % jitter.
FIRST_WAIT_S = 0.5
#: Longest wait that a server may ask for; if it asks for more, the model is skipped.
LONGEST_WAIT_S = 30.0

_LOOK_S = 0.05

TEMPERATURE, SEED, MAX_ANSWER_TOKENS = 0, 7, 400

_REPAIR = (
    "Your last reply could not be used: {problem}. Label the same data again. Answer with one JSON object and nothing "
    "else, every field a plain number within its range."
)
_MODES = ("json_schema", "json_object", "text")


@dataclass(frozen=True)
class Dialect:
    """Request parameters that a model accepts, determined once.

    Attributes:
        mode: How the answer is constrained: json_schema, json_object, or text (by the prompt alone).
        token_limit: Name of the endpoint's parameter for the maximum answer length; None if it has none.
        has_temperature: Whether it accepts a temperature.
        has_seed: Whether it accepts a seed.
    """

    mode: str = _MODES[0]
    token_limit: str | None = "max_tokens"
    has_temperature: bool = True
    has_seed: bool = True

    @classmethod
    def of(cls, known: Mapping[str, Any]) -> Dialect:
        """Return a stored dialect; fields written by a newer version are ignored."""
        return cls(**{name: value for name, value in known.items() if name in cls.__dataclass_fields__})

    def parameters(self) -> dict[str, Any]:
        """Return the fields of a request besides model and messages."""
        found: dict[str, Any] = {}
        if self.has_temperature:
            found["temperature"] = TEMPERATURE
        if self.has_seed:
            found["seed"] = SEED
        if self.token_limit:
            found[self.token_limit] = MAX_ANSWER_TOKENS
        if self.mode == "json_schema":
            schema = {"name": "label", "strict": True, "schema": json_schema()}
            found["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.mode == "json_object":
            found["response_format"] = {"type": "json_object"}
        return found

    def simpler(self, complaint: str) -> Dialect | None:
        """Return the next dialect to try after a request was refused with a complaint; None if there is none."""
        if self.token_limit == "max_tokens" and "max_tokens" in complaint:
            return replace(self, token_limit="max_completion_tokens")
        if self.token_limit and self.token_limit in complaint:
            return replace(self, token_limit=None)
        if self.has_temperature and "temperature" in complaint:
            return replace(self, has_temperature=False)
        if self.has_seed and "seed" in complaint:
            return replace(self, has_seed=False)
        index = _MODES.index(self.mode) + 1
        return replace(self, mode=_MODES[index]) if index < len(_MODES) else None


class NotAnsweredError(Exception):
    """A model gave no valid answer to a question; the message says why."""


class OverBudgetError(NotAnsweredError):
    """The budget does not allow the question, whichever model it goes to."""


class ForbiddenError(NotAnsweredError):
    """The endpoint rejects the key: none of its models can be used."""


class Channel:
    """One model during one run.

    Args:
        model: The model.
        client: Returns the client of an endpoint; called only when there is something to send.
        prompt: The prompt.
        store: Cache and dialects.
        ledger: Records the calls.
        slots: Limits concurrent requests over all processes.
        most: Maximum concurrent requests to this model.
        notify: Called once with a message if the model is skipped.
    """

    def __init__(
        self,
        model: Model,
        client: Callable[[Endpoint], Client],
        prompt: Prompt,
        store: Store,
        ledger: Ledger,
        slots: Slots,
        most: int,
        notify: Callable[[str], None],
    ) -> None:
        self.model = model
        self._client, self._prompt, self._store, self._ledger = client, prompt, store, ledger
        self._slots, self._notify = slots, notify
        self._gate, self._money = Gate(most), asyncio.Lock()
        known = store.dialect(model.endpoint.name, model.name)
        self._dialect = Dialect.of(known) if known else Dialect()
        self._is_remembered = bool(known)
        self._has_answered = False
        self._failures = self._refusals = self._invalid = 0
        self.calls: list[Call] = []
        self.hits: list[Call] = []

    @property
    def closed(self) -> str | None:
        """Why the model is skipped, None if it is not."""
        return self._gate.closed

    async def close(self, reason: str) -> None:
        """Skip the model for the rest of the run."""
        if not self._gate.closed:
            self._notify(f"{self.model.name} is skipped for the rest of this run: {reason}")
            await self._gate.close(reason)

    async def ask(self, item: Item) -> tuple[StoredReply, str]:
        """Ask about one text; callers check `kept` first.

        Returns:
            The valid answer, and the hash of everything the model was given.

        Raises:
            NotAnsweredError: There is no valid answer.
            OverBudgetError: The budget does not allow it.
        """
        messages = self._prompt.messages(item)
        call = self._call(self._key(messages))
        try:
            reply = await self._answer(call, messages)
        except NotAnsweredError as error:
            call.error = str(error)
            self._finish(call)
            raise
        except BaseException:
            call.error = "the run ended before the answer came"
            self._finish(call)
            raise
        # The dialect may have been determined meanwhile: the key must be the one the next run will use.
        call.input_sha256, call.status = self._key(messages), reply.status
        self._finish(call, reply)
        return reply, call.input_sha256

    def kept(self, item: Item) -> tuple[StoredReply, str] | None:
        """Return the cached answer to exactly this question, and its hash, if there is one."""
        if not self._is_remembered:
            return None
        key = self._key(self._prompt.messages(item))
        reply = self._store.reply(key)
        if reply is None:
            return None
        hit = self._call(key)
        hit.status, hit.cached, hit.cost_usd, hit.prompt_tokens, hit.completion_tokens = reply.status, True, 0.0, 0, 0
        self.hits.append(hit)
        return reply, key

    def _key(self, messages: Sequence[Message]) -> str:
        model = self.model
        return question_key(
            self._prompt.version, model.endpoint.name, model.name, self._dialect.parameters(), list(messages)
        )

    def _call(self, key: str) -> Call:
        purpose = self._ledger.purpose
        return Call(
            purpose.run_id,
            purpose.table_name,
            purpose.partition,
            self.model.endpoint.name,
            self.model.name,
            self._prompt.version,
            key,
        )

    def _finish(self, call: Call, reply: StoredReply | None = None) -> None:
        if call.attempts or reply:
            self.calls.append(call)
            self._ledger.finish(call, call.input_sha256 if reply else None, reply)

    async def _answer(self, call: Call, messages: list[Message]) -> StoredReply:
        began = perf_counter()
        try:
            try:
                answer, status = read_answer((await self._request(call, messages)).text), "ok"
            except AnswerError as error:
                repair: Message = {"role": "user", "content": _REPAIR.format(problem=error)}
                # Without the reply itself: whatever a model was talked into saying must not act as an instruction.
                answer, status = read_answer((await self._request(call, [*messages, repair])).text), "repaired"
        except AnswerError as error:
            self._invalid += 1
            if self._invalid >= BREAK_AFTER_INVALID:
                await self.close(f"{self._invalid} replies in a row without a valid answer")
            raise NotAnsweredError(f"no valid answer: {error}") from None
        finally:
            call.latency_ms = 1000 * (perf_counter() - began)
        self._invalid = 0
        return StoredReply(answer.model_dump(), status)

    async def _request(self, call: Call, messages: list[Message]) -> Reply:
        attempt = 0
        while True:
            async with self._gate.turn() as began:
                if self.closed:
                    raise NotAnsweredError(self.closed)
                max_usd = await self._reserve(call, messages)
                call.attempts += 1
                try:
                    async with self._slots.one():
                        reply = await self._client(self.model.endpoint).ask(
                            self.model.name, messages, self._dialect.parameters()
                        )
                except RequestFailedError as error:
                    failure = error
                    self._ledger.settle(call)
                else:
                    await self._succeeded(call, reply, max_usd)
                    self._ledger.settle(call)
                    if reply.cut_off:
                        raise AnswerError(f"it was cut off after {MAX_ANSWER_TOKENS} tokens")
                    return reply
                if failure.verdict is Verdict.BAD_REQUEST and await self._try_simpler(str(failure)):
                    continue
                attempt += 1
                wait_s = await self._failed(failure, attempt, began)
            await asyncio.sleep(wait_s)

    async def _reserve(self, call: Call, messages: Sequence[Message]) -> float | None:
        sent = max_tokens(messages)
        max_usd = self.model.cost_usd(sent, MAX_ANSWER_TOKENS)
        if not self._ledger.budget.is_set:
            return max_usd
        if max_usd is None:
            reason = (
                "its price is unknown (KLIP_LLM_INPUT_USD_PER_MTOK, KLIP_LLM_OUTPUT_USD_PER_MTOK), "
                "so the budget can't be enforced"
            )
            await self.close(reason)
            raise NotAnsweredError(reason)
        # Only one call polls at a time: each attempt is a transaction.
        async with self._money:
            while refusal := self._ledger.reserve(call, max_usd):
                # Requests in progress have more reserved than they will cost. A call that waits for its next try
                # does not: it may be waiting for its turn behind this one.
                if not self._ledger.may_get_room:
                    raise OverBudgetError(refusal)
                await asyncio.sleep(_LOOK_S)
        return max_usd

    async def _succeeded(self, call: Call, reply: Reply, max_usd: float | None) -> None:
        cost = self.model.cost_usd(reply.prompt_tokens, reply.completion_tokens)
        call.add(reply.prompt_tokens, reply.completion_tokens, max_usd if cost is None else cost)
        self._failures = self._refusals = 0
        self._has_answered = True
        if not self._is_remembered:
            self._store.remember_dialect(self.model.endpoint.name, self.model.name, vars(self._dialect))
            self._is_remembered = True
        await self._gate.succeeded()

    async def _try_simpler(self, complaint: str) -> bool:
        # Only until the first answer, while requests are sent one by one; later a refusal is about the text.
        simpler = None if self._has_answered else self._dialect.simpler(complaint)
        if simpler is None:
            return False
        self._dialect, self._is_remembered = simpler, False
        return True

    async def _failed(self, failure: RequestFailedError, attempt: int, began: float) -> float:
        # Returns the seconds to wait before the next attempt; raises if there is none.
        reason, verdict = str(failure), failure.verdict
        if verdict in (Verdict.FORBIDDEN, Verdict.NO_MODEL):
            await self.close(reason)
            raise ForbiddenError(reason) if verdict is Verdict.FORBIDDEN else NotAnsweredError(reason)
        wait_s = FIRST_WAIT_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
        if failure.retry_after_s is not None:
            if failure.retry_after_s > LONGEST_WAIT_S:
                await self.close(f"{reason}; the server asks for a wait of {failure.retry_after_s:.0f} s")
                raise NotAnsweredError(reason)
            wait_s = failure.retry_after_s
        if verdict is Verdict.SLOW_DOWN:
            self._refusals += 1
            await self._gate.refused(began, wait_s)
            if self._refusals >= BREAK_AFTER_REFUSALS and self._gate.limit <= 1:
                await self.close(f"{self._refusals} refusals in a row; the last one: {reason}")
        else:
            self._failures += 1
            silent = verdict is Verdict.TIMEOUT and not self._has_answered
            if silent or self._failures >= BREAK_AFTER:
                await self.close(f"{self._failures} requests in a row failed; the last one: {reason}")
        if attempt >= MAX_ATTEMPTS or verdict is Verdict.BAD_REQUEST or self.closed:
            raise NotAnsweredError(reason)
        return wait_s
