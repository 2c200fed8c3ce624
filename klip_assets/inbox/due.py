"""What is due: content in the inbox or in the raw tweets that no accepted generation was made from.

Put here: comparing what should be with what is accepted. Keep out: Dagster, and doing anything about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from klip_assets.inbox.changes import Ready
from klip_assets.lake.generations import Kind, accepted, accepted_generation
from klip_assets.lake.locks import is_held
from klip_assets.lake.stages import partition_lock
from klip_assets.lake.store import Lake
from klip_assets.lake.tweet_sources import day_versions


def due_videos(ready: Iterable[Ready], poison: Mapping[str, str], lake: Lake) -> list[Ready]:
    """Choose the videos to run: content that is not accepted, has not failed before, and is not being worked on.

    Args:
        ready: What lies in the inbox.
        poison: Content that is known to fail, by video.
        lake: The lake.
    """
    done = {key: generation.source for key, generation in accepted(lake, "video_id").items()}
    return [
        entry
        for entry in ready
        if done.get(entry.video_id) != entry.fingerprint
        and poison.get(entry.video_id) != entry.fingerprint
        and not is_held(partition_lock(lake.root, "video_id", entry.video_id))
    ]


def attempt_key(lake: Lake, kind: Kind, key: str, version: str) -> str:
    """Name one attempt to bring a video or day to a version.

    Dagster starts a run key once. The key holds what is accepted now, so that content which comes back after it was
    replaced is a new attempt, while a failed one is not repeated.
    """
    now = accepted_generation(lake, kind, key)
    since = next(iter(now.tables.values())).written_at if now else "new"
    return f"{key}:{version}:{since}"


def dirty_days(lake: Lake) -> dict[str, str]:
    """Return the days whose sources are not those of the accepted generation: day -> version of its sources."""
    done = {day: generation.source for day, generation in accepted(lake, "day").items()}
    return {day: version for day, version in day_versions(lake).items() if done.get(day) != version}
