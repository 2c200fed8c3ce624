"""Tweets and their authors in the shapes of other programs: nested objects, and the answers of X's own pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from klip_assets.signals.tweets.values import is_absent, user_name_of

Object = Mapping[str, object]

#: Fields that hold the author, and fields of theirs that hold the handle, the name shown, and the id.
_AUTHORS = (
    "author", "user", "userInfo", "user_info", "from", "account", "profile", "sender", "poster", "owner", "creator",
)  # fmt: skip
_HANDLES = (
    "screen_name", "username", "screenName", "userName", "user_name", "login", "handle", "uniqueId", "unique_id",
    "preferredUsername", "nickname", "acct",
)  # fmt: skip
_SHOWN = ("displayName", "display_name", "name", "nickName")
_IDS = ("id_str", "rest_id", "id", "user_id", "userId")


def nested_author(tweet: Object) -> tuple[str | None, object, bool]:
    """Return an author's name and id as given by an object inside a tweet, and whether the name is a handle.

    Args:
        tweet: The tweet, with `user.login`, `userInfo.displayName`, `core.user_results.result.legacy.screen_name` or
            others.
    """
    name, author_id, is_handle = None, None, False
    for author in _authors(tweet):
        if author_id is None:
            author_id = next((author[field] for field in _IDS if not is_absent(author.get(field))), None)
        for fields, are_handles in ((_HANDLES, True), (_SHOWN, False)):
            if name is None or (are_handles and not is_handle):
                found = next((user_name_of(author[field]) for field in fields if _is_name(author.get(field))), None)
                if found:
                    name, is_handle = found, are_handles
    return name, author_id, is_handle


def unfolded(tweet: Object) -> dict[str, object]:
    """Return a tweet of X's own pages (GraphQL) in the form of API version 1.1.

    Its text and counts are in `legacy`, its author in `core`, and the whole of a long text in `note_tweet`.
    """
    legacy = _inside(tweet, "legacy")
    found = {**{name: value for name, value in tweet.items() if name not in {"legacy", "core"}}, **legacy}
    if is_absent(found.get("id_str")) and not is_absent(tweet.get("rest_id")):
        found["id_str"] = tweet["rest_id"]
    note = _inside(tweet, "note_tweet", "note_tweet_results", "result")
    if note:
        entities = {"entities": note["entity_set"]} if isinstance(note.get("entity_set"), dict) else {}
        found["note_tweet"] = {"text": note.get("text"), **entities}
    if name_and_id := {
        key: value for key, value in zip(("screen_name", "id"), nested_author(tweet), strict=False) if value
    }:
        found["user"] = name_and_id
    if views := _inside(tweet, "views"):
        found["view_count"] = views.get("count")
    repeated = _inside(legacy, "retweeted_status_result", "result")
    if repeated := _inside(repeated, "tweet") or repeated:
        found["retweeted_status"] = unfolded(repeated)
    return found


def _authors(tweet: Object) -> Iterator[Object]:
    for result in (_inside(tweet, "core", "user_results", "result"), _inside(tweet, "core", "user_result", "result")):
        yield from (each for each in (_inside(result, "legacy"), _inside(result, "core"), result) if each)
    for name in _AUTHORS:
        if author := _inside(tweet, name):
            yield author
            yield from (inner for key in ("legacy", "identity", "user") if (inner := _inside(author, key)))


def _inside(value: Object, *names: str) -> Object:
    found: object = value
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _is_name(value: object) -> bool:
    return isinstance(value, str) and not is_absent(value)
