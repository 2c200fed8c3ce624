"""Removing a video from the lake and the warehouse. Its file stays in the inbox and is not processed again."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import PurePath

from klip_assets.contracts import STAGE_STATUS, VIDEO_TABLES, Subject
from klip_assets.errors import InputError, LockHeldError, NotFoundError
from klip_assets.formats.text import stored_name
from klip_assets.inbox.sidecars import plain, prefixes
from klip_assets.store.lake.generations import accepted_generation, withdraw
from klip_assets.store.lake.quarantine import forget_sources
from klip_assets.store.locks import hold, publish_lock, subject_lock
from klip_assets.store.state.attempts import NEVER_TRIED
from klip_assets.store.warehouse.versions import ask_to_forget, must_forget
from klip_assets.work.installation import Installation


@dataclass(frozen=True)
class Removed:
    """What a removal did.

    Attributes:
        tables: Number of tables of the lake that had the video.
        refused: Number of rows that were removed from the quarantine.
        stays: Whether its recording is in the inbox; its current content is not processed again by itself.
    """

    tables: int
    refused: int
    stays: bool


def remove_video(installation: Installation, video_id: str, unlist: Callable[[], None]) -> Removed:
    """Remove a video from the lake, from the accepted generations, and what was refused of its files.

    The next publish builds the warehouse from scratch and drops every earlier version: they hold the video's text.

    Args:
        installation: The installation.
        video_id: The video.
        unlist: Deletes its partition; called while no one else can work on the video.

    Raises:
        NotFoundError: There is no such video, or it was removed before.
        LockHeldError: A run is in progress on it; nothing is removed.
        InputError: A file can't be removed.
    """
    settings, lake, subject = installation.settings, installation.lake, Subject.video(video_id)
    known = {entry.video_id: entry.fingerprint for entry in installation.registry.known().values()}
    if video_id not in known and not lake.tables_of(subject) and not lake.exists(STAGE_STATUS, video_id):
        raise NotFoundError(f"there is no video {video_id!r}", hint="klip videos lists them")
    try:
        with (
            hold(subject_lock(lake.root, subject), what=str(subject), timeout_s=1.0),
            hold(publish_lock(settings.state_dir), what="the warehouse", timeout_s=settings.publish_timeout_s),
        ):
            tables = len([table for table in lake.tables_of(subject) if table.name in VIDEO_TABLES])
            refused = forget_sources(lake, _files_of(installation, video_id))
            is_known = tables or refused or lake.exists(STAGE_STATUS, video_id) or accepted_generation(lake, subject)
            tried = installation.attempts.all().get(video_id, NEVER_TRIED)
            was_removed = tried.is_given_up(known.get(video_id, "")) and not must_forget(settings.warehouse_dir)
            if was_removed and not is_known:
                raise NotFoundError(
                    f"there is nothing of {video_id} to remove: neither the lake nor the warehouse has it",
                    hint=f"its file is not processed by itself; klip process {video_id} brings it back",
                )
            # Before anything is removed, so that the warehouse does not forget a removal that is killed.
            ask_to_forget(settings.warehouse_dir)
            # Withdraw first, then delete the partition: a scan in between would add a partition for an accepted video.
            withdraw(lake, subject)
            lake.remove_everywhere(subject)
            lake.remove(STAGE_STATUS, video_id)
            settings.chunk_log(video_id).unlink(missing_ok=True)
            installation.registry.release_content(video_id)
            if video_id in known:
                installation.attempts.give_up(video_id, known[video_id])
            unlist()
    except LockHeldError as error:
        raise LockHeldError(
            f"{video_id} was not removed: {error.message}", hint="try again when its run has ended"
        ) from error
    except OSError as error:
        raise InputError(
            f"{video_id} was not removed as a whole: {error}", hint="mend that, then klip remove it again"
        ) from error
    name = installation.registry.path_of(video_id)
    return Removed(tables, refused, name is not None and os.path.lexists(settings.vod_inbox / name))


def _files_of(installation: Installation, video_id: str) -> Callable[[str], bool]:
    """Return a function that says whether a file, relative to the inbox, is the recording or one of its sidecars."""
    recordings = {entry.video_id: PurePath(stored_name(entry.path)) for entry in installation.registry.known().values()}
    recording = recordings.get(video_id)
    if recording is None:
        return lambda name: False
    stems = {path.stem for path in recordings.values() if path.parent == recording.parent}

    def is_one(name: str) -> bool:
        path = PurePath(name)
        if path.parent != recording.parent:
            return False
        return path.name == recording.name or _owner(path.name, stems) == recording.stem

    return is_one


def _owner(name: str, stems: Collection[str]) -> str | None:
    """Return the longest stem of a recording that the name of a sidecar begins with."""
    alike = {plain(stem): stem for stem in stems}
    return next((alike[plain(begin)] for begin, _ in prefixes(name.lstrip(".")) if plain(begin) in alike), None)
