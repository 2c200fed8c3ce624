"""Fetches posts of all sources into the tweet inbox: one file per page, in the API's own format.

A page is stored in the inbox before the progress of its source is updated. A process that dies in between fetches the
page again; the file has the same name if it has the same posts, and a post in two files is one row of `tweets`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from klip_assets import __version__
from klip_assets.errors import InputError
from klip_assets.settings import Settings
from klip_assets.signals.tweets.snowflake import created_at_of, id_at
from klip_assets.sources.x_api.client import Answer, Client, RequestFailedError, Verdict
from klip_assets.sources.x_api.sources import LOOKUP, SEARCH, Source, read_sources
from klip_assets.sources.x_api.state import Progress, State
from klip_assets.store.files import sweep as remove_leftovers
from klip_assets.store.files import write_atomically
from klip_assets.store.locks import hold

#: Window of recent search, minus a margin for clocks and the request itself.
SEARCHED = timedelta(days=7) - timedelta(minutes=5)
#: Posts per page.
MAX_PER_PAGE = 100
#: Consecutive pages without a post after which a source is left for the next run.
MAX_EMPTY_PAGES = 10


@dataclass
class Fetched:
    """Result of one run.

    Attributes:
        posts: Posts by source.
        pages: Files written.
        requests: Requests sent.
        notes: Information for users, not errors: what is left for the next run and why, what was too far back, what
            the API reported along with its posts.
        problems: Errors, one sentence each.
        version: Identifies everything fetched so far.
    """

    posts: dict[str, int] = field(default_factory=dict)
    pages: int = 0
    requests: int = 0
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    version: str = ""


def fetch_posts(settings: Settings, *, notify: Callable[[str], None] = lambda _: None) -> Fetched:
    """Fetch new posts of everything listed in KLIP_X_QUERIES.

    Args:
        settings: Token, URL, sources and limits.
        notify: Called with progress messages.

    Raises:
        InputError: A setting is missing or can't be used; names it.
        LockHeldError: Another run is fetching.
    """
    if settings.x_bearer_token is None or not settings.x_bearer_token.get_secret_value().strip():
        raise InputError("KLIP_X_BEARER_TOKEN is not set", hint="see docs/tweets.md for how to get one")
    sources = read_sources(settings.x_queries)
    if not sources:
        raise InputError("KLIP_X_QUERIES is not set", hint="for example KLIP_X_QUERIES='#speedrun lang:en; from:NAME'")
    token = settings.x_bearer_token.get_secret_value()
    with (
        hold(settings.state_dir / "locks" / "x_posts.lock", what="fetching from X", timeout_s=1),
        Client(settings.x_base_url, token, timeout_s=settings.x_timeout_s, notify=notify) as client,
    ):
        run = Run(client, State(settings.x_state_path), settings.tweet_inbox / "x", settings.x_max_posts, notify)
        return run.fetch(sources)


class Run:
    """One run over all sources.

    Args:
        client: The API client.
        state: Progress of each source.
        inbox: Folder for the pages.
        max_posts: Maximum posts of the run, over all sources.
        notify: Called with progress messages.
        now: Returns the current time, UTC.
    """

    def __init__(
        self,
        client: Client,
        state: State,
        inbox: Path,
        max_posts: int,
        notify: Callable[[str], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._client, self._state, self._inbox, self._notify, self._now = client, state, inbox, notify, now
        self._left = max_posts
        self._done = Fetched()

    def fetch(self, sources: Sequence[Source]) -> Fetched:
        """Fetch new posts of each source, the longest-waiting first, so that the limit starves none."""
        for source in sorted(sources, key=lambda source: self._state.of(source.name).asked_at):
            if self._left < source.fewest:
                self._note(f"{source.name}: KLIP_X_MAX_POSTS reached; left for the next run")
                continue
            self._done.posts[source.name] = 0
            try:
                self._fetch(source)
            except RequestFailedError as error:
                sentence = f"{source.name}: {error.reason}"
                if error.verdict is Verdict.LIMITED:
                    self._note(f"{sentence}; the next run continues")
                    continue
                self._done.problems.append(sentence)
                self._notify(sentence)
                if error.verdict in (Verdict.FORBIDDEN, Verdict.DOWN):
                    break
        self._done.requests, self._done.version = self._client.requests, self._state.version
        return self._done

    def _fetch(self, source: Source) -> None:
        progress = replace(self._state.of(source.name), asked_at=self._now().isoformat(timespec="microseconds"))
        self._state.keep(source.name, progress)
        if source.endpoint != SEARCH and progress.user_id is None:
            progress = replace(progress, user_id=self._user_id(source.wanted))
            self._state.keep(source.name, progress)
        if progress.until_id is not None:
            # The older part of a sweep that was not completed.
            progress = self._sweep(source, progress)
            if progress.until_id is not None:
                return
        self._sweep(source, progress)

    def _sweep(self, source: Source, progress: Progress) -> Progress:
        """Fetch the posts between `since_id` and `until_id`, newest first, as far as the limit allows."""
        window = _Window(source, progress, self._now())
        seen: set[str] = set()
        page_token: str | None = None
        empty = 0
        while True:
            if self._left < source.fewest:
                self._note(f"{source.name}: KLIP_X_MAX_POSTS reached; the next run continues")
                return progress
            try:
                answer = self._page(source, progress, window, page_token)
            except RequestFailedError as error:
                moved = window.without(error)
                if moved is None:
                    raise
                self._note(f"{source.name}: {moved}")
                if window.is_out_of_reach:
                    return self._finish(source, progress, window)
                page_token = None
                continue
            ids = _ids(answer.body)
            if ids:
                self._store(source, answer, ids)
                progress = replace(progress, newest_id=max(*ids, progress.newest_id or 0), until_id=min(ids))
            page_token = _next_token(answer.body)
            if page_token is None:
                return self._finish(source, progress, window)
            if ids:
                self._state.keep(source.name, progress)
            empty = 0 if ids else empty + 1
            if page_token in seen or empty >= MAX_EMPTY_PAGES:
                raise RequestFailedError("the API keeps sending the same or empty pages", Verdict.LIMITED)
            seen.add(page_token)

    def _page(self, source: Source, progress: Progress, window: _Window, page_token: str | None) -> Answer:
        parameters = {
            **source.parameters(),
            **window.parameters(),
            "max_results": str(min(MAX_PER_PAGE, self._left)),
            **({source.page_parameter: page_token} if page_token else {}),
        }
        answer = self._client.get(source.endpoint, source.path(progress.user_id), parameters)
        for problem in _reported(answer.body):
            self._note(f"{source.name}: besides posts, the API returned errors: {self._client.clean(problem)}")
        return answer

    def _finish(self, source: Source, progress: Progress, window: _Window) -> Progress:
        since_id = max(progress.since_id or 0, progress.newest_id or 0, window.floor_id or 0) or None
        progress = replace(progress, since_id=since_id, newest_id=None, until_id=None)
        self._state.keep(source.name, progress)
        return progress

    def _store(self, source: Source, answer: Answer, ids: Sequence[int]) -> None:
        """Store a page in the inbox unchanged, with its time and URL added as twarc does."""
        retrieved_at = answer.retrieved_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        noted = {"url": answer.url, "version": f"klip {__version__}", "retrieved_at": retrieved_at}
        # Escaped as by twarc: a lone surrogate could not be written otherwise.
        content = json.dumps({**answer.body, "__twarc": noted}).encode() + b"\n"
        day = created_at_of(str(max(ids)))
        folder = self._inbox / source.folder / (f"{day:%Y-%m-%d}" if day else "early")
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)
        path = folder / f"{min(ids)}-{max(ids)}.jsonl"
        write_atomically(path, lambda temporary: temporary.write_bytes(content))
        self._left -= len(ids)
        self._done.pages += 1
        self._done.posts[source.name] += len(ids)
        self._notify(f"{source.name}: {len(ids)} posts, {path.name}")

    def _user_id(self, name: str) -> str:
        answer = self._client.get(LOOKUP, f"/users/by/username/{name}", {"user.fields": "name,username"})
        data = answer.body.get("data")
        user_id = data.get("id") if isinstance(data, dict) else None
        if not isinstance(user_id, str) or not user_id.isdigit():
            told = self._client.clean("; ".join(_reported(answer.body)) or "no id in the answer")
            raise RequestFailedError(f"the API does not know the user: {told}", Verdict.BAD_REQUEST)
        return user_id

    def _note(self, sentence: str) -> None:
        if sentence not in self._done.notes:
            self._done.notes.append(sentence)
            self._notify(sentence)


class _Window:
    """The part of a source that a sweep requests.

    Recent search rejects ids from before its window; then times are used instead. Ids and times can't be mixed in one
    request.
    """

    def __init__(self, source: Source, progress: Progress, now: datetime) -> None:
        self._source, self._since_id, self._until_id = source, progress.since_id, progress.until_id
        self._start = (now.astimezone(UTC) - SEARCHED).replace(microsecond=0, tzinfo=None)
        self._by_time = False
        self.is_out_of_reach = False

    @property
    def floor_id(self) -> int | None:
        """The id that a post at the start of the window would have, if times are used instead of ids."""
        return id_at(self._start) if self._by_time else None

    def parameters(self) -> dict[str, str]:
        """Return the parameters that select the part."""
        if not self._by_time:
            ids = {"since_id": self._since_id, "until_id": self._until_id}
            return {name: str(value) for name, value in ids.items() if value is not None}
        found = {"start_time": f"{self._start.isoformat()}Z"}
        if (end := self._end) is not None:
            found["end_time"] = f"{end.isoformat()}Z"
        return found

    def without(self, error: RequestFailedError) -> str | None:
        """Switch to times if the API rejected an id that is too old.

        Returns:
            A message for the user; None if the error was a different one.
        """
        named = error.parameters & {"since_id", "until_id"}
        is_it = self._source.endpoint == SEARCH and error.verdict is Verdict.BAD_REQUEST and bool(named)
        if not is_it or self._by_time:
            return None
        self._by_time = True
        end = self._end
        self.is_out_of_reach = end is not None and end <= self._start
        what = "the rest" if self.is_out_of_reach else f"posts from before {self._start} UTC that were not fetched"
        return f"search covers only the last 7 days; {what} can no longer be fetched"

    @property
    def _end(self) -> datetime | None:
        created_at = created_at_of(str(self._until_id)) if self._until_id else None
        # Whole seconds, and the end is exclusive.
        return None if created_at is None else created_at.replace(microsecond=0) + timedelta(seconds=1)


def _ids(body: Mapping[str, Any]) -> list[int]:
    data = body.get("data", [])
    if not isinstance(data, list):
        raise RequestFailedError("the answer is not a page of posts", Verdict.DOWN)
    found = [int(post["id"]) for post in data if isinstance(post, dict) and str(post.get("id", "")).isdecimal()]
    if data and not found:
        raise RequestFailedError("the answer contains posts without ids", Verdict.DOWN)
    return found


def _next_token(body: Mapping[str, Any]) -> str | None:
    meta = body.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) and token else None


def _reported(body: Mapping[str, Any]) -> list[str]:
    """Return the errors in an answer, each kind once."""
    errors = body.get("errors")
    found = [
        ": ".join(str(error[name]) for name in ("title", "detail") if isinstance(error.get(name), str))
        for error in (errors if isinstance(errors, list) else ())
        if isinstance(error, dict)
    ]
    return list(dict.fromkeys(text for text in found if text))[:5]
