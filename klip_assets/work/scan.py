"""One scan of the VOD inbox: which recordings are there, which are due, and which files are unknown.

The sensor scans every few seconds and carries over files that may still be written to; the command line trusts what is
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from klip_assets.inbox.changes import Ready, settle
from klip_assets.inbox.listing import UNREADABLE, display_name
from klip_assets.inbox.recordings import read_inbox
from klip_assets.work.due import Due, due_videos, note_crash_looping
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import waiting
from klip_assets.work.refusals import refuse_unknown
from klip_assets.work.stages.originals import lost_originals


@dataclass(frozen=True)
class Scan:
    """Result of one scan.

    Attributes:
        ready: Recordings whose files have stopped changing.
        pending: Signatures of those that may still be written to, by name; for the next scan.
        due: What to process.
        unreadable: Folders and files that can't be read, relative to the inbox, with the reason.
    """

    ready: list[Ready]
    pending: Mapping[str, str]
    due: Due
    unreadable: Mapping[str, str] = field(default_factory=dict)


def scan(
    installation: Installation,
    before: Mapping[str, str] | None = None,
    *,
    at_most: int | None = None,
    now: float | None = None,
) -> Scan:
    """Scan the inbox, register new recordings, quarantine unusable files, and return what is due.

    Args:
        installation: The installation.
        before: Signatures from the previous scan; a new recording counts once two scans agree. None: a person asked.
        at_most: Maximum number of new recordings to read in this scan.
        now: Seconds since 1970; if not given, failed videos are retried without waiting.

    Raises:
        LockHeldError: A video on which processes died is locked.
    """
    inbox, lake = installation.settings.vod_inbox, installation.lake
    contents = read_inbox(inbox)
    settled = settle(contents.recordings, installation.registry, before, at_most=at_most)
    # Sidecars may still be waiting for their recording; the scan that finds it clears them.
    unknown = {display_name(path, inbox): why for path, why in contents.unknown}
    folders = {display_name(path, inbox): why for path, why in contents.unreadable.items()}
    refuse_unknown(lake, unknown, unreadable=folders, run_id="")
    due = due_videos(
        settled.ready,
        installation.attempts,
        lake,
        now=now,
        waiting=waiting(installation),
        is_lost=lost_originals(installation),
    )
    for entry in due.crash_looping:
        note_crash_looping(lake, entry)
    unread = {name: why for name, why in unknown.items() if why.startswith(UNREADABLE)}
    return Scan(settled.ready, settled.pending, due, folders | unread)
