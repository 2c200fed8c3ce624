"""One request to one endpoint, and its outcome. No retries happen here.

By default, the OpenAI client would retry by itself, sleep for minutes if a server asks it to, wait ten minutes for a
reply, and return an HTML page as if it were an answer; all of that is disabled, and its raw response is read here.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from email.utils import parsedate_to_datetime
from enum import Enum
from time import time
from typing import Any, cast

from klip_assets.errors import EngineUnavailableError
from klip_assets.signals.text.llm.models import NO_KEY, Endpoint
from klip_assets.signals.text.llm.prompt import Message
from klip_assets.signals.text.llm.response import Reply, UnreadableError, error_in, read_response
from klip_assets.signals.text.llm.usage import Usage, usage_in_body

_MAX_REASON_CHARS = 200
_CONNECT_SHARE = 0.8
_NOT_CONNECTED = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol")


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
        used: Tokens that the server says it used.
        was_read: Whether a model may have read the request, though nothing says what that took.
    """

    def __init__(
        self,
        reason: str,
        verdict: Verdict,
        retry_after_s: float | None = None,
        *,
        used: Usage | None = None,
        was_read: bool = False,
    ) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.retry_after_s = retry_after_s
        self.used = used
        self.was_read = was_read


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
            from openai import AsyncOpenAI, Timeout
        except ImportError as error:
            raise EngineUnavailableError("the package openai is not installed", hint="pip install openai") from error
        self._endpoint, self._timeout_s = endpoint, timeout_s
        self._client = AsyncOpenAI(
            base_url=endpoint.base_url,
            api_key=endpoint.api_key.get_secret_value(),
            # Connecting has less time: where it fails, nothing was sent, and nothing is to be paid for.
            timeout=Timeout(timeout_s, connect=_CONNECT_SHARE * timeout_s, pool=_CONNECT_SHARE * timeout_s),
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
        except (openai.APITimeoutError, TimeoutError) as error:
            reason = f"no answer within {self._timeout_s:g} s"
            raise self._failed(reason, Verdict.TIMEOUT, was_read=_was_sent(error)) from None
        except openai.APIConnectionError as error:
            reason = f"no connection: {error.__cause__ or error}"
            raise self._failed(reason, Verdict.AGAIN, was_read=_was_sent(error)) from None
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
            reply = read_response(content)
        except UnreadableError as error:
            raise self._failed(str(error), Verdict.AGAIN, used=error.used, was_read=error.was_read) from None
        return replace(reply, refusal=reply.refusal and self._shown(reply.refusal))

    def _refused(self, error: Any) -> RequestFailedError:
        status = error.status_code
        said = error_in(error.body) or (f": {error.message}" if not isinstance(error.body, str) else "")
        used = usage_in_body(error.response.content)
        if status in (401, 403):
            fix = "KLIP_LLM_API_KEY is not set" if self._key == NO_KEY else "check KLIP_LLM_API_KEY"
            reason = f"{self._endpoint.name} rejects the API key (HTTP {status}; {fix}){said}"
            return self._failed(reason, Verdict.FORBIDDEN, used=used)
        wait_s = _retry_after(error.response.headers)
        if status == 429:
            return self._failed(f"HTTP 429, too many requests{said}", Verdict.SLOW_DOWN, wait_s, used=used)
        if status == 404:
            return self._failed(f"HTTP 404, no such model or path{said}", Verdict.NO_MODEL, used=used)
        if status in (408, 409) or status >= 500:
            return self._failed(f"HTTP {status}{said}", Verdict.AGAIN, wait_s, used=used)
        return self._failed(f"HTTP {status}{said}", Verdict.BAD_REQUEST, used=used)

    def _failed(
        self,
        reason: str,
        verdict: Verdict,
        wait_s: float | None = None,
        *,
        used: Usage | None = None,
        was_read: bool = False,
    ) -> RequestFailedError:
        return RequestFailedError(self._shown(reason), verdict, wait_s, used=used, was_read=was_read)

    def _shown(self, reason: str) -> str:
        # Servers often repeat the key, or part of it, when they reject it.
        if len(self._key) >= 4 and self._key != NO_KEY:
            reason = reason.replace(self._key, "***")
        reason = re.sub(r"\b(sk|key|Bearer)[-_ ][\w\-*.]{6,}", r"\1-***", reason)
        return " ".join(reason.split())[:_MAX_REASON_CHARS]

    @property
    def _key(self) -> str:
        return self._endpoint.api_key.get_secret_value()


def _was_sent(error: Exception) -> bool:
    # Whether a connection was made before it failed. The classes are those of the library below the client.
    return type(error.__cause__).__name__ not in _NOT_CONNECTED


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
