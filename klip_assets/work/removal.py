"""Removing a video from the lake and the warehouse. Its file stays in the inbox and is not processed again."""

from __future__ import annotations

from collections.abc import Callable

from klip_assets.contracts import STAGE_STATUS, VIDEOS, Subject
from klip_assets.errors import LockHeldError, NotFoundError
from klip_assets.store.lake.generations import withdraw
from klip_assets.store.locks import hold, publish_lock, subject_lock
from klip_assets.work.installation import Installation


def remove_video(installation: Installation, video_id: str, unlist: Callable[[], None]) -> bool:
    """Remove a video from the lake and from the accepted generations; the next publish removes it from the warehouse.

    Args:
        installation: The installation.
        video_id: The video.
        unlist: Deletes its partition; called while no one else can work on the video.

    Returns:
        Whether its recording is known in the inbox; if so, its current content is not processed again automatically.

    Raises:
        NotFoundError: There is no such video.
        LockHeldError: A run is in progress on it; nothing is removed.
    """
    settings, lake, subject = installation.settings, installation.lake, Subject.video(video_id)
    known = {entry.video_id: entry.fingerprint for entry in installation.registry.known().values()}
    if video_id not in known and not lake.exists(VIDEOS, video_id) and not lake.exists(STAGE_STATUS, video_id):
        raise NotFoundError(f"there is no video {video_id!r}", hint="klip videos lists them")
    try:
        with (
            hold(subject_lock(lake.root, subject), what=str(subject), timeout_s=1.0),
            hold(publish_lock(settings.state_dir), what="the warehouse", timeout_s=settings.publish_timeout_s),
        ):
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
    return video_id in known
