"""What is due: content in the inbox or in the raw tweets that no accepted generation was made from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from klip_assets.contracts import VIDEOS, Subject
from klip_assets.errors import DamagedError
from klip_assets.inbox.changes import Ready
from klip_assets.store.lake.generations import Generation, Head, accepted_generation, accepted_heads
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.stage_status import read_stages, record_stage
from klip_assets.store.lake.tweet_sources import day_versions
from klip_assets.store.locks import hold, is_held, subject_lock
from klip_assets.store.state.attempts import MAX_DEATHS, NEVER_TRIED, Attempt, Attempts

#: Scattered days become at most this many runs; the days in closed gaps are recognized as unchanged.
MAX_RANGES = 8

#: Says of a video, by the notes of its row in `videos`, whether it is a copy of what no other video has any more.
Lost = Callable[[str, Mapping[str, Any]], bool]


def _never_lost(video_id: str, notes: Mapping[str, Any]) -> bool:
    return False


@dataclass(frozen=True)
class Due:
    """What to run.

    Attributes:
        videos: Recordings to process; those on which a process died come last, so that they don't block others.
        crash_looping: Recordings skipped because process after process died on them.
        accepted: Videos that have an accepted generation.
        attempts: Video to process -> name of this attempt, see `attempt_key`.
    """

    videos: list[Ready]
    crash_looping: list[Ready]
    accepted: frozenset[str] = frozenset()
    attempts: Mapping[str, str] = field(default_factory=dict)


def due_videos(
    ready: Iterable[Ready],
    attempts: Attempts,
    lake: Lake,
    *,
    now: float | None = None,
    waiting: Collection[str] = (),
    is_lost: Lost = _never_lost,
) -> Due:
    """Choose the videos to run: those whose content is not accepted, or on which a process died, and that may be tried.

    So are copies of a recording that was removed, replaced or failed: see `is_lost`.

    A run may end in the meantime. What seemed open is therefore read a second time once no one holds its lock;
    otherwise work that a run has just done would be requested again.

    Args:
        ready: Recordings in the inbox.
        attempts: The memory of earlier attempts.
        lake: The lake.
        now: Seconds since 1970; if not given, failed videos are retried without waiting.
        waiting: Videos whose current state was not published. If that was made from content other than what is in the
            inbox now, the accepted content has come back: then its rows in the lake have to be rebuilt too.
        is_lost: From `lost_originals`.
    """
    done, tried = accepted_heads(lake, "video_id"), attempts.all()
    back = {e.video_id: made for e in ready if e.video_id in waiting and (made := _other_content(lake, e))}
    seemed_open = [e for e in ready if e.video_id in back or _is_open(e, done.get(e.video_id), tried, is_lost)]
    free = [entry for entry in seemed_open if not is_held(subject_lock(lake.root, entry.subject))]
    tried = attempts.all() if free else tried
    videos, crash_looping, keys = [], [], {}
    for entry in free:
        accepted = _published(lake, entry.subject)
        came_back = back.get(entry.video_id, "")
        if not came_back and not _is_open(entry, _head(accepted), tried, is_lost):
            continue
        attempt = tried.get(entry.video_id, NEVER_TRIED)
        if attempt.allows(entry.fingerprint, now=now):
            videos.append(entry)
            keys[entry.video_id] = attempt_key(entry.video_id, accepted, entry.fingerprint, attempt) + came_back
        elif attempt.crash_looping:
            crash_looping.append(entry)
    videos.sort(key=lambda entry: tried.get(entry.video_id, NEVER_TRIED).begun)
    return Due(videos, crash_looping, frozenset(done), keys)


def is_done(entry: Ready, attempts: Attempts, lake: Lake, *, is_lost: Lost = _never_lost) -> bool:
    """Return whether a video was processed since it was found to be due. The caller holds its lock."""
    is_open = _is_open(entry, _head(_published(lake, entry.subject)), attempts.all(), is_lost)
    return not is_open and not _other_content(lake, entry)


def _published(lake: Lake, subject: Subject) -> Generation | None:
    """Return the accepted generation of a video, None if there is none or only the reason why there is none."""
    accepted = accepted_generation(lake, subject)
    return None if accepted is None or accepted.withheld else accepted


def _other_content(lake: Lake, entry: Ready) -> str:
    """Return a name for the rows of a video in the lake if they were made from other content, '' if not."""
    try:
        made = lake.provenance(VIDEOS, entry.video_id)
    except DamagedError:
        return ":damaged"
    return f":{made.written_at}" if made and made.input_versions.get("source") != entry.fingerprint else ""


def _head(accepted: Generation | None) -> Head | None:
    return Head(accepted.source, accepted.tables[VIDEOS.name].notes) if accepted else None


def _is_open(entry: Ready, accepted: Head | None, tried: Mapping[str, Attempt], is_lost: Lost) -> bool:
    attempt = tried.get(entry.video_id, NEVER_TRIED)
    unfinished = attempt.begun > 0 and attempt.version == entry.fingerprint
    if accepted is None or accepted.source != entry.fingerprint or unfinished:
        return True
    return is_lost(entry.video_id, accepted.notes)


def dirty_days(lake: Lake, attempts: Mapping[str, Attempt], *, now: float | None = None) -> dict[str, str]:
    """Return the days whose sources differ from the accepted generation: day -> name of the attempt to build it.

    Args:
        lake: The lake.
        attempts: Earlier attempts by key.
        now: As for `due_videos`.
    """
    done, found = accepted_heads(lake, "day"), {}
    for day, version in day_versions(lake).items():
        attempt = attempts.get(day, NEVER_TRIED)
        if (day in done and done[day].source == version) or not attempt.allows(version, now=now):
            continue
        accepted = accepted_generation(lake, Subject.day(day))
        if not accepted or accepted.source != version:
            found[day] = attempt_key(day, accepted, version, attempt)
    return found


def attempt_key(key: str, accepted: Generation | None, version: str, attempt: Attempt) -> str:
    """Return the name of one attempt to bring a video or day to a version.

    Dagster starts each run key once. The key includes the accepted generation, so that content which comes back after
    being replaced is a new attempt, and the number of failures and deaths, so that it may be retried. `accepted` has to
    be the generation that was found to lack this version: after a publish in between, the same attempt would have two
    names, and two runs.
    """
    since = next(iter(accepted.tables.values())).written_at if accepted else "new"
    again = f":{attempt.failures}.{attempt.begun}" if attempt.version == version else ""
    return f"{key}:{version}:{since}{again}"


def note_crash_looping(lake: Lake, entry: Ready) -> None:
    """Record in `stage_status` that a video is skipped because processes died on it."""
    error = (
        f"{MAX_DEATHS} processes died while working on {entry.recording.name} (out of memory, or a decoder crash); "
        f"to retry: klip process {entry.video_id}"
    )
    if any(row["error"] == error for row in read_stages(lake, entry.video_id)):
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    with hold(subject_lock(lake.root, entry.subject), what=str(entry.subject), timeout_s=1.0):
        record_stage(lake, entry.video_id, VIDEOS.name, status="failed", error=error, run_id="", started_at=now)


def day_ranges(days: Iterable[str], limit: int = MAX_RANGES) -> list[tuple[str, str]]:
    """Group days into ranges of consecutive days, closing the smallest gaps to stay within `limit` ranges.

    Returns:
        First and last day of each range, sorted.
    """
    ranges: list[tuple[date, date]] = []
    for day in sorted({date.fromisoformat(text) for text in days}):
        if ranges and day - ranges[-1][1] == timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    while len(ranges) > limit:
        gaps = [ranges[i + 1][0] - ranges[i][1] for i in range(len(ranges) - 1)]
        smallest = gaps.index(min(gaps))
        ranges[smallest : smallest + 2] = [(ranges[smallest][0], ranges[smallest + 1][1])]
    return [(first.isoformat(), last.isoformat()) for first, last in ranges]
