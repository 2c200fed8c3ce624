"""One request to one endpoint, and its outcome. No retries happen here.

By default, the OpenAI client would retry by itself, sleep for minutes if a server asks it to, wait ten minutes for a
reply, and return an HTML page as if it were an answer; all of that is disabled, and its raw response is read here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from time import time
from typing import Any, cast

from klip_assets.errors import EngineUnavailableError
from klip_assets.signals.text.llm.models import NO_KEY, Endpoint
from klip_assets.signals.text.llm.prompt import Message

_MAX_REASON_CHARS = 200


class Verdict(Enum):
    """What a failed request means for the next one."""

    #: The server or the connection failed; a retry may succeed.
    AGAIN = "again"
    #: The server did not answer in time.
    TIMEOUT = "timeout"
    #: Too many requests.
    SLOW_DOWN = "slow down"
    #: This request can't be served in this form.
    BAD_REQUEST = "bad request"
    #: The endpoint does not have the model.
    NO_MODEL = "no such model"
    #: The endpoint rejects the key.
    FORBIDDEN = "forbidden"


class RequestFailedError(Exception):
    """A request without a usable reply.

    Attributes:
        verdict: What it means for the next request.
        retry_after_s: Seconds the server asked to wait, None if it did not.
    """

    def __init__(self, reason: str, verdict: Verdict, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Reply:
    """A model's reply, with the tokens used (None where the server does not say)."""

    text: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cut_off: bool = False


class Client:
    """A client of one endpoint.

    Args:
        endpoint: The endpoint.
        timeout_s: Timeout of a request in seconds, for sending, waiting and receiving together.

    Raises:
        EngineUnavailableError: The package `openai` is not installed.
    """

    def __init__(self, endpoint: Endpoint, timeout_s: float) -> None:
        try:
            from openai import AsyncOpenAI
        except ImportError as error:
            raise EngineUnavailableError("the package openai is not installed", hint="pip install openai") from error
        self._endpoint, self._timeout_s = endpoint, timeout_s
        self._client = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key.get_secret_value(),
            timeout=timeout_s,
            max_retries=0,
        )

    async def ask(self, model: str, messages: Sequence[Message], parameters: Mapping[str, Any]) -> Reply:
        """Send one request.

        Args:
            model: The model's name at this endpoint.
            messages: The conversation.
            parameters: Other fields of the request (temperature, response_format, ...).

        Raises:
            RequestFailedError: There was no usable reply; the message never contains the key.
        """
        import openai

        try:
            async with asyncio.timeout(self._timeout_s):
                raw = await self._client.chat.completions.with_raw_response.create(
                    model=model, messages=cast(Any, messages), **parameters
                )
                content = raw.http_response.content
        except (openai.APITimeoutError, TimeoutError):
            raise RequestFailedError(f"no answer within {self._timeout_s:g} s", Verdict.TIMEOUT) from None
        except openai.APIConnectionError as error:
            raise self._failed(f"no connection: {error.__cause__ or error}", Verdict.AGAIN) from None
        except openai.APIStatusError as error:
            raise self._refused(error) from None
        except (openai.OpenAIError, ValueError, TypeError, LookupError) as error:
            raise self._failed(f"no usable response: {type(error).__name__}", Verdict.AGAIN) from None
        return self._reply(content)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _reply(self, content: bytes) -> Reply:
        try:
            found = json.loads(content)
        except ValueError:
            start = content[:60].decode("utf-8", "replace")
            raise self._failed(f"the response is not JSON: {start!r}", Verdict.AGAIN) from None
        try:
            choice = found["choices"][0]
            text = choice["message"]["content"]
        except (KeyError, IndexError, TypeError):
            raise self._failed(f"the response contains no choice{_error_in(found)}", Verdict.AGAIN) from None
        if not isinstance(text, str):
            raise self._failed("the response contains no text", Verdict.AGAIN)
        usage = found.get("usage")
        sent, received = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
        return Reply(text, sent, received, cut_off=choice.get("finish_reason") == "length")

    def _refused(self, error: Any) -> RequestFailedError:
        status = error.status_code
        said = _error_in(error.body) or (f": {error.message}" if not isinstance(error.body, str) else "")
        if status in (401, 403):
            fix = "KLIP_LLM_API_KEY is not set" if self._key == NO_KEY else "check KLIP_LLM_API_KEY"
            reason = f"{self._endpoint.name} rejects the API key (HTTP {status}; {fix}){said}"
            return self._failed(reason, Verdict.FORBIDDEN)
        wait_s = _retry_after(error.response.headers)
        if status == 429:
            return self._failed(f"HTTP 429, too many requests{said}", Verdict.SLOW_DOWN, wait_s)
        if status == 404:
            return self._failed(f"HTTP 404, no such model or path{said}", Verdict.NO_MODEL)
        if status in (408, 409) or status >= 500:
            return self._failed(f"HTTP {status}{said}", Verdict.AGAIN, wait_s)
        return self._failed(f"HTTP {status}{said}", Verdict.BAD_REQUEST)

    def _failed(self, reason: str, verdict: Verdict, wait_s: float | None = None) -> RequestFailedError:
        # Servers often repeat the key, or part of it, when they reject it.
        if len(self._key) >= 4 and self._key != NO_KEY:
            reason = reason.replace(self._key, "***")
        reason = re.sub(r"\b(sk|key|Bearer)[-_ ][\w\-*.]{6,}", r"\1-***", reason)
        reason = " ".join(reason.split())
        return RequestFailedError(reason[:_MAX_REASON_CHARS], verdict, wait_s)

    @property
    def _key(self) -> str:
        return self._endpoint.api_key.get_secret_value()


def _error_in(body: object) -> str:
    # {"error": {"message": ...}} from OpenAI, {"error": ...} and {"message" or "detail": ...} from others.
    if isinstance(body, Mapping):
        for name in ("error", "message", "detail"):
            found = body.get(name)
            if isinstance(found, Mapping):
                found = found.get("message")
            if found:
                return f": {found}"
    return ""


def _count(usage: object, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40 else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    # RFC 9110, 10.2.3: seconds or a date; OpenAI also sends milliseconds.
    with contextlib.suppress(ValueError):
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
    value = headers.get("retry-after")
    if not value:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(value))
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    return None
