"""One model of the chain during one run: cache, budget, retries, repair, and circuit breaker."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

from pydantic import BaseModel

from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.answer import AnswerError, CutOffError, RefusedError, read_reply
from klip_assets.signals.text.llm.client import Client, RequestFailedError, Verdict
from klip_assets.signals.text.llm.dialect import AnswerTokens, Dialect
from klip_assets.signals.text.llm.models import Endpoint, Model
from klip_assets.signals.text.llm.pace import Gate, Slots
from klip_assets.signals.text.llm.prompt import Message, Prompt
from klip_assets.signals.text.llm.response import Reply
from klip_assets.signals.text.llm.usage import Beyond, Bill
from klip_assets.store.state.ledger import Call, Ledger
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

_REPAIR = (
    "Your last reply could not be used: {problem}. Label the same data again. Answer with one JSON object and nothing "
    "else, every field a plain number within its range."
)


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
        tokens: Limits of an answer.
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
        tokens: AnswerTokens,
    ) -> None:
        self.model = model
        self._client, self._prompt, self._store, self._ledger = client, prompt, store, ledger
        self._slots, self._notify, self._tokens = slots, notify, tokens
        self._gate, self._money = Gate(most), asyncio.Lock()
        self._beyond = Beyond()
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
        bill = Bill(call, self.model)
        try:
            reply = await self._answer(bill, messages)
        except NotAnsweredError as error:
            call.error = str(error)
            self._finish(bill)
            raise
        except BaseException:
            call.error = "the run ended before the answer came"
            self._finish(bill)
            raise
        # The dialect may have been determined meanwhile: the key must be the one the next run will use.
        call.input_sha256, call.status = self._key(messages), reply.status
        self._finish(bill, reply)
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

    def _finish(self, bill: Bill, reply: StoredReply | None = None) -> None:
        call = bill.call
        if call.attempts or reply:
            call.error = "; ".join(filter(None, (call.error, bill.note))) or None
            self.calls.append(call)
            self._ledger.finish(call, call.input_sha256 if reply else None, reply)

    async def _answer(self, bill: Bill, messages: list[Message]) -> StoredReply:
        began = perf_counter()
        try:
            answer, status = await self._read(bill, messages)
        except AnswerError as error:
            self._invalid += 1
            if self._invalid >= BREAK_AFTER_INVALID:
                await self.close(f"{self._invalid} replies in a row without a valid answer")
            raise NotAnsweredError(f"no valid answer: {error}") from None
        finally:
            bill.call.latency_ms = 1000 * (perf_counter() - began)
        self._invalid = 0
        return StoredReply(answer.model_dump(), status)

    async def _read(self, bill: Bill, messages: list[Message]) -> tuple[BaseModel, str]:
        # At most two questions: whatever is wrong with the first reply, another is asked for once.
        larger = max(self._tokens.usual, self._tokens.retry)
        limit = larger if self._dialect.needs_room else self._tokens.usual
        try:
            return read_reply(await self._request(bill, messages, limit), limit), "ok"
        except RefusedError:
            raise
        except CutOffError as error:
            if self._dialect.token_limit is None or larger <= limit:
                raise
            try:
                answer = read_reply(await self._request(bill, messages, larger), larger)
            except OverBudgetError:
                # What others ask for may still fit.
                raise AnswerError(f"{error}, and the budget does not allow for {larger}") from None
            if error.is_thoughts:
                self._remember(replace(self._dialect, needs_room=True))
            return answer, "repaired"
        except AnswerError as error:
            repair: Message = {"role": "user", "content": _REPAIR.format(problem=error)}
            # Without the reply itself: whatever a model was talked into saying must not act as an instruction.
            return read_reply(await self._request(bill, [*messages, repair], limit), limit), "repaired"

    async def _request(self, bill: Bill, messages: list[Message], limit: int) -> Reply:
        call, attempt = bill.call, 0
        while True:
            async with self._gate.turn() as began:
                if self.closed:
                    raise NotAnsweredError(self.closed)
                await self._reserve(bill, messages, limit)
                call.attempts += 1
                try:
                    reply = await self._send(bill, messages, limit)
                except RequestFailedError as error:
                    failure = error
                else:
                    await self._succeeded()
                    return reply
                finally:
                    self._ledger.settle(call)
                if failure.verdict is Verdict.BAD_REQUEST and await self._try_simpler(str(failure)):
                    continue
                attempt += 1
                wait_s = await self._failed(failure, attempt, began)
            await asyncio.sleep(wait_s)

    async def _send(self, bill: Bill, messages: list[Message], limit: int) -> Reply:
        # Whatever becomes of it, what it costs is booked before anything else happens.
        async with self._slots.one():
            parameters = self._dialect.parameters(limit)
            try:
                reply = await self._client(self.model.endpoint).ask(self.model.name, messages, parameters)
            except RequestFailedError as error:
                if error.used:
                    bill.book(error.used, messages, limit, received=0, beyond=self._beyond)
                elif error.was_read:
                    bill.book_estimate(messages, limit)
                raise
            except asyncio.CancelledError:
                bill.book_estimate(messages, limit)
                raise
        received = len(reply.text) + reply.thought_chars
        bill.book(reply.used, messages, limit, received=received, beyond=self._beyond)
        return reply

    async def _reserve(self, bill: Bill, messages: Sequence[Message], limit: int) -> None:
        if not self._ledger.budget.is_set:
            return
        max_usd = bill.most_usd(messages, limit, self._beyond)
        if max_usd is None:
            reason = (
                "its price is unknown (KLIP_LLM_INPUT_USD_PER_MTOK, KLIP_LLM_OUTPUT_USD_PER_MTOK), "
                "so the budget can't be enforced"
            )
            await self.close(reason)
            raise NotAnsweredError(reason)
        # Only one call polls at a time: each attempt is a transaction.
        async with self._money:
            while refusal := self._ledger.reserve(bill.call, max_usd):
                # Requests in progress have more reserved than they will cost. A call that waits for its next try
                # does not: it may be waiting for its turn behind this one.
                if not self._ledger.may_get_room:
                    raise OverBudgetError(refusal)
                await asyncio.sleep(_LOOK_S)

    async def _succeeded(self) -> None:
        self._failures = self._refusals = 0
        self._has_answered = True
        if not self._is_remembered:
            self._remember(self._dialect)
        await self._gate.succeeded()

    def _remember(self, dialect: Dialect) -> None:
        if dialect != self._dialect or not self._is_remembered:
            self._dialect, self._is_remembered = dialect, True
            self._store.remember_dialect(self.model.endpoint.name, self.model.name, vars(dialect))

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
