"""A server that behaves as X documents its API, version 2: real HTTP on loopback, posts of its own.

It pages newest first, knows since_id, until_id, start_time and end_time and refuses what lies more than 7 days back,
counts requests to an endpoint, and asks for the token. What a test wants to go wrong goes into `misdeeds`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from klip_assets_tests.made import tweet

TOKEN = "AAAAAAAAAAAAAAAAAAAAA-secret-bearer-987654"
NOW = datetime(2026, 6, 14, 12, 0, 0, tzinfo=UTC)
WEEK = timedelta(days=7)


def post_id(minutes_ago: float, n: int = 0) -> int:
    """Return the id of a post from so many minutes before NOW."""
    return ((round((NOW.timestamp() - 60 * minutes_ago) * 1000) - 1288834974657) << 22) + n


def time_of_id(number: int) -> datetime:
    return datetime.fromtimestamp(((number >> 22) + 1288834974657) / 1000, UTC)


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Misdeed:
    """What is sent instead of an answer; None of it where a test wants a request to go well."""

    status: int = 200
    content: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    is_silent: bool = False


def error(status: int, title: str = "", detail: str = "", **headers: str) -> Misdeed:
    """An error as the API words it; `x_rate_limit_reset="1"` becomes the header."""
    body = {"title": title, "detail": detail, "type": "about:blank", "status": status}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Misdeed(status, json.dumps(body).encode(), named)


@dataclass
class FakeX:
    """The server.

    Attributes:
        posts: By user name: posts as the API delivers them.
        misdeeds: What the next requests get; None: what they ask for.
        asked: The requests so far.
        left: Requests left in the window, by endpoint; None: any number.
        reset: When the window ends, seconds since 1970.
        page: Posts of a page, however many are asked for.
        reported: Errors that come beside the posts.
        empty_first: Pages without posts before the first with some.
        clock_s: What tests that wait move forward.
    """

    posts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    misdeeds: list[Misdeed | None] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    left: int | None = None
    reset: float = 0.0
    page: int = 100
    reported: list[dict[str, str]] = field(default_factory=list)
    empty_first: int = 0
    clock_s: float = NOW.timestamp()
    waited_s: list[float] = field(default_factory=list)
    base_url: str = ""

    def add(self, minutes_ago: float, text: str = "what a run", *, user: str = "anna", **more: Any) -> int:
        """Post something."""
        number = post_id(minutes_ago, sum(map(len, self.posts.values())))
        author = str(100 + sorted({*self.posts, user}).index(user))
        self.posts.setdefault(user, []).append(tweet(str(number), text, **{"author_id": author, **more}))
        return number

    def ids(self, user: str | None = None) -> set[int]:
        """Return the ids of all posts, or of one user's."""
        return {int(post["id"]) for name, posts in self.posts.items() for post in posts if user in (None, name)}

    def sleep(self, seconds: float) -> None:
        """Wait without waiting."""
        self.waited_s.append(seconds)
        self.clock_s += seconds
        if self.left == 0 and self.clock_s >= self.reset:
            self.left = None

    def clock(self) -> float:
        """Return the seconds since 1970, as a test has them."""
        return self.clock_s

    def now(self) -> datetime:
        """Return the present, as a test has it."""
        return datetime.fromtimestamp(self.clock_s, UTC)

    def answer(self, asked: Asked) -> Misdeed:
        """Answer a request."""
        self.asked.append(asked)
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401, "Unauthorized", "Unauthorized")
        if self.misdeeds and (wrong := self.misdeeds.pop(0)) is not None:
            return wrong
        headers = {"x-rate-limit-limit": "450", "x-rate-limit-reset": str(int(self.reset))}
        if self.left == 0:
            return Misdeed(
                429, b'{"title":"Too Many Requests","status":429}', {**headers, "x-rate-limit-remaining": "0"}
            )
        if self.left is not None:
            self.left -= 1
            headers["x-rate-limit-remaining"] = str(self.left)
        parts = asked.path.split("/")
        if parts[:4] == ["", "2", "users", "by"]:
            return self._user(parts[5], headers)
        if asked.path == "/2/tweets/search/recent":
            wanted = [post for posts in self.posts.values() for post in posts]
            return self._page(asked.parameters, wanted, "next_token", 10, headers, self.now() - WEEK)
        user = next(name for name, posts in self.posts.items() if posts[0]["author_id"] == parts[3])
        return self._page(asked.parameters, self.posts[user], "pagination_token", 5, headers, None)

    def _user(self, name: str, headers: dict[str, str]) -> Misdeed:
        found = next((known for known in self.posts if known == name.lower()), None)
        if found is None:
            missing = {"title": "Not Found Error", "detail": f"Could not find user with username: [{name}]."}
            return Misdeed(200, json.dumps({"errors": [missing]}).encode(), headers)
        data = {"id": self.posts[found][0]["author_id"], "name": name, "username": name}
        return Misdeed(200, json.dumps({"data": data}).encode(), headers)

    def _page(
        self, given: dict[str, str], posts: list[dict[str, Any]], token: str, fewest: int, headers: dict[str, str],
        earliest: datetime | None,
    ) -> Misdeed:  # fmt: skip
        refused = _refusal(given, fewest, earliest)
        if refused:
            return refused
        inside = [post for post in posts if _is_inside(given, int(post["id"]))]
        inside = [post for post in inside if earliest is None or time_of_id(int(post["id"])) >= earliest]
        inside.sort(key=lambda post: -int(post["id"]))
        start = int(given.get(token, "0"))
        meta: dict[str, Any] = {}
        if start < self.empty_first:
            chunk, following = [], start + 1
        else:
            size = min(self.page, int(given["max_results"]))
            place = start - self.empty_first
            chunk, following = inside[place : place + size], start + size
        if start < self.empty_first or following - self.empty_first < len(inside):
            meta["next_token"] = str(following)
        meta["result_count"] = len(chunk)
        body: dict[str, Any] = {"meta": meta}
        if chunk:
            meta |= {"newest_id": chunk[0]["id"], "oldest_id": chunk[-1]["id"]}
            names = {self.posts[name][0]["author_id"]: name for name in self.posts}
            users = [{"id": key, "username": name, "name": name} for key, name in names.items()]
            body = {"data": chunk, "includes": {"users": users}, **body}
        if self.reported:
            body["errors"] = self.reported
        return Misdeed(200, json.dumps(body).encode(), headers)


def _refusal(given: dict[str, str], fewest: int, earliest: datetime | None) -> Misdeed | None:
    if not fewest <= int(given["max_results"]) <= 100:
        return _invalid("max_results", f"The `max_results` query parameter value is not between {fewest} and 100")
    if {"since_id", "until_id"} & given.keys() and {"start_time", "end_time"} & given.keys():
        return _invalid("start_time", "Invalid use of 'since_id' or 'until_id' in conjunction with 'start_time'")
    if earliest is None:
        return None
    for name in ("since_id", "until_id"):
        if name in given and time_of_id(int(given[name])) < earliest:
            larger = f"Please use a '{name}' that is larger than 1"
            return _invalid(name, f"'{name}' must be a tweet id created after {earliest:%Y-%m-%dT%H:%MZ}. {larger}")
    if "start_time" in given and datetime.fromisoformat(given["start_time"]) < earliest:
        return _invalid("start_time", f"'start_time' must be on or after {earliest:%Y-%m-%dT%H:%MZ}")
    return None


def _invalid(name: str, message: str) -> Misdeed:
    body = {
        "errors": [{"parameters": {name: ["?"]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": "https://api.twitter.com/2/problems/invalid-request",
    }
    return Misdeed(400, json.dumps(body).encode())


def _is_inside(given: dict[str, str], number: int) -> bool:
    at = time_of_id(number)
    return (
        number > int(given.get("since_id", "0"))
        and number < int(given.get("until_id", str(2**63)))
        and at >= datetime.fromisoformat(given.get("start_time", "2006-01-01T00:00:00Z"))
        and at < datetime.fromisoformat(given.get("end_time", "2100-01-01T00:00:00Z"))
    )


@contextmanager
def serving(fake: FakeX) -> Iterator[FakeX]:
    """Serve on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = fake.answer(Asked(parts.path, dict(parse_qsl(parts.query)), headers))
            if sent.is_silent:
                self.close_connection = True
                # Until the client gives up, which closes its side.
                self.rfile.read(1)
                return
            self.send_response(sent.status)
            for name, value in {"content-type": "application/json", **sent.headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(sent.content) * (2 if sent.cut else 1)))
            self.end_headers()
            self.wfile.write(sent.content)
            self.close_connection = self.close_connection or sent.cut

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.base_url = f"http://127.0.0.1:{server.server_port}/2"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
