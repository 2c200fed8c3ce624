"""Throughput of the LLM tier with cache, ledger and budget on, against a server with known latency.

    python benchmarks/llm_throughput.py [--segments 1000] [--latency-ms 200] [--concurrency 50]

The server is a separate process that gives valid answers after that latency. The ideal is segments x latency /
concurrency. For comparison: the bare OpenAI client with the same questions and concurrency, which stores nothing. Then
Klip again, with every answer from the cache.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

from pydantic import SecretStr
from record import keep, table

from klip_assets.signals.text.item import Item
from klip_assets.signals.text.llm.dialect import Dialect
from klip_assets.signals.text.llm.models import Endpoint, Model
from klip_assets.signals.text.llm.prompt import SEGMENT, prompt
from klip_assets.signals.text.llm.reader import LlmTier
from klip_assets.store.state.ledger import Budget, Purpose
from klip_assets_tests.signals.text.llm.fake_llm import FakeLlm, serving

SENTENCE = "So we go on along the river and then, oh wow, what a shot that was, did you see that? "


def main() -> None:
    """Time the bare client, then a first and a second reading with Klip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=1000)
    parser.add_argument("--latency-ms", type=float, default=200)
    parser.add_argument("--concurrency", type=int, default=50)
    arguments = parser.parse_args()
    items = [Item(f"{SENTENCE * 3} {n}", SENTENCE, SENTENCE, 2.5, 0.5, 0.5) for n in range(arguments.segments)]
    ideal_s = arguments.segments * arguments.latency_ms / 1000 / arguments.concurrency
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(arguments.latency_ms / 1000, theirs), daemon=True)
    server.start()
    base_url = ours.recv()
    rows = []
    with tempfile.TemporaryDirectory(prefix="klip-llm-") as folder:

        def read() -> float:
            model = Model("fake", Endpoint(base_url, SecretStr("none")), 0.1, 0.3)
            tier = LlmTier(
                [model], SEGMENT, Path(folder) / "llm.sqlite", Purpose("run", "segment_sentiment", "video"),
                Budget(run_usd=100.0, day_usd=100.0), most=arguments.concurrency,
            )  # fmt: skip
            began = time.perf_counter()
            assert all(reading.status == "ok" for reading in tier.read(items))
            return time.perf_counter() - began

        ways = (
            ("bare client", lambda: asyncio.run(bare(base_url, items, arguments.concurrency))),
            ("Klip", read),
            ("Klip again (cache)", read),
        )
        for name, work in ways:
            before = calls(ours)
            seconds = work()
            rows.append(
                {"way": name, "wall s": round(seconds, 2), "x ideal": seconds / ideal_s, "calls": calls(ours) - before}
            )
    server.terminate()
    table(rows)
    ratio = float(str(rows[1]["wall s"])) / float(str(rows[0]["wall s"]))
    print(f"\nIdeal {ideal_s:g} s; Klip takes {ratio:.2f} times as long as the bare client.")
    keep("llm_throughput", ideal_s=ideal_s, rows=rows, ratio=ratio)


async def bare(base_url: str, items: list[Item], concurrency: int) -> float:
    """Ask about every text with the client alone."""
    from openai import AsyncOpenAI

    asked, parameters = prompt(SEGMENT), Dialect().parameters()
    waiting = iter(items)
    async with AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as client:

        async def work() -> None:
            for item in waiting:
                reply = await client.chat.completions.create(
                    model="fake",
                    messages=asked.messages(item),
                    **parameters,  # type: ignore[arg-type]
                )
                assert reply.choices[0].message.content

        began = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(concurrency)))
        return time.perf_counter() - began


def serve(latency_s: float, pipe: Connection) -> None:
    """Answer until killed; report the number of calls on request."""
    with serving(FakeLlm(delay_s=latency_s)) as fake:
        pipe.send(fake.base_url)
        while pipe.recv():
            pipe.send(len(fake.asked))


def calls(pipe: Connection) -> int:
    """Return the number of calls so far."""
    pipe.send(True)
    return int(pipe.recv())


if __name__ == "__main__":
    main()
