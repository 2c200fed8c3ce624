"""Requests under way: as many as a server bears, never more than allowed."""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.pace import START, Gate, Slots
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets_tests.signals.text.llm.fake_llm import Asked, FakeLlm, Reply, answers, error

Make = Callable[..., LlmTier]
TEXTS = [Item(f"text {number}") for number in range(120)]


@pytest.mark.slow
@pytest.mark.parametrize("most", [1, 3, 20])
def test_never_more_are_under_way_than_allowed(most: int, llm: FakeLlm, tier: Make) -> None:
    llm.delay_s = 0.3
    tier(most=most).read(TEXTS[: 6 * most])
    assert most / 2 < llm.most_at_once <= most


def test_the_first_request_goes_alone(llm: FakeLlm, tier: Make) -> None:
    under_way = []

    def choose(asked: Asked) -> Reply:
        under_way.append(llm._under_way)
        return answers()

    llm.reply, llm.delay_s = choose, 0.2
    tier().read(TEXTS[:20])
    assert under_way[:2] == [1, 1] and max(under_way) > 4


def test_a_server_that_bears_few_is_found_out_and_all_texts_are_read(llm: FakeLlm, tier: Make) -> None:
    llm.delay_s = 0.03
    llm.reply = lambda _: error(429, retry_after="0.01") if llm._under_way > 4 else answers()
    readings = tier("first", most=32).read(TEXTS)
    refused = len(llm.asked) - len(TEXTS)
    assert sum(reading.status == "ok" for reading in readings) >= 115
    assert refused < len(TEXTS) / 2


def test_a_gate_grows_with_every_answer_and_halves_once_for_all_refusals_of_one_moment() -> None:
    async def go() -> list[float]:
        gate, limits = Gate(20), []
        await gate.succeeded()
        limits.append(gate.limit)
        for _ in range(20):
            await gate.succeeded()
        limits.append(gate.limit)
        began = time.monotonic()
        for _ in range(5):
            await gate.refused(began, 0)
        limits.append(gate.limit)
        await gate.succeeded()
        limits.append(gate.limit)
        return limits

    assert asyncio.run(go()) == [START, 20, 10, 10.1]


def test_who_waits_at_a_gate_that_closes_is_let_go() -> None:
    async def go() -> list[None]:
        gate = Gate(1)

        async def wait() -> None:
            async with gate.turn():
                pass

        async with gate.turn():
            waiting = [asyncio.create_task(wait()) for _ in range(5)]
            await asyncio.sleep(0.01)
            await gate.close("for a reason")
            # The only turn is still taken.
            return await asyncio.gather(*waiting)

    assert asyncio.run(go()) == [None] * 5


def test_slots_are_shared_by_all_processes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    most = context.Value("i", 0)
    now = context.Value("i", 0)
    others = [context.Process(target=_hold_slots, args=(tmp_path, now, most)) for _ in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0, 0]
    assert 1 <= most.value <= 4


def _hold_slots(folder: Path, now: object, most: object) -> None:
    async def hold(slots: Slots) -> None:
        async with slots.one():
            with now.get_lock():  # type: ignore[attr-defined]
                now.value += 1  # type: ignore[attr-defined]
                most.value = max(most.value, now.value)  # type: ignore[attr-defined]
            await asyncio.sleep(0.01)
            with now.get_lock():  # type: ignore[attr-defined]
                now.value -= 1  # type: ignore[attr-defined]

    async def go() -> None:
        slots = Slots(folder, 4)
        await asyncio.gather(*(hold(slots) for _ in range(40)))
        slots.close()

    asyncio.run(go())
