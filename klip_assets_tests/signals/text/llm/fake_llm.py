"""A language model's server that does what a test wants: real HTTP on loopback, no model behind it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn

from klip_assets.contracts import EMOTIONS

# A benchmark loads this module, too.
if TYPE_CHECKING:
    import pytest

KEY = "sk-secret-0987654321"

GOOD = {"sentiment": 0.5, "highlight_score": 0.25, **dict.fromkeys(EMOTIONS, 0.125)}


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    body: dict[str, Any]
    headers: dict[str, str]
    number: int

    @property
    def model(self) -> str:
        return str(self.body["model"])

    @property
    def instructions(self) -> str:
        """Everything outside the data block."""
        parts = []
        for message in self.body["messages"]:
            before, _, rest = message["content"].partition("<data>")
            parts += [before, rest.partition("</data>")[2]]
        return "\n".join(parts)

    @property
    def data(self) -> dict[str, Any]:
        """The data block."""
        content = self.body["messages"][1]["content"]
        return dict(json.loads(content.partition("<data>")[2].partition("</data>")[0]))


class Reply:
    """What the server sends, unless it is one of the misdeeds below."""

    def __init__(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.status, self.content, self.headers = status, content, headers or {}


class Dropped(Reply):
    """Half of the response, and then the connection is gone."""


class Silence(Reply):
    """Nothing, for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(200, b"")
        self.seconds = seconds


def says(text: str, finish_reason: str = "stop", usage: dict[str, int] | None = None) -> Reply:
    """A well-formed response whose text is `text`."""
    usage = usage if usage is not None else {"prompt_tokens": 100, "completion_tokens": 50}
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason}
    body = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    return Reply(200, json.dumps(body).encode())


def answers(**values: Any) -> Reply:
    """A good answer, with other values where given."""
    return says(json.dumps({**GOOD, **values}))


def error(status: int, message: str = "no", **headers: str) -> Reply:
    """An error as OpenAI words them; `retry_after="1"` becomes the header."""
    return Reply(
        status,
        json.dumps({"error": {"message": message, "type": "x"}}).encode(),
        {name.replace("_", "-"): value for name, value in headers.items()},
    )


@dataclass
class FakeLlm:
    """The server.

    Attributes:
        reply: Says what is sent for a request.
        delay_s: Seconds before it is.
        asked: The requests so far.
        most_at_once: Most requests that were under way together.
    """

    reply: Callable[[Asked], Reply] = lambda _: answers()
    delay_s: float = 0.0
    asked: list[Asked] = field(default_factory=list)
    most_at_once: int = 0
    base_url: str = ""
    _under_way: int = 0

    def count(self, model: str) -> int:
        """Return how many requests a model got."""
        return sum(asked.model == model for asked in self.asked)

    async def __call__(self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        asked = Asked(json.loads(body), headers, len(self.asked))
        self.asked.append(asked)
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            reply = self.reply(asked)
            await asyncio.sleep(reply.seconds if isinstance(reply, Silence) else self.delay_s)
            await self._send(reply, send)
        finally:
            self._under_way -= 1

    async def _send(self, reply: Reply, send: Any) -> None:
        length = len(reply.content) * (2 if isinstance(reply, Dropped) else 1)
        headers = {"content-type": "application/json", "content-length": str(length), **reply.headers}
        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": named})
        dropped = isinstance(reply, Dropped)
        await send({"type": "http.response.body", "body": reply.content, "more_body": dropped})
        if dropped:
            raise ConnectionAbortedError


@contextmanager
def serving(fake: FakeLlm) -> Iterator[FakeLlm]:
    """Serve on a free port of loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(256)
        fake.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        server = uvicorn.Server(
            uvicorn.Config(fake, log_level="critical", lifespan="off", timeout_graceful_shutdown=0, access_log=False)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield fake
        finally:
            server.should_exit = True
            server.force_exit = True
            thread.join()


@contextmanager
def in_use(environment: pytest.MonkeyPatch) -> Iterator[FakeLlm]:
    """Serve, and make the server and two models with prices the ones that an installation uses."""
    with serving(FakeLlm()) as fake:
        environment.setenv("KLIP_LLM_BASE_URL", fake.base_url)
        environment.setenv("KLIP_LLM_API_KEY", KEY)
        environment.setenv("KLIP_LLM_MODELS", "first,second")
        environment.setenv("KLIP_LLM_INPUT_USD_PER_MTOK", "0.5")
        environment.setenv("KLIP_LLM_OUTPUT_USD_PER_MTOK", "1.5")
        yield fake
