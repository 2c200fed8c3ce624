"""What the platform says has to happen to tweets after they were delivered.

A deletion is applied: the tweet disappears from its day for as long as the file that reports it lies in the inbox (it
is staged like a source; the tweet's text stays in the files that hold it). Everything else is refused by its name:
deletions of users, as they would touch every day there is; withheld tweets, which stay; places, of which Klip keeps
none.

Known are the results of compliance jobs and the lines of compliance streams, version 2 and 1.1.
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
_OF_A_USER = "users are not taken out: remove the files that hold their tweets"


@dataclass(frozen=True)
class Deletion:
    """A tweet that has to disappear.

    Attributes:
        tweet_id: The tweet, or one of its versions.
        day: The UTC day in whose table it stands.
    """

    tweet_id: str
    day: date


def is_event(value: Mapping[str, object]) -> bool:
    """Return whether a JSON object is an event of compliance: of a job's results or of a stream."""
    if "action" in value and "id" in value and not {"text", "full_text"} & value.keys():
        return True
    return len(value) <= 2 and bool(_EVENTS & value.keys()) and isinstance(_inner(value), dict)


def deletion_of(value: Mapping[str, object]) -> Deletion:
    """Read an event.

    Raises:
        RowRefused: It is no deletion of a tweet; says what it is.
    """
    if "action" in value:
        action, reason = value["action"], value.get("reason")
        if action != "delete":
            raise RowRefused(_NOT_APPLIED, f"action {shown(action)}")
        if reason == "scrub_geo":
            raise RowRefused(_NOT_APPLIED, "scrub_geo: Klip keeps no places")
        return _deletion(value.get("id"), value.get("created_at"))
    name, event = _name(value), _inner(value)
    if name != "delete":
        detail = {"scrub_geo": "Klip keeps no places", "user_delete": _OF_A_USER}.get(name, "")
        raise RowRefused(_NOT_APPLIED, f"{name}: {detail}" if detail else name)
    assert isinstance(event, dict)
    tweet = next((event[key] for key in ("tweet", "status") if isinstance(event.get(key), dict)), None)
    if tweet is None:
        raise RowRefused(_NOT_APPLIED, f"delete: {_OF_A_USER}" if "user" in event else "delete, of no tweet")
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
            # Ids of tweets were longer by then; those of users were not.
            raise RowRefused(_NOT_APPLIED, f"delete, of user {found}: {_OF_A_USER}")
    return Deletion(found, created.date())


def _name(value: Mapping[str, object]) -> str:
    return next(name for name in value if name in _EVENTS)


def _inner(value: Mapping[str, object]) -> object:
    return value[_name(value)]
