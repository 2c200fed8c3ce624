"""Taking a video out of lake and warehouse. Its file stays in the inbox and is not processed again."""

from __future__ import annotations

from collections.abc import Callable

from klip_assets.contracts import STAGE_STATUS, VIDEOS, Subject
from klip_assets.errors import LockHeldError, NotFoundError
from klip_assets.store.lake.generations import withdraw
from klip_assets.store.locks import hold, publish_lock, subject_lock
from klip_assets.work.installation import Installation


def remove_video(installation: Installation, video_id: str, unlist: Callable[[], None]) -> bool:
    """Take a video out of the lake and of what is accepted; the next publish takes it out of the warehouse.

    Args:
        installation: Where it is.
        video_id: The video.
        unlist: Takes it off the list of partitions, while nobody else can work on it.

    Returns:
        Whether its recording is known in the inbox; then its present content is not processed again by itself.

    Raises:
        NotFoundError: There is no such video.
        LockHeldError: Somebody works on it; nothing is removed.
    """
    settings, lake, subject = installation.settings, installation.lake, Subject.video(video_id)
    known = {entry.video_id: entry.fingerprint for entry in installation.registry.known().values()}
    if video_id not in known and not lake.exists(VIDEOS, video_id) and not lake.exists(STAGE_STATUS, video_id):
        raise NotFoundError(f"there is no video {video_id!r}", hint="klip videos lists them")
    try:
        with (
            hold(subject_lock(lake.root, subject), what=str(subject), timeout_s=1.0),
            hold(publish_lock(settings.state_dir), what="the publish", timeout_s=settings.publish_timeout_s),
        ):
            # First withdrawn, then taken off the list: a sensor that looks in between would list what is accepted.
            withdraw(lake, subject)
            lake.remove_everywhere(subject)
            lake.remove(STAGE_STATUS, video_id)
            settings.chunk_log(video_id).unlink(missing_ok=True)
            installation.registry.release_content(video_id)
            if video_id in known:
                installation.attempts.give_up(video_id, known[video_id])
            unlist()
    except LockHeldError as error:
        raise LockHeldError(f"{error.message}: {video_id} stays", hint="try again when its run is over") from error
    return video_id in known
