"""Tweets from JSON: one object per line, one document, or response pages of the X API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from klip_assets.formats.refused import Refused, RowRefused
from klip_assets.formats.text import valid_unicode
from klip_assets.signals.tweets.bulk import bulk_rows
from klip_assets.signals.tweets.clock import Clock
from klip_assets.signals.tweets.compliance import Deletion, deletion_of, is_event
from klip_assets.signals.tweets.counts import Unread
from klip_assets.signals.tweets.json_values import TakeBlock, Unparsed, Value, json_values
from klip_assets.signals.tweets.quick import quick_row
from klip_assets.signals.tweets.rows import Row, row_of_object
from klip_assets.signals.tweets.shapes import unfolded
from klip_assets.signals.tweets.values import is_absent, shown, time_of

_FOREIGN_BEFORE_GIVING_UP = 1000
_MISSES_BEFORE_GIVING_UP = 8
#: Notices that a stream sends between tweets.
_NOTICES = frozenset({"limit", "warning", "disconnect", "connected"})


class _Foreign(Exception):  # noqa: N818
    """An object of the API that is not a tweet."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class _Page:
    """What a page of the API says about the tweets on it.

    Attributes:
        user_names: Names of users by id.
        tweets: Tweets by id that those of the page refer to.
        observed_at: When it was retrieved.
    """

    user_names: Mapping[str, str] = field(default_factory=dict)
    tweets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    observed_at: datetime | None = None


_NO_PAGE = _Page()


@dataclass(frozen=True)
class _Found:
    """A value in the file that should be a tweet, with the context given by its page."""

    position: str
    value: object
    page: _Page


def read_json(
    path: Path, *, clock: Clock, mapped: Mapping[str, str] | None = None, unread: Unread | None = None
) -> Iterator[Row | pa.Table | Deletion | Refused]:
    """Read tweets from JSON, streaming. Lines with plain tweets are read as tables of many at once.

    A file of other objects (users, lists, counts) is refused as a whole.

    Args:
        path: The file.
        clock: Determines each tweet's time.
        mapped: Fields that hold the named columns, see `columns_of`.
        unread: Notes the counts that are there, but can't be read.
    """
    foreign: list[tuple[str, str]] = []
    tweets_seen = False

    missed = 0

    def take(block: bytes, lines: int) -> tuple[object, Sequence[int]] | None:
        nonlocal missed
        # A file with another kind of tweets usually has no others: stop trying after some blocks.
        made = bulk_rows(block, lines, clock) if missed < _MISSES_BEFORE_GIVING_UP else None
        missed = missed + 1 if made is None else 0
        return None if made is None else (made.rows, made.others.tolist())

    for found in _found_in(path, None if mapped else take):
        if isinstance(found, Refused):
            yield found
            continue
        if isinstance(found, pa.Table):
            if found.num_rows:
                if not tweets_seen:
                    tweets_seen = True
                    yield from (_refuse_foreign(where, kind) for where, kind in foreign)
                yield found
            continue
        try:
            row: Row | Deletion | Refused = _row(found, clock, mapped, unread)
        except _Foreign as other:
            if tweets_seen:
                yield _refuse_foreign(found.position, other.kind)
                continue
            foreign.append((found.position, other.kind))
            if len(foreign) > _FOREIGN_BEFORE_GIVING_UP:
                yield _refuse_file(foreign)
                return
            continue
        except RowRefused as refusal:
            row = Refused(found.position, refusal.reason, refusal.detail)
        if not tweets_seen and not isinstance(row, Refused):
            tweets_seen = True
            yield from (_refuse_foreign(where, kind) for where, kind in foreign)
        yield row
    if foreign and not tweets_seen:
        yield _refuse_file(foreign)


def _refuse_foreign(position: str, kind: str) -> Refused:
    return Refused(position, "not a tweet", f"found: {kind}")


def _refuse_file(foreign: list[tuple[str, str]]) -> Refused:
    kinds = sorted({kind for _, kind in foreign})
    return Refused("file", f"a file of {' and '.join(kinds)}, not of tweets", f"first at {foreign[0][0]}")


def _found_in(path: Path, take: TakeBlock | None) -> Iterator[_Found | pa.Table | Refused]:
    context = (0, _NO_PAGE)
    for value in json_values(path, take):
        if isinstance(value.value, pa.Table):
            yield value.value
            continue
        if value.page is None:
            yield from _in_value(value)
            continue
        if context[0] != id(value.page):
            context = (id(value.page), _said_by(value.page))
        if isinstance(value.value, Unparsed):
            yield from _in_element(value.position, value.value)
        else:
            yield _Found(value.position, value.value, context[1])


def _in_value(found: Value) -> Iterator[_Found | Refused]:
    """Yield the content of one JSON value: a tweet, a page of tweets, or an array of either."""
    position, value = found.position, found.value
    if not isinstance(value, list):
        yield from _in_element(position, value)
        return
    for number, element in enumerate(value, start=1):
        yield from _in_element(_inside(position, number), element)


def _in_element(position: str, value: object) -> Iterator[_Found | Refused]:
    if isinstance(value, Unparsed):
        yield Refused(position or "file", value.reason, value.problem)
    elif not isinstance(value, dict):
        yield Refused(position or "file", "not a tweet", f"a JSON {type(value).__name__}")
    elif isinstance(value.get("data"), list | dict):
        yield from _in_page(position, value)
    elif _is_error(value):
        yield Refused(position or "file", "an error reported by the API", _error_text(value))
    elif ("data" in value or (isinstance(value.get("meta"), dict) and "text" not in value)) and "id" not in value:
        return  # a page without results
    elif len(value) == 1 and _NOTICES & value.keys():
        yield Refused(position, "a stream notice, not a tweet", shown(next(iter(value))))
    else:
        wrapped = value.get("tweet")
        is_wrapped = isinstance(wrapped, dict) and len(value) == 1
        yield _Found(position, wrapped if is_wrapped else value, _NO_PAGE)


def _in_page(position: str, page: Mapping[str, object]) -> Iterator[_Found]:
    """Yield the tweets of a response; those in `includes` are only context."""
    said = _said_by(page)
    data = page["data"]
    if isinstance(data, list):
        for number, element in enumerate(data, start=1):
            yield _Found(_inside(position, number), element, said)
    else:
        yield _Found(position, data, said)


def _said_by(page: Mapping[str, object]) -> _Page:
    includes = page.get("includes")
    users, tweets = (
        [each for each in found if isinstance(each, dict) and "id" in each] if isinstance(found, list) else []
        for found in (includes.get(name) if isinstance(includes, dict) else None for name in ("users", "tweets"))
    )
    names = {
        str(user["id"]): valid_unicode(user["username"]) for user in users if isinstance(user.get("username"), str)
    }
    data = page.get("data")
    of_page = [each for each in data if isinstance(each, dict) and "id" in each] if isinstance(data, list) else []
    twarc = page.get("__twarc")
    observed_at = time_of(twarc.get("retrieved_at")) if isinstance(twarc, dict) else None
    return _Page(names, {str(tweet["id"]): tweet for tweet in (*of_page, *tweets)}, observed_at)


def _inside(position: str, number: int) -> str:
    return f"{position}, item {number}" if position else f"item {number}"


def _row(found: _Found, clock: Clock, mapped: Mapping[str, str] | None, unread: Unread | None) -> Row | Deletion:
    value = found.value
    if not isinstance(value, dict):
        raise RowRefused("not a tweet", f"a JSON {type(value).__name__}")
    if isinstance(value.get("legacy"), dict):
        value = unfolded(value)
    page = found.page
    names, observed_at = page.user_names, page.observed_at
    if mapped:
        return row_of_object(
            value, user_names=names, observed_at=observed_at, clock=clock, included=page.tweets, mapped=mapped,
            unread=unread,
        )  # fmt: skip
    row = quick_row(value, user_names=names, observed_at=observed_at, clock=clock, included=page.tweets)
    if row is not None:
        return row
    if is_event(value):
        return deletion_of(value)
    if not is_absent(value.get("deleted_at")):
        raise RowRefused("a tweet deleted by its author", shown(value["deleted_at"]))
    kind = _foreign_kind(value)
    if kind:
        raise _Foreign(kind)
    return row_of_object(
        value, user_names=names, observed_at=observed_at, clock=clock, included=page.tweets, unread=unread
    )


def _foreign_kind(value: Mapping[str, object]) -> str | None:
    """Return the kind of an object that is not a tweet, None for one that may be a tweet."""
    if "text" in value or "full_text" in value:
        return None
    if "tweet_count" in value and "start" in value:
        return "counts"
    if "owner_id" in value or {"member_count", "private"} <= value.keys():
        return "lists"
    if {"username", "screen_name"} & value.keys() and not {"content", "rawContent", "tweet"} & value.keys():
        return "users"
    if len(value) == 1 and (what := next(iter(value))) in _ARCHIVED:
        return f"an account archive's {_ARCHIVED[what]}"
    return None


#: Keys of the entries in the other files of an account archive.
_ARCHIVED = {
    "like": "likes", "follower": "followers", "following": "accounts followed", "account": "account data",
    "dmConversation": "direct messages", "blocking": "blocked accounts", "muting": "muted accounts",
    "noteTweet": "note tweets", "deletedTweet": "deleted tweets", "ad": "advertisements", "profile": "profile",
    "ageInfo": "age", "phoneNumber": "phone number", "ipAudit": "logins", "userLink": "lists",
}  # fmt: skip


def _is_error(value: Mapping[str, object]) -> bool:
    if "errors" in value:
        return not ({"text", "full_text"} & value.keys() and {"id", "id_str"} & value.keys())
    return {"title", "detail"} <= value.keys() and "text" not in value


def _error_text(value: Mapping[str, object]) -> str:
    errors = value.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else value
    told = [first.get(name) for name in ("title", "detail", "message")] if isinstance(first, dict) else [str(first)]
    return shown(": ".join(text for text in told if isinstance(text, str)))
