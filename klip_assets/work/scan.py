"""One look at the inbox of recordings: what lies there, what is due, what nobody knows.

The sensor looks every few seconds and hands on what may still be written to; the command line trusts what is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from klip_assets.inbox.changes import Ready, settle
from klip_assets.inbox.recordings import display_name, read_inbox
from klip_assets.work.due import Due, due_videos, note_deadly
from klip_assets.work.installation import Installation
from klip_assets.work.publishing import waiting
from klip_assets.work.refusals import refuse_unknown


@dataclass(frozen=True)
class Scan:
    """What one look found.

    Attributes:
        ready: Recordings whose files have stopped changing.
        pending: Signatures of those that may still be written to, by name; for the next look.
        due: What is to be processed.
    """

    ready: list[Ready]
    pending: Mapping[str, str]
    due: Due


def scan(
    installation: Installation,
    before: Mapping[str, str] | None = None,
    *,
    at_most: int | None = None,
    now: float | None = None,
) -> Scan:
    """Look at the inbox, register what is new, name in the quarantine what is of no use, and say what is due.

    Args:
        installation: Where the inbox is.
        before: Signatures that the look before saw; a new recording counts once two looks agree. None: a person asked.
        at_most: How many new recordings to read in this look.
        now: Seconds since 1970; left out, what failed is tried again without waiting.

    Raises:
        LockHeldError: A video on which processes died is held by somebody.
    """
    inbox, lake = installation.settings.vod_inbox, installation.lake
    contents = read_inbox(inbox)
    settled = settle(contents.recordings, installation.registry, before, at_most=at_most)
    # Sidecars may still be waiting for their recording; who brings it clears them.
    refuse_unknown(lake, {display_name(path, inbox): why for path, why in contents.unknown}, run_id="")
    due = due_videos(settled.ready, installation.attempts, lake, now=now, waiting=waiting(installation))
    for entry in due.crash_looping:
        note_deadly(lake, entry)
    return Scan(settled.ready, settled.pending, due)
