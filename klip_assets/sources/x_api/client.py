"""Requests to the X API: sent, retried where that helps, and delayed where the API requires it.

Failures are classified by what can be done about them. The token goes into one header and nowhere else: no message,
log or file; redirects, which would send it elsewhere, are not followed.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode, urlsplit

from klip_assets.errors import InputError

if TYPE_CHECKING:
    import httpx2

#: Attempts per request if the API fails (5xx, no answer, a partial answer), and the first pause between them.
MAX_TRIES = 3
FIRST_PAUSE_S = 1.0
#: Total seconds that a run waits for rate limits. A window is 15 minutes: the next run continues.
MAX_WAIT_S = 60.0
#: A page of 100 long posts has less than 4 MB.
MAX_BYTES = 32_000_000
_MAX_REASON_CHARS = 300
_SHOWN_TOKEN_CHARS = 6
_QUOTED = re.compile(r"'([a-z_.]+)'")
_WORD = re.compile(r"\S+")


class Verdict(Enum):
    """What a failed request means for the next ones."""

    #: The API is not available: no further requests in this run.
    DOWN = "down"
    #: The token is rejected, lacks permission, or its quota is used up.
    FORBIDDEN = "forbidden"
    #: Too many requests to this endpoint; try later.
    LIMITED = "limited"
    #: This request can't be served in this form.
    BAD_REQUEST = "bad request"


class RequestFailedError(Exception):
    """A request without a usable answer.

    Attributes:
        reason: Why, for users.
        verdict: What it means for the next requests.
        parameters: The parameters that the API calls invalid.
    """

    def __init__(self, reason: str, verdict: Verdict, parameters: frozenset[str] = frozenset()) -> None:
        super().__init__(reason)
        self.reason, self.verdict, self.parameters = reason, verdict, parameters


class _AgainError(Exception):
    """A retry may succeed."""


class _LimitedError(_AgainError):
    """A retry may succeed once the rate limit is reset."""


@dataclass(frozen=True)
class Answer:
    """An answer of the API.

    Attributes:
        body: The JSON object.
        url: The URL requested.
        retrieved_at: When, UTC.
    """

    body: dict[str, Any]
    url: str
    retrieved_at: datetime


class Client(AbstractContextManager["Client"]):
    """A client of the X API.

    Args:
        base_url: URL up to and including `/2`.
        token: The bearer token.
        timeout_s: Timeout of a request in seconds, from sending to its last byte.
        notify: Called with messages about waits and retries.
        sleep: Waits for the given seconds.
        clock: Returns seconds since 1970.

    Raises:
        InputError: The URL or the token is not valid.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        timeout_s: float = 30.0,
        notify: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        import httpx2

        self._base_url, self._token = checked_address(base_url), token.strip()
        if not re.fullmatch(r"[\x21-\x7e]+", self._token):
            raise InputError(
                "KLIP_X_BEARER_TOKEN contains characters that no token has", hint="copy the whole token again"
            )
        self._timeout_s, self._notify, self._sleep, self._clock = timeout_s, notify, sleep, clock
        self._http = httpx2.Client(timeout=timeout_s, follow_redirects=False)
        self._free_at: dict[str, float] = {}
        self._waited_s = 0.0
        self.requests = 0

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._http.close()

    def get(self, endpoint: str, path: str, parameters: Mapping[str, str]) -> Answer:
        """Send a request.

        Args:
            endpoint: The unit of rate limits.
            path: Path below the API's base URL.
            parameters: Query parameters.

        Raises:
            RequestFailedError: There was no usable answer.
        """
        for attempt in range(1, MAX_TRIES + 1):
            self._wait_for(endpoint)
            try:
                return self._once(endpoint, path, parameters)
            except _AgainError as error:
                problem = self.clean(str(error))
                if attempt == MAX_TRIES:
                    verdict = Verdict.LIMITED if isinstance(error, _LimitedError) else Verdict.DOWN
                    raise RequestFailedError(f"{problem} ({MAX_TRIES} tries)", verdict) from None
                if isinstance(error, _LimitedError):
                    continue
                pause = FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)
                self._notify(f"the X API: {problem}; retrying in {pause:.1f} s")
                self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def clean(self, text: str) -> str:
        """Return a text without the token, and without parts that would identify it."""
        text = text.replace(self._token, "***")
        secret = (self._token[:_SHOWN_TOKEN_CHARS], self._token[-_SHOWN_TOKEN_CHARS:])
        return _WORD.sub(lambda word: "***" if any(part in word[0] for part in secret) else word[0], text)

    def _once(self, endpoint: str, path: str, parameters: Mapping[str, str]) -> Answer:
        import httpx2

        url = f"{self._base_url}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        deadline = time.monotonic() + self._timeout_s
        self.requests += 1
        content = bytearray()
        try:
            headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json", "User-Agent": "klip"}
            with self._http.stream("GET", url, headers=headers) as response:
                for piece in response.iter_bytes():
                    content += piece
                    if time.monotonic() > deadline:
                        raise _AgainError(f"no complete answer within {self._timeout_s:g} s")
                    if len(content) > MAX_BYTES:
                        raise _AgainError(f"an answer of more than {MAX_BYTES:,} bytes")
        except httpx2.TimeoutException:
            raise _AgainError(f"no answer within {self._timeout_s:g} s") from None
        except httpx2.InvalidURL:
            raise InputError(f"KLIP_X_BASE_URL is not a valid URL: {self._base_url}") from None
        except httpx2.HTTPError as error:
            # The chained exceptions would show the request.
            raise _AgainError(f"{type(error).__name__}: {error}") from None
        retrieved_at = datetime.fromtimestamp(self._clock(), UTC)
        self._note_limit(endpoint, response)
        return Answer(self._body(endpoint, response, bytes(content)), url, retrieved_at)

    def _body(self, endpoint: str, response: httpx2.Response, content: bytes) -> dict[str, Any]:
        status = response.status_code
        try:
            # The token must not get into a file, even if a server sends it back.
            body = json.loads(content.decode("utf-8", "replace").replace(self._token, "***"))
        except (ValueError, RecursionError):
            body = None
        told = self.clean(_told(body))
        if status == 429:
            self._limited(endpoint, body, told)
        if status in (401, 402, 403):
            raise RequestFailedError(_FORBIDDEN[status] + (f": {told}" if told else ""), Verdict.FORBIDDEN)
        if status >= 500 or status == 408:
            raise _AgainError(f"HTTP {status}" + (f": {told}" if told else ""))
        if 300 <= status < 400:
            raise RequestFailedError(f"HTTP {status}: is KLIP_X_BASE_URL right?", Verdict.DOWN)
        if status >= 400:
            reason = f"HTTP {status}: {told or 'no reason given'}"
            raise RequestFailedError(reason, Verdict.BAD_REQUEST, _wrong_parameters(body))
        if not isinstance(body, dict):
            raise _AgainError(f"HTTP {status} without a JSON object")
        return body

    def _limited(self, endpoint: str, body: object, told: str) -> None:
        if "usage" in told.lower() and "cap" in told.lower().replace("-", " "):
            raise RequestFailedError(f"the post quota of this token is used up: {told}", Verdict.FORBIDDEN)
        free_at = self._free_at.get(endpoint)
        if free_at is None or free_at <= self._clock():
            raise RequestFailedError(f"too many requests to {endpoint}, without a reset time", Verdict.LIMITED)
        # The next attempt waits for it if it is soon enough.
        raise _LimitedError(f"too many requests to {endpoint}")

    def _note_limit(self, endpoint: str, response: httpx2.Response) -> None:
        left, reset = (_number(response.headers.get(f"x-rate-limit-{name}")) for name in ("remaining", "reset"))
        if reset is not None and (response.status_code == 429 or left == 0):
            self._free_at[endpoint] = reset
        else:
            self._free_at.pop(endpoint, None)

    def _wait_for(self, endpoint: str) -> None:
        free_at = self._free_at.get(endpoint)
        if free_at is None:
            return
        # Plus one second, as clocks differ.
        wait = free_at - self._clock() + 1
        if wait <= 0:
            return
        if self._waited_s + wait > MAX_WAIT_S:
            when = f"{datetime.fromtimestamp(min(free_at, 2**32), UTC):%H:%M} UTC"
            raise RequestFailedError(f"rate limit for {endpoint} reached; it resets at {when}", Verdict.LIMITED)
        self._notify(f"the X API: rate limit for {endpoint} reached; waiting {wait:.0f} s")
        self._waited_s += wait
        self._sleep(wait)


_FORBIDDEN = {
    401: "the X API rejects KLIP_X_BEARER_TOKEN (401); create a new one in the developer console of X",
    402: "the X API requires payment (402); see the developer console of X",
    403: "the X API does not allow this with this token (403); see its project and access in the developer console",
}


def checked_address(base_url: str) -> str:
    """Return the URL without a trailing slash.

    Raises:
        InputError: It is not valid, or a token sent there could be intercepted.
    """
    address = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        host, plain = parts.hostname, parts.scheme == "http"
    except ValueError:
        host, plain = None, False
    if not host or parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment:
        raise InputError("KLIP_X_BASE_URL is not an HTTP URL such as https://api.x.com/2")
    if plain and host not in ("127.0.0.1", "::1", "localhost"):
        raise InputError(f"KLIP_X_BASE_URL: without https, the token could be intercepted on its way to {host}")
    return address


def _number(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


def _told(body: object) -> str:
    """Return the message of an API error, on one line."""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    words = [body.get("title"), body.get("detail"), first.get("title"), first.get("detail"), first.get("message")]
    return " ".join("; ".join(dict.fromkeys(w for w in words if isinstance(w, str))).split())[:_MAX_REASON_CHARS]


def _wrong_parameters(body: object) -> frozenset[str]:
    errors = body.get("errors") if isinstance(body, dict) else None
    found: set[str] = set()
    for error in errors if isinstance(errors, list) else ():
        if isinstance(error, dict):
            named = error.get("parameters")
            found |= named.keys() if isinstance(named, dict) else set(_QUOTED.findall(str(error.get("message", ""))))
    return frozenset(found)
