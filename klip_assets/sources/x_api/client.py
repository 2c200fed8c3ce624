"""Requests to the X API: sent, repeated where that helps, and held back where the API says so.

What went wrong is sorted by what may be done about it. The token goes into one header and nowhere else: no message,
no log, no file; redirects, which would carry it elsewhere, are not followed.
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

#: Times one request is sent where the API fails (5xx, no answer, half an answer), and the first pause between them.
MAX_TRIES = 3
FIRST_PAUSE_S = 1.0
#: Seconds that a run waits for rate limits, all waits together. A window has 15 minutes: the next run goes on.
MAX_WAIT_S = 60.0
#: A page of 100 long posts has less than 4 MB.
MAX_BYTES = 32_000_000
_MAX_REASON_CHARS = 300
_SHOWN_TOKEN_CHARS = 6
_QUOTED = re.compile(r"'([a-z_.]+)'")


class Verdict(Enum):
    """What a failed request says about the next ones."""

    #: The API can't be had: nobody else needs to try in this run.
    DOWN = "down"
    #: The token is refused, or may not do this, or is used up.
    FORBIDDEN = "forbidden"
    #: Too many requests to this endpoint; later.
    LIMITED = "limited"
    #: This request can't be served as it is put.
    BAD_REQUEST = "bad request"


class RequestFailedError(Exception):
    """A request without a usable answer.

    Attributes:
        reason: Why, for people.
        verdict: What it says about the next ones.
        parameters: The parameters that the API calls wrong.
    """

    def __init__(self, reason: str, verdict: Verdict, parameters: frozenset[str] = frozenset()) -> None:
        super().__init__(reason)
        self.reason, self.verdict, self.parameters = reason, verdict, parameters


class _AgainError(Exception):
    """Another try may do."""


class _LimitedError(_AgainError):
    """Another try may do, once the endpoint is free again."""


@dataclass(frozen=True)
class Answer:
    """What the API answered.

    Attributes:
        body: The JSON object.
        url: What was asked.
        retrieved_at: When, UTC.
    """

    body: dict[str, Any]
    url: str
    retrieved_at: datetime


class Client(AbstractContextManager["Client"]):
    """A client of the X API.

    Args:
        base_url: Address up to and including `/2`.
        token: The bearer token.
        timeout_s: Seconds until a request is given up, from sending to its last byte.
        notify: Told about waits and repeated tries.
        sleep: Waits so many seconds.
        clock: Seconds since 1970.

    Raises:
        InputError: The address or the token can't be one.
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
            raise InputError("KLIP_X_BEARER_TOKEN holds characters that no token has", hint="copy it again, whole")
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
        """Ask for something.

        Args:
            endpoint: What rate limits are counted by.
            path: Below the API's address.
            parameters: Of the request.

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
                self._notify(f"the X API: {problem}; asked again in {pause:.1f} s")
                self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def clean(self, text: str) -> str:
        """Return a text without the token, and without parts by which it could be known."""
        text = text.replace(self._token, "***")
        for part in (self._token[:_SHOWN_TOKEN_CHARS], self._token[-_SHOWN_TOKEN_CHARS:]):
            text = re.sub(rf"\S*{re.escape(part)}\S*", "***", text)
        return text

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
                        raise _AgainError(f"no whole answer within {self._timeout_s:g} s")
                    if len(content) > MAX_BYTES:
                        raise _AgainError(f"an answer of more than {MAX_BYTES:,} bytes")
        except httpx2.TimeoutException:
            raise _AgainError(f"no answer within {self._timeout_s:g} s") from None
        except httpx2.InvalidURL:
            raise InputError(f"KLIP_X_BASE_URL is no address that can be asked: {self._base_url}") from None
        except httpx2.HTTPError as error:
            # Its chain of causes would show the request.
            raise _AgainError(f"{type(error).__name__}: {error}") from None
        retrieved_at = datetime.fromtimestamp(self._clock(), UTC)
        self._note_limit(endpoint, response)
        return Answer(self._body(endpoint, response, bytes(content)), url, retrieved_at)

    def _body(self, endpoint: str, response: httpx2.Response, content: bytes) -> dict[str, Any]:
        status = response.status_code
        try:
            # Nothing of the token may get into a file, should a server send it back.
            body = json.loads(content.decode("utf-8", "replace").replace(self._token, "***"))
        except (ValueError, RecursionError):
            body = None
        told = self.clean(_told(body))
        if status == 429:
            self._limited(endpoint, body, told)
        if status in (401, 402, 403):
            raise RequestFailedError(_FORBIDDEN[status] + (f": {told}" if told else ""), Verdict.FORBIDDEN)
        if status >= 500 or status == 408:
            raise _AgainError(f"it answered {status}" + (f": {told}" if told else ""))
        if 300 <= status < 400:
            raise RequestFailedError(f"it answered {status}: is KLIP_X_BASE_URL right?", Verdict.DOWN)
        if status >= 400:
            reason = f"it answered {status}: {told or 'no reason given'}"
            raise RequestFailedError(reason, Verdict.BAD_REQUEST, _wrong_parameters(body))
        if not isinstance(body, dict):
            raise _AgainError(f"it answered {status} with something that is no JSON object")
        return body

    def _limited(self, endpoint: str, body: object, told: str) -> None:
        if "usage" in told.lower() and "cap" in told.lower().replace("-", " "):
            raise RequestFailedError(f"the posts that this token may read are used up: {told}", Verdict.FORBIDDEN)
        free_at = self._free_at.get(endpoint)
        if free_at is None or free_at <= self._clock():
            raise RequestFailedError(
                f"too many requests to {endpoint}, and it does not say until when", Verdict.LIMITED
            )
        # Waited for, if it is soon enough, before the next try.
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
        # A second more: clocks differ.
        wait = free_at - self._clock() + 1
        if wait <= 0:
            return
        if self._waited_s + wait > MAX_WAIT_S:
            when = f"{datetime.fromtimestamp(min(free_at, 2**32), UTC):%H:%M} UTC"
            raise RequestFailedError(f"requests to {endpoint} are used up until {when}", Verdict.LIMITED)
        self._notify(f"the X API: requests to {endpoint} are used up, waiting {wait:.0f} s")
        self._waited_s += wait
        self._sleep(wait)


_FORBIDDEN = {
    401: "the X API does not accept KLIP_X_BEARER_TOKEN (401); make a new one in the developer console of X",
    402: "the X API wants to be paid first (402); see the developer console of X",
    403: "the X API does not let this token do that (403); see its project and access in the developer console of X",
}


def checked_address(base_url: str) -> str:
    """Return the address without a slash at its end.

    Raises:
        InputError: It is none, or a token sent there could be read on the way.
    """
    address = base_url.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        host, plain = parts.hostname, parts.scheme == "http"
    except ValueError:
        host, plain = None, False
    if not host or parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment:
        raise InputError("KLIP_X_BASE_URL is no http address such as https://api.x.com/2")
    if plain and host not in ("127.0.0.1", "::1", "localhost"):
        raise InputError(f"KLIP_X_BASE_URL: {host} without https, where the token could be read on the way")
    return address


def _number(value: str | None) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


def _told(body: object) -> str:
    """Return what an error of the API says, in one line."""
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
