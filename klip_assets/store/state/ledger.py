"""The ledger: a record of every model call, and a budget that concurrent runs can't overspend.

Before a request, its maximum cost is reserved in the same transaction that checks the budget; afterwards the
reservation becomes the row of the call. A process that dies leaves reservations behind: the next session books them as
failed calls at their full amount, since what the endpoint charged is unknown.
"""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Any

import pyarrow as pa

from klip_assets.contracts import LLM_CALLS
from klip_assets.store.locks import hold, is_held
from klip_assets.store.state.replies import Store, StoredReply, put_reply

#: Tokens of a request besides its text (roles, separators, the schema of the answer), for its maximum cost.
_OVERHEAD_TOKENS = 600

_OLD_S = 3600


@dataclass(frozen=True)
class Purpose:
    """What calls are made for: the run, the table and its partition."""

    run_id: str = ""
    table_name: str = ""
    partition: str = ""


@dataclass(frozen=True)
class Budget:
    """Spending limits in USD; None: no limit."""

    run_usd: float | None = None
    day_usd: float | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is any limit."""
        return self.run_usd is not None or self.day_usd is not None


@dataclass
class Call:
    """One call to a model: the columns of `llm_calls`."""

    run_id: str
    table_name: str
    partition: str
    endpoint: str
    model: str
    prompt_version: str
    input_sha256: str
    status: str = "failed"
    error: str | None = None
    attempts: int = 0
    latency_ms: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    cached: bool = False
    call_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    called_at: float = field(default_factory=time)

    @classmethod
    def from_json(cls, text: str) -> Call:
        """Read the call of a reservation; fields written by a newer version are ignored."""
        return cls(**{name: value for name, value in json.loads(text).items() if name in cls.__dataclass_fields__})

    def add(self, prompt_tokens: int | None, completion_tokens: int | None, cost_usd: float | None) -> None:
        """Add the tokens and cost of one request."""
        self.prompt_tokens = _sum(self.prompt_tokens, prompt_tokens)
        self.completion_tokens = _sum(self.completion_tokens, completion_tokens)
        if cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + cost_usd


class Ledger:
    """The ledger of one session: a process that fills one partition of a table.

    Args:
        store: The open file.
        session: Lock file that this process holds; see `open_session`.
        purpose: What its calls are made for.
        budget: Spending limits.
    """

    def __init__(self, store: Store, session: Path, purpose: Purpose, budget: Budget) -> None:
        self._store, self._session = store, session
        self.purpose, self.budget = purpose, budget

    def reserve(self, call: Call, amount_usd: float) -> str | None:
        """Reserve money for a call's next request, on top of what its earlier ones cost.

        Returns:
            None, or a sentence that says which budget would be exceeded.
        """
        if not self.budget.is_set:
            return None
        amount = amount_usd + (call.cost_usd or 0.0)
        with self._store.writing() as connection:
            _book_lost(connection, self._session.parent)
            for limit, spent, name in self._limits(connection, but=call.call_id):
                if spent + amount > limit:
                    left = max(0.0, limit - spent - (call.cost_usd or 0.0))
                    return (
                        f"{name} does not allow it: a request may cost {amount_usd:.4f} USD, and {left:.4f} of "
                        f"{limit:g} USD is left"
                    )
            connection.execute(
                "INSERT OR REPLACE INTO reservations (call_id, session, amount_usd, under_way, call) "
                "VALUES (?, ?, ?, 1, ?)",
                (call.call_id, self._session.name, amount, json.dumps(asdict(call))),
            )
        return None

    @property
    def may_get_room(self) -> bool:
        """Whether any process has requests in progress, which may turn out cheaper than their reservations."""
        return bool(self._store.rows("SELECT 1 FROM reservations WHERE under_way LIMIT 1"))

    def settle(self, call: Call) -> None:
        """Record that a call's request has ended: only what the call has cost so far stays reserved."""
        if self.budget.is_set:
            with self._store.writing() as connection:
                connection.execute(
                    "UPDATE reservations SET amount_usd = ?, under_way = 0 WHERE call_id = ?",
                    (call.cost_usd or 0.0, call.call_id),
                )

    def finish(self, call: Call, key: str | None = None, reply: StoredReply | None = None) -> None:
        """Record a call, release its reservation, and cache its reply if one is given; all in one transaction."""
        with self._store.writing() as connection:
            connection.execute("DELETE FROM reservations WHERE call_id = ?", (call.call_id,))
            _insert(connection, [call])
            if key is not None and reply is not None:
                put_reply(connection, key, reply, (call.endpoint, call.model, call.prompt_version))

    def record(self, calls: Sequence[Call]) -> None:
        """Record calls that cost nothing."""
        if calls:
            with self._store.writing() as connection:
                _insert(connection, calls)

    def _limits(self, connection: Any, *, but: str) -> Iterator[tuple[float, float, str]]:
        midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
        for limit, where, value, name in (
            (self.budget.run_usd, "run_id", self.purpose.run_id, "the run budget (KLIP_LLM_BUDGET_USD)"),
            (self.budget.day_usd, "day", midnight, "the daily budget (KLIP_LLM_DAILY_BUDGET_USD)"),
        ):
            if limit is None:
                continue
            spent_by, reserved_by = {
                "run_id": ("run_id = ?", "json_extract(call, '$.run_id') = ?"),
                "day": ("called_at >= ?", "json_extract(call, '$.called_at') >= ?"),
            }[where]
            spent = "SELECT total(cost_usd) FROM calls WHERE " + spent_by  # noqa: S608 (one of the two above)
            reserved = "SELECT total(amount_usd) FROM reservations WHERE call_id <> ? AND " + reserved_by  # noqa: S608
            total = connection.execute(spent, (value,)).fetchone()[0]
            total += connection.execute(reserved, (but, value)).fetchone()[0]
            yield limit, total, name


@contextmanager
def open_session(path: Path) -> Iterator[tuple[Store, Path]]:
    """Open the store for a session.

    Args:
        path: `state/llm.sqlite`.

    Yields:
        The store, and the lock file that shows that this process is alive.
    """
    folder = path.with_name("llm-sessions")
    session = folder / f"{uuid.uuid4().hex}.lock"
    with Store(path) as store, hold(session, what="a session of the LLM tier", timeout_s=10):
        try:
            if store.rows("SELECT 1 FROM reservations LIMIT 1"):
                with store.writing() as connection:
                    _book_lost(connection, folder)
            for dead in dead_sessions(path):
                dead.unlink(missing_ok=True)
            yield store, session
        finally:
            session.unlink(missing_ok=True)


def max_tokens(messages: Sequence[Mapping[str, str]]) -> int:
    """Return an upper bound on a request's tokens: no tokenizer makes more tokens than bytes."""
    return sum(len(message["content"].encode()) for message in messages) + _OVERHEAD_TOKENS


def ledger_version(path: Path) -> str | None:
    """Return a name for the state of the ledger, None if there is none."""
    if not path.exists():
        return None
    with Store(path) as store:
        found = store.rows("SELECT number, call_id FROM calls ORDER BY number DESC LIMIT 1")
    return f"{found[0][0]} calls up to {found[0][1]}" if found else None


def read_calls(path: Path) -> pa.Table:
    """Return the ledger as `llm_calls`, oldest call first."""
    names = [f.name for f in fields(Call)]
    with Store(path) as store:
        found = store.rows(f"SELECT {', '.join(names)} FROM calls ORDER BY number")  # noqa: S608 (names of ours)
    rows = [dict(zip(names, row, strict=True)) for row in found]
    for row in rows:
        row["called_at"] = datetime.fromtimestamp(row["called_at"], UTC).replace(tzinfo=None)
        row["cached"] = bool(row["cached"])
    return LLM_CALLS.from_rows(rows)


def _insert(connection: Any, calls: Sequence[Call]) -> None:
    names = [f.name for f in fields(Call)]
    marks = ", ".join("?" * len(names))
    connection.executemany(
        f"INSERT OR IGNORE INTO calls ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 (names of ours)
        [[getattr(call, name) for name in names] for call in calls],
    )


def _book_lost(connection: Any, folder: Path) -> None:
    held: dict[str, bool] = {}
    query = "SELECT call_id, session, amount_usd, call FROM reservations"
    for call_id, session, amount, call in connection.execute(query).fetchall():
        if session not in held:
            held[session] = is_held(folder / session)
        if not held[session]:
            lost = Call.from_json(call)
            lost.error, lost.cost_usd = "its process died; booked at its maximum cost", amount
            _insert(connection, [lost])
            connection.execute("DELETE FROM reservations WHERE call_id = ?", (call_id,))


def dead_sessions(path: Path) -> Iterator[Path]:
    """Yield the lock files of sessions that were killed.

    Args:
        path: `state/llm.sqlite`.
    """
    # A young one may belong to a session that is about to lock it.
    for lock in path.with_name("llm-sessions").glob("*.lock"):
        with contextlib.suppress(FileNotFoundError):
            if time() - lock.stat().st_mtime > _OLD_S and not is_held(lock):
                yield lock


def _sum(a: int | None, b: int | None) -> int | None:
    return a if b is None else (a or 0) + b
