"""What is fetched: searches and timelines, as listed by the user."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from klip_assets.errors import InputError

_USER = re.compile(r"[A-Za-z0-9_]{1,15}")
_ABOUT_RETWEETS = re.compile(r"(?<![\w:])-?is:retweet(?!\w)")
_FIELDS = {
    "tweet.fields": "author_id,conversation_id,created_at,edit_history_tweet_ids,entities,in_reply_to_user_id,lang,"
    "note_tweet,public_metrics,referenced_tweets",
    "expansions": "author_id",
    "user.fields": "name,username",
}

#: Endpoints with separate rate limits.
SEARCH, TIMELINE, LOOKUP = "search", "timeline", "user lookup"


@dataclass(frozen=True)
class Source:
    """One search or timeline.

    Attributes:
        endpoint: SEARCH or TIMELINE.
        wanted: The query, or the user name.
        retweets: Whether to fetch retweets too.
    """

    endpoint: str
    wanted: str
    retweets: bool = False

    @property
    def name(self) -> str:
        """Its name in messages and in the stored progress."""
        what = f"search {self.query}" if self.endpoint == SEARCH else f"timeline {self.wanted.lower()}"
        return f"{what} with retweets" if self.retweets and self.endpoint == TIMELINE else what

    @property
    def folder(self) -> str:
        """Name of its folder in the inbox: readable and unique."""
        readable = re.sub(r"[^a-z0-9]+", "-", self.wanted.lower()).strip("-")[:40] or "query"
        return f"{self.endpoint}-{readable}-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"

    @property
    def query(self) -> str:
        """The query as sent: without retweets, unless they are requested or the query mentions them itself."""
        if self.retweets or _ABOUT_RETWEETS.search(self.wanted):
            return self.wanted
        # A blank binds tighter than OR.
        return f"({self.wanted}) -is:retweet" if re.search(r"\bOR\b", self.wanted) else f"{self.wanted} -is:retweet"

    @property
    def fewest(self) -> int:
        """The minimum number of posts per request."""
        return 10 if self.endpoint == SEARCH else 5

    @property
    def page_parameter(self) -> str:
        """Name of the parameter for the token of the next page."""
        return "next_token" if self.endpoint == SEARCH else "pagination_token"

    def path(self, user_id: str | None) -> str:
        """Return the path below the API's base URL."""
        return "/tweets/search/recent" if self.endpoint == SEARCH else f"/users/{user_id}/tweets"

    def parameters(self) -> dict[str, str]:
        """Return the parameters common to all its pages."""
        if self.endpoint == SEARCH:
            return {"query": self.query, **_FIELDS}
        return {**_FIELDS} if self.retweets else {"exclude": "retweets", **_FIELDS}


def read_sources(listed: str) -> list[Source]:
    """Parse KLIP_X_QUERIES.

    Args:
        listed: X queries separated by semicolons, where just `from:NAME` means the timeline of that user; or the path
            of a `.toml` file with `[[query]]` (query, retweets) and `[[user]]` (name, retweets).

    Returns:
        The sources, each once, in list order.

    Raises:
        InputError: The list is not valid; says where.
    """
    text = listed.strip()
    if text.endswith(".toml"):
        found = _of_file(Path(text).expanduser())
    else:
        found = [_of_text(query) for query in map(str.strip, text.split(";")) if query]
    return list({source.name: source for source in found}.values())


def _of_text(query: str) -> Source:
    alone = re.fullmatch(r"from:@?(\S+)", query)
    return _timeline(alone[1], False) if alone else _search(query, False)


def _of_file(path: Path) -> list[Source]:
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(f"KLIP_X_QUERIES: {path} can't be read: {error.strerror or error}") from error
    except ValueError as error:
        raise InputError(f"KLIP_X_QUERIES: {path} is not valid TOML: {error}", hint="see docs/tweets.md") from error
    if unknown := content.keys() - {"query", "user"}:
        raise InputError(f"{path}: {sorted(unknown)[0]!r} is unknown", hint="only [[query]] and [[user]] are allowed")
    found = [
        make(_entry(path, kind, number, entry, field), entry.get("retweets", False))
        for kind, field, make in (("query", "query", _search), ("user", "name", _timeline))
        for number, entry in enumerate(_entries(path, content, kind), start=1)
    ]
    if not found:
        raise InputError(f"{path} is empty", hint="add a [[query]] or a [[user]]; see docs/tweets.md")
    return found


def _entries(path: Path, content: dict[str, Any], kind: str) -> list[Any]:
    entries = content.get(kind, [])
    if not isinstance(entries, list):
        raise InputError(f"{path}: write [[{kind}]], with two brackets")
    return entries


def _entry(path: Path, kind: str, number: int, entry: Any, field: str) -> str:
    where = f"{path}, {kind} {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get(field), str) or not entry[field].strip():
        raise InputError(f"{where}: {field} is missing or not text")
    if unknown := entry.keys() - {field, "retweets"}:
        raise InputError(f"{where}: {sorted(unknown)[0]!r} is unknown", hint=f"only {field} and retweets are allowed")
    if not isinstance(entry.get("retweets", False), bool):
        raise InputError(f"{where}: retweets must be true or false")
    return str(entry[field]).strip()


def _search(query: str, retweets: bool) -> Source:
    return Source(SEARCH, " ".join(query.split()), retweets)


def _timeline(name: str, retweets: bool) -> Source:
    plain = name.removeprefix("@")
    if not _USER.fullmatch(plain):
        raise InputError(f"{name!r} is not a valid X user name", hint="1 to 15 letters, digits or _")
    return Source(TIMELINE, plain, retweets)
