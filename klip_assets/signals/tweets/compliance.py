"""Compliance events: what the platform requires for tweets after delivery.

A deletion is applied: the tweet disappears from its day as long as the file that reports it is in the inbox (it is
staged like a source; the tweet's text stays in the files that contain it). All other events are refused, with their
name: deletions of users, as they would affect every day; withheld tweets, which are kept; places, which Klip does not
store.

The results of compliance jobs and the lines of compliance streams are supported, versions 2 and 1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from klip_assets.formats.refused import RowRefused
from klip_assets.signals.tweets.snowflake import SNOWFLAKE_ERA, created_at_of
from klip_assets.signals.tweets.values import other_id_of, shown, time_of

_EVENTS = frozenset(
    {
        "delete", "undelete", "drop", "undrop", "withheld", "status_withheld", "tweet_edit", "scrub_geo",
        "user_delete", "user_undelete", "user_protect", "user_unprotect", "user_suspend", "user_unsuspend",
        "user_withheld", "user_profile_modification",
    }
)  # fmt: skip
_NOT_APPLIED = "a compliance event that is not applied"
_OF_A_USER = "users are not deleted: remove the files that contain their tweets"


@dataclass(frozen=True)
class Deletion:
    """A tweet to delete.

    Attributes:
        tweet_id: The tweet, or one of its versions.
        day: The UTC day whose table contains it.
    """

    tweet_id: str
    day: date


def is_event(value: Mapping[str, object]) -> bool:
    """Return whether a JSON object is a compliance event, from a job's results or a stream."""
    if "action" in value and "id" in value and not {"text", "full_text"} & value.keys():
        return True
    return len(value) <= 2 and bool(_EVENTS & value.keys()) and isinstance(_inner(value), dict)


def deletion_of(value: Mapping[str, object]) -> Deletion:
    """Read an event.

    Raises:
        RowRefused: It is not the deletion of a tweet; says what it is.
    """
    if "action" in value:
        action, reason = value["action"], value.get("reason")
        if action != "delete":
            raise RowRefused(_NOT_APPLIED, f"action {shown(action)}")
        if reason == "scrub_geo":
            raise RowRefused(_NOT_APPLIED, "scrub_geo: Klip stores no places")
        return _deletion(value.get("id"), value.get("created_at"))
    name, event = _name(value), _inner(value)
    if name != "delete":
        detail = {"scrub_geo": "Klip stores no places", "user_delete": _OF_A_USER}.get(name, "")
        raise RowRefused(_NOT_APPLIED, f"{name}: {detail}" if detail else name)
    assert isinstance(event, dict)
    tweet = next((event[key] for key in ("tweet", "status") if isinstance(event.get(key), dict)), None)
    if tweet is None:
        raise RowRefused(_NOT_APPLIED, f"delete: {_OF_A_USER}" if "user" in event else "delete, not of a tweet")
    return _deletion(tweet.get("id_str") or tweet.get("id"), None)


def _deletion(tweet_id: object, created_at: object) -> Deletion:
    found = other_id_of(tweet_id)
    if found is None:
        raise RowRefused("no tweet id", shown(tweet_id))
    created = created_at_of(found)
    if created is None:
        created = time_of(created_at)
        if created is None:
            raise RowRefused("no time: neither the id nor the event has one", f"id {found}")
        if created >= SNOWFLAKE_ERA:
            # Tweet ids were longer by then; user ids were not.
            raise RowRefused(_NOT_APPLIED, f"delete, of user {found}: {_OF_A_USER}")
    return Deletion(found, created.date())


def _name(value: Mapping[str, object]) -> str:
    return next(name for name in value if name in _EVENTS)


def _inner(value: Mapping[str, object]) -> object:
    return value[_name(value)]
