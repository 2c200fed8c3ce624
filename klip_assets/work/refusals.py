"""What the inboxes hold and Klip does not use: listed in the quarantine as long as it is there."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import PurePath

from klip_assets.contracts import TWEETS, VIDEOS
from klip_assets.errors import DamagedError
from klip_assets.formats.refused import Refused
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.quarantine import quarantine_files, refused_sources, remove_single

#: Refusals of whole files are kept apart from what the stage `videos` refuses of a sidecar.
TABLE = "inbox"
#: The same, of the tweet inbox.
TWEET_TABLE = "tweet_inbox"


def refuse_unknown(
    lake: Lake, unknown: Mapping[str, str], *, unreadable: Mapping[str, str] | None = None, run_id: str
) -> None:
    """Update the quarantine to list exactly the files of the VOD inbox that are not used.

    Args:
        lake: The lake.
        unknown: File relative to the inbox -> why it is not used.
        unreadable: Folder relative to the inbox -> why it can't be read; what was listed of it before stays.
        run_id: Run that found them, '' for a sensor.
    """
    detail = f"not part of {VIDEOS.name}"
    found = {name: Refused("file", why, detail) for name, why in unknown.items()}
    if unreadable:
        folders = {PurePath(name) for name in unreadable}
        with contextlib.suppress(DamagedError):
            for name, why in refused_sources(lake, TABLE).items():
                if not folders.isdisjoint(PurePath(name).parents):
                    found.setdefault(name, Refused("file", why, detail))
        found |= {name: Refused("file", why, "nothing in it is read") for name, why in unreadable.items()}
    quarantine_files(lake, TABLE, found, run_id=run_id)
    remove_single(lake, TABLE, found)


def refuse_tweet_folders(lake: Lake, found: Mapping[str, str], *, run_id: str) -> None:
    """Update the quarantine to list exactly what can't be read in the tweet inbox, or is missing from it.

    Args:
        lake: The lake.
        found: Folder or file relative to the inbox -> what is wrong with it.
        run_id: Run that found it, '' for a sensor.
    """
    detail = f"its rows in {TWEETS.name} stay"
    refused = {name: Refused("file", why, detail) for name, why in found.items()}
    quarantine_files(lake, TWEET_TABLE, refused, run_id=run_id)
