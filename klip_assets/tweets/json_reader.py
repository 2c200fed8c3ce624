"""Tweets from JSON: one object a line, one document, or pages of responses of the X API.

Put here: finding the tweets in the shapes JSON comes in, and knowing what is something else. Keep out: what makes a
row of a tweet (`tweets.rows`).
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise
from pathlib import Path
from typing import TextIO

from klip_assets.refused import Refused, RowRefused
from klip_assets.textfile import (
    MAX_DOCUMENT_CHARS,
    BrokenRecord,
    bounded_lines,
    open_text,
    read_document,
    sound,
)
from klip_assets.tweets.rows import Row, row_of_object
from klip_assets.tweets.values import shown, time_of

_PUNCTUATION = frozenset({"", "[", "]", ",", "[]"})
_PROBED_LINES = 20
_TOO_LONG = f"a document of more than {MAX_DOCUMENT_CHARS:,} characters"
_FOREIGN_BEFORE_GIVING_UP = 1000


class _Foreign(Exception):  # noqa: N818
    """Something the API delivers that is no tweet."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class _Unparsed:
    """Text that is no JSON, or more of it than is read at once."""

    problem: str
    reason: str = "not valid JSON"


@dataclass(frozen=True)
class _Found:
    """Something at a place of the file that should be a tweet, with what its page says about it."""

    position: str
    value: object
    user_names: Mapping[str, str]
    observed_at: datetime | None


def read_json(path: Path, *, now: datetime) -> Iterator[Row | Refused]:
    """Read tweets from JSON. Lines are streamed; only a document written over several lines is held whole.

    A file of something else (users, lists, counts, compliance events) is refused as a whole.
    """
    foreign: list[tuple[str, str]] = []
    tweets_seen = False
    for position, value in _values(path):
        for found in _in_value(position, value):
            if isinstance(found, Refused):
                yield found
                continue
            try:
                row: Row | Refused = _row(found, now)
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
            if not isinstance(row, Refused) and not tweets_seen:
                tweets_seen = True
                yield from (_refuse_foreign(where, kind) for where, kind in foreign)
            yield row
    if foreign and not tweets_seen:
        yield _refuse_file(foreign)


def _refuse_foreign(position: str, kind: str) -> Refused:
    return Refused(position, "not a tweet", f"one of {kind}")


def _refuse_file(foreign: list[tuple[str, str]]) -> Refused:
    kinds = sorted({kind for _, kind in foreign})
    return Refused("file", f"a file of {' and '.join(kinds)}, not of tweets", f"first at {foreign[0][0]}")


def _values(path: Path) -> Iterator[tuple[str, object]]:
    """Yield each JSON value with its place: of a line, or '' for the whole document."""
    with open_text(path, newline="\n") as stream:
        by_line = _is_by_line(stream)
    if not by_line:
        with open_text(path, newline="\n") as stream:
            text = read_document(stream)
        if text is None:
            yield "", _Unparsed("write one tweet a line, or split the file", _TOO_LONG)
            return
        document = _parsed(text)
        if not isinstance(document, _Unparsed) or not _has_value_lines(text):
            yield "", _documents(text) if isinstance(document, _Unparsed) else document
            return
        del text
    with open_text(path, newline="\n") as stream:
        for number, line in enumerate(bounded_lines(stream), start=1):
            if isinstance(line, BrokenRecord):
                yield f"line {number}", _Unparsed("it was left out", line.reason)
            elif line.strip() not in _PUNCTUATION:
                yield f"line {number}", _parsed_line(line)


def _is_by_line(stream: TextIO) -> bool:
    """Return whether the file holds one JSON value a line, as its first lines show.

    So it is if its first line is a value; also if that line is broken, but two others that follow each other without
    a comma are values; and if it is an array with one element a line.
    """
    lines: list[str] = []
    for line in islice(bounded_lines(stream), _PROBED_LINES):
        if isinstance(line, str) and line.strip():
            lines.append(line.strip())
        if sum(map(len, lines)) > MAX_DOCUMENT_CHARS:
            break
    if not lines:
        return False
    if lines[0] == "[":
        return len(lines) > 1 and isinstance(_parsed_line(lines[1]), dict)
    values = [line.startswith(("{", "[")) and not isinstance(_parsed(line), _Unparsed) for line in lines]
    return values[0] or any(first and second for first, second in pairwise(values))


def _has_value_lines(text: str) -> bool:
    lines = (line for line in io.StringIO(text, newline="\n") if line.startswith(("{", "[")))
    return any(line.strip() not in _PUNCTUATION and not isinstance(_parsed_line(line), _Unparsed) for line in lines)


def _documents(text: str) -> object:
    """Return the documents of a text that holds several, one after the other, as `jq .` writes them."""
    documents: list[object] = []
    place = 0
    while rest := text[place : place + 1]:
        if rest.isspace():
            place += 1
            continue
        try:
            value, place = json.JSONDecoder().raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            problem = _Unparsed(shown(str(error)))
            return [*documents, problem] if documents else problem
        documents.append(value)
    return documents


def _parsed_line(line: str) -> object:
    text = line.strip()
    parsed = _parsed(text)
    if isinstance(parsed, _Unparsed) and text.endswith((",", "]")):
        # An element of an array that has one element a line: `{...},`, or with the array's own brackets.
        inner = _parsed(text.rstrip(",").removeprefix("[").removesuffix("]").rstrip(","))
        return parsed if isinstance(inner, _Unparsed) else inner
    return parsed


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"column {error.colno}"
        return _Unparsed(f"{error.msg} at {place}")
    except (ValueError, RecursionError) as error:
        return _Unparsed(shown(str(error)))


def _in_value(position: str, value: object) -> Iterator[_Found | Refused]:
    """Yield what one JSON value holds: a tweet, a page of tweets, or an array of either."""
    if not isinstance(value, list):
        yield from _in_element(position, value)
        return
    for number, element in enumerate(value, start=1):
        yield from _in_element(_inside(position, number), element)


def _in_element(position: str, value: object) -> Iterator[_Found | Refused]:
    if isinstance(value, _Unparsed):
        yield Refused(position or "file", value.reason, value.problem)
    elif not isinstance(value, dict):
        yield Refused(position or "file", "not a tweet", f"a JSON {type(value).__name__}")
    elif isinstance(value.get("data"), list | dict):
        yield from _in_page(position, value)
    elif _is_error(value):
        yield Refused(position or "file", "an error that the API reported", _error_text(value))
    elif "data" in value or (isinstance(value.get("meta"), dict) and "text" not in value):
        return  # a page without results
    else:
        wrapped = value.get("tweet")
        yield _Found(
            position or "item 1", wrapped if isinstance(wrapped, dict) and len(value) == 1 else value, {}, None
        )


def _in_page(position: str, page: Mapping[str, object]) -> Iterator[_Found]:
    """Yield the delivered tweets of a response; those in `includes` are only there to explain them."""
    includes = page.get("includes")
    users = includes.get("users") if isinstance(includes, dict) else None
    names = {
        str(user["id"]): sound(user["username"])
        for user in (users if isinstance(users, list) else ())
        if isinstance(user, dict) and "id" in user and isinstance(user.get("username"), str)
    }
    twarc = page.get("__twarc")
    observed_at = time_of(twarc.get("retrieved_at")) if isinstance(twarc, dict) else None
    data = page["data"]
    if isinstance(data, list):
        for number, element in enumerate(data, start=1):
            yield _Found(_inside(position, number), element, names, observed_at)
    else:
        yield _Found(position or "item 1", data, names, observed_at)


def _inside(position: str, number: int) -> str:
    return f"{position}, item {number}" if position else f"item {number}"


def _row(found: _Found, now: datetime) -> Row:
    if not isinstance(found.value, dict):
        raise RowRefused("not a tweet", f"a JSON {type(found.value).__name__}")
    kind = _foreign_kind(found.value)
    if kind:
        raise _Foreign(kind)
    return row_of_object(found.value, user_names=found.user_names, observed_at=found.observed_at, now=now)


def _foreign_kind(value: Mapping[str, object]) -> str | None:
    """Return what else the API delivers this is, None for what may be a tweet."""
    if "text" in value or "full_text" in value:
        return None
    if "tweet_count" in value and "start" in value:
        return "counts"
    if "owner_id" in value or {"member_count", "private"} <= value.keys():
        return "lists"
    if {"username", "screen_name"} & value.keys() and not {"content", "rawContent", "tweet"} & value.keys():
        return "users"
    if {"action", "redacted_at"} & value.keys() or next(iter(value), "") in ("delete", "withheld", "scrub_geo"):
        return "compliance events"
    return None


def _is_error(value: Mapping[str, object]) -> bool:
    return "errors" in value or ({"title", "detail"} <= value.keys() and "text" not in value)


def _error_text(value: Mapping[str, object]) -> str:
    errors = value.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else value
    told = [first.get(name) for name in ("title", "detail", "message")] if isinstance(first, dict) else [str(first)]
    return shown(": ".join(text for text in told if isinstance(text, str)))
